"""What every command has in common: a line for the person, the settings, and errors as exit codes."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

import click

from stet.errors import Forbidden, Malformed, NotFound, StetError, Unauthenticated
from stet.settings import Settings, read_settings

ASKED_WRONG, CANNOT = 2, 3


def say(line: str) -> None:
    """A line for the person at the terminal; stdout is for results."""
    click.echo(line, err=True)


def settings_or_exit() -> Settings:
    """The settings; a variable that cannot be used ends the command with its name."""
    try:
        return read_settings()
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def run(action: Callable[[], int | None]) -> None:
    """Runs a command's body and turns our errors into one line and an exit code."""
    # As an exception, so that what was started is stopped, too: an embedded PostgreSQL, for one.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        sys.exit(action() or 0)
    except (Forbidden, Malformed, NotFound, Unauthenticated) as error:
        say(f"stet: {error}")
        sys.exit(ASKED_WRONG)
    except StetError as error:
        say(f"stet: {error}")
        sys.exit(CANNOT)
