"""`stet export`: what goes out."""

from __future__ import annotations

import click


@click.group("export")
def export() -> None:
    """Give data out: incidents and claims in many forms, the log itself."""
