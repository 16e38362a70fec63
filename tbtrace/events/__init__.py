"""Event files: records on disk, summaries, and a tensorboardX writer on top."""
