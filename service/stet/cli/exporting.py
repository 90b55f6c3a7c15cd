"""`stet export`: what goes out."""

from __future__ import annotations

from pathlib import Path

import click

from stet.cli.remote import KEY_OPTION, remote_of
from stet.cli.terminal import run, settings_or_exit

_FORMS = {
    "csv": "Write a CSV of current values: a row for an incident, a column for an attribute.",
    "claims": "Write a CSV of claims: a row for each, with who said it when.",
    "geojson": "Write a FeatureCollection of GeoJSON: places with their radius, times with their bounds.",
    "ndjson": "Write a line of JSON for an incident, as lists show it.",
    "parquet": "Write current values as Parquet. Needs the extra stet[parquet].",
    "ucdp": "Write a CSV like UCDP's event data, and beside it one that names what is lost.",
    "acled": "Write a CSV like ACLED's, and beside it one that names what is lost.",
    "atom": "Write the newest changes as an Atom feed. Its filters are before and limit.",
}


@click.group("export")
def export() -> None:
    """Give data out: incidents and claims in many forms, the log itself."""


def _form(name: str, help_: str) -> click.Command:
    @click.command(name, help=help_)
    @click.option("--ledger", required=True, help="The ledger's name.")
    @click.option("--url", help="A running service; absent: the database itself.")
    @KEY_OPTION
    @click.option("--as-of", help="An instant, a date, position:N or release:NAME; default: the head.")
    @click.option("--said-by", help="Only what had been said by this instant or date, as we know by now.")
    @click.option("--filter", "filters", multiple=True, help="NAME=VALUE, as in the list of incidents; also sort.")
    @click.option(
        "--output", type=click.Path(dir_okay=False, path_type=Path), default="-", help="The file; default: stdout."
    )
    def command(
        ledger: str,
        url: str | None,
        key: str | None,
        as_of: str | None,
        said_by: str | None,
        filters: tuple[str, ...],
        output: Path,
    ) -> None:
        from stet.cli.export import Asked, export_here, parameters_of

        settings = settings_or_exit()
        losses = name in ("ucdp", "acled")
        run(
            lambda: export_here(
                settings,
                remote_of(url, key),
                Asked(name, ledger, parameters_of(as_of, said_by, filters), output, losses),
            )
        )

    return command


for _name, _help in _FORMS.items():
    export.add_command(_form(_name, _help))


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
