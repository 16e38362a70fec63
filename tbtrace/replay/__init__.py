"""RLlib's own offline recordings in, a run out: `tbtrace.replay.run.replay`."""
