"""Pixels: figures and PNG. Knows nothing of reinforcement learning."""
