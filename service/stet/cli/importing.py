"""`stet import`: what comes in."""

from __future__ import annotations

import click


@click.group("import")
def import_() -> None:
    """Bring data in: dated records, releases of a table, an exported log."""
