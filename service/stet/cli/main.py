"""The commands. Each has help, says what it does on stderr, and exits 0 = done, 1 = found something wrong,
2 = was asked the wrong way, 3 = cannot work here (no database, a full disk)."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from stet import __version__
from stet.cli.exporting import export
from stet.cli.importing import import_
from stet.cli.keys import keys
from stet.cli.remote import KEY_OPTION, remote_of
from stet.cli.signing import signing_key
from stet.cli.terminal import run, say, settings_or_exit
from stet.incident.said import SaidMatch
from stet.offline import run as run_offline
from stet.settings import Settings

_CONTRACT = Path("openapi/openapi.json")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="stet")
def main() -> None:
    """Stet: an incident database in which nothing is ever overwritten.

    Without STET_DATABASE_URL a command starts PostgreSQL in the data folder (STET_DATA, default ./.stet) by itself.
    """


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65535), help="0: any free port.")
@click.option("--open", "keyless", is_flag=True, help="Ask nobody for a key: only this machine may reach it.")
@click.option("--reference", is_flag=True, help="Load the reference incident into the ledger mi24.")
@click.option("--no-worker", is_flag=True, help="Leave projections and rebuilds to a `stet worker` elsewhere.")
def serve(host: str, port: int, keyless: bool, reference: bool, no_worker: bool) -> None:
    """Serve the API. Migrates the database first.

    Its first start prints a key of the owner, once; unless STET_OWNER_KEY is one.
    """
    from stet.cli.serve import serve_here
    from stet.http.guard import is_loopback

    settings = settings_or_exit()
    if keyless and not is_loopback(host):
        raise click.UsageError(
            f"{host} can be reached from other machines, and with --open whoever reaches it may write. "
            "Use a loopback address, or leave --open away."
        )
    if keyless and settings.owner_key:
        raise click.UsageError("--open asks nobody for a key, and STET_OWNER_KEY is one: leave one of them away")
    run(lambda: serve_here(settings, host, port, reference, keyless, worker=not no_worker))


@main.command()
def worker() -> None:
    """Keep the asynchronous projections up with the log, and run rebuilds, until stopped. Migrates the database first.

    Any number may run beside any number of `stet serve --no-worker`: of all, one leads each projection.
    """
    from stet.cli.worker import work_here

    settings = settings_or_exit()
    run(lambda: work_here(settings))


@main.command()
@click.option("--sql", is_flag=True, help="Only print the SQL of all migrations.")
def migrate(sql: bool) -> None:
    """Bring the database to the schema of this release."""
    from stet.cli.database import migrate_here

    if sql:
        from stet.database.migrate import migration_sql

        click.echo(migration_sql())
        return
    settings = settings_or_exit()
    run(lambda: migrate_here(settings))


@main.command()
@click.option("--url", help="A running service; absent: one is started.")
@KEY_OPTION
@click.option("--ledger", default=None, help="The name of the ledger to make; default: one that is not taken.")
def demo(url: str | None, key: str | None, ledger: str | None) -> None:
    """Record the reference article through the API, read it back, and check what it must say.

    Without --url a service is started: on STET_DATABASE_URL, or else on an empty data folder that is gone afterwards.
    Exit code 1 if a check fails.
    """
    from stet.cli.demo import run_demo

    settings = settings_or_exit()
    run(lambda: run_demo(settings, remote_of(url, key), ledger))


@main.command()
@click.option("--ledger", required=True, help="The ledger's name.")
@click.option("--incident", help="Only this incident, by its id.")
@click.option("--as-of", help="An instant, a date or position:N; default: the head.")
@click.option("--said-by", help="Only what had been said by this instant or date, as we know by now.")
@click.option(
    "--said-match",
    type=click.Choice(["definite", "possible"]),
    default="definite",
    show_default=True,
    help="With --said-by: said by then for certain, or possibly.",
)
@click.option("--events", is_flag=True, help="Print the events, one a line, before the view that they lead to.")
def replay(
    ledger: str, incident: str | None, as_of: str | None, said_by: str | None, said_match: SaidMatch, events: bool
) -> None:
    """Fold the log anew, as of any moment, and print each incident's view as one JSON line.

    The digest of all of them goes to stderr: the same log and cut give the same digest, always.
    """
    from stet.cli.replay import replay_here

    settings = settings_or_exit()
    run(lambda: replay_here(settings, ledger, incident, as_of, said_by, said_match, events))


@main.command()
@click.option("--ledger", help="Only this ledger, by its name.")
@click.option(
    "--checkpoint",
    "checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A signed note that was saved: the log must begin with what it was signed of. Repeatable.",
)
@click.option("--key", "keys", multiple=True, help="Who may have signed: a vkey, or a file of them. Repeatable.")
@click.option(
    "--offline",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Check this exported log, or saved answer, without a server; with --key.",
)
def verify(ledger: str | None, checkpoints: tuple[Path, ...], keys: tuple[str, ...], offline: Path | None) -> None:
    """Check the log: positions, versions, clocks, digests, leaves, references, its tree, what was signed of it; and
    that the projections are what it gives.

    Names the first fault of each ledger's log, or the first rows that differ. Exit code 1 if there is one.
    """
    if offline:
        if ledger or not keys:
            raise click.UsageError("--offline goes with --key, and without --ledger: no server is asked")
        sys.exit(run_offline(offline, checkpoints, keys))
    from stet.cli.database import verify_here

    settings = settings_or_exit()
    run(lambda: verify_here(settings, ledger, checkpoints, keys))


_URL = click.option("--url", help="A running service; absent: the database itself.")


@main.command()
@_URL
@KEY_OPTION
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
def projections(url: str | None, key: str | None, as_json: bool) -> None:
    """Show how the projections are: their states, how far behind the log, what is parked, what is rebuilt.

    Exit code 1 if streams are parked, or nobody keeps one up with the log.
    """
    from stet.cli.projections import projections_here

    settings = settings_or_exit()
    run(lambda: projections_here(settings, remote_of(url, key), as_json))


@main.command()
@click.argument("name")
@_URL
@KEY_OPTION
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes that fold the log."
)
@click.option("--verify-only", is_flag=True, help="Only compare: the live tables stay.")
@click.option("--accept-differences", is_flag=True, help="Switch even if the live rows differ: they were damaged.")
@click.option("--drop-old", is_flag=True, help="Only drop the tables that the last rebuild replaced.")
def rebuild(
    name: str,
    url: str | None,
    key: str | None,
    workers: int,
    verify_only: bool,
    accept_differences: bool,
    drop_old: bool,
) -> None:
    """Build the tables of the projection NAME anew from the log, compare them with the live ones, and switch.

    Others read and write meanwhile. One that was interrupted is gone on with. Exit code 1 if rows differ: they are
    printed, and nothing is switched.
    """
    from stet.cli import projections

    settings = settings_or_exit()
    if drop_old:
        if url or verify_only or accept_differences:
            raise click.UsageError("--drop-old goes with no other option: it works on the database itself")
        run(lambda: projections.drop_old(settings, name))
        return
    from stet.projections.rebuild.job import RebuildRequest

    asked = RebuildRequest(workers=workers, verify_only=verify_only, accept_differences=accept_differences)
    run(lambda: projections.rebuild_here(settings, remote_of(url, key), name, asked))


@main.command()
@click.argument("name")
@_URL
@KEY_OPTION
@click.option("--ledger", help="Only of this ledger.")
@click.option("--stream", help="Only this stream, incident:ID.")
def retry(name: str, url: str | None, key: str | None, ledger: str | None, stream: str | None) -> None:
    """Take the parked streams of the projection NAME again, once what they failed at is mended.

    Exit code 1 if one fails again.
    """
    from stet.cli.projections import retry_here
    from stet.projections.retry import RetryRequest

    settings = settings_or_exit()
    run(lambda: retry_here(settings, remote_of(url, key), name, RetryRequest(ledger=ledger, stream=stream)))


@main.command()
@click.option("--ledger", required=True, help="The ledger's name.")
@_URL
@KEY_OPTION
@click.option("--after", type=click.IntRange(0, 2**62), help="Begin behind this position; default: the end of the log.")
@click.option("--no-follow", is_flag=True, help="End with the log, and do not wait for what comes.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each append.")
def tail(ledger: str, url: str | None, key: str | None, after: int | None, no_follow: bool, as_json: bool) -> None:
    """Print what changes as it changes, append by append."""
    from stet.cli.tail import tail_here

    settings = settings_or_exit()
    run(lambda: tail_here(settings, remote_of(url, key), ledger, after, not no_follow, as_json))


@main.command()
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 if the file is stale.")
@click.option(
    "--output", type=click.Path(dir_okay=False, path_type=Path), default=_CONTRACT, show_default=True, help="The file."
)
def openapi(check: bool, output: Path) -> None:
    """Write the OpenAPI document of the API."""
    from stet.http.app import make_litestar
    from stet.http.openapi import make_contract

    contract = make_contract(make_litestar(Settings()))
    if check:
        fresh = output.is_file() and output.read_bytes() == contract
        stale = "stale" if output.is_file() else "not there"
        say(f"{output} is {'fresh' if fresh else f'{stale}: run `stet openapi`'}")
        sys.exit(0 if fresh else 1)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_bytes(contract)
    say(f"wrote {output}")


main.add_command(import_)
main.add_command(export)
main.add_command(keys)
main.add_command(signing_key)
