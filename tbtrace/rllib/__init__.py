"""Where tbtrace meets RLlib: the callback, and what travels in a result."""
