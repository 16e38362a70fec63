"""The command `tbtrace`: what each of its commands does is a module of that name here."""

from tbtrace.cli.command import main

__all__ = ["main"]
