"""The tap around environments, and the plant that the demo trains on."""
