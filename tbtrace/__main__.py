"""Runs the command as `python -m tbtrace`."""

import sys

from tbtrace.cli import main

sys.exit(main())
