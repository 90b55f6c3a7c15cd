"""The command `stet`."""

from stet.cli.main import main

__all__ = ["main"]
