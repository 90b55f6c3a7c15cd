"""`stet export`: what goes out."""

from __future__ import annotations

from pathlib import Path

import click

from stet.cli.terminal import run, settings_or_exit


@click.group("export")
def export() -> None:
    """Give data out: incidents and claims in many forms, the log itself."""


@export.command("log")
@click.option("--ledger", required=True, help="The ledger's name.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("-"), help="The file; default: stdout. X.gz is packed."
)
@click.option("--up-to", type=click.IntRange(1, 2**62), help="End with the append that has this position.")
def export_log(ledger: str, output: Path, up_to: int | None) -> None:
    """Write the log of a ledger, whole and with what proves it: a backup, as NDJSON.

    Exit code 1 if the log has a fault. `stet import log` restores it.
    """
    from stet.cli.log import export_here

    settings = settings_or_exit()
    run(lambda: export_here(settings, ledger, output, up_to))
