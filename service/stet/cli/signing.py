"""`stet signing-key`: the keys that sign checkpoints."""

from __future__ import annotations

import click
import psycopg

from stet.cli.database import database
from stet.cli.terminal import run, say, settings_or_exit
from stet.database.pool import as_role
from stet.errors import NotFound, Unavailable
from stet.settings import Settings


@click.command(name="signing-key")
@click.option("--ledger", help="Only as it signs the checkpoints of this ledger, by its name.")
@click.option("--rotate", is_flag=True, help="Make the next key: from here on each note is signed by both.")
@click.option("--retire", is_flag=True, help="End all keys but the newest, also one that is lost.")
def signing_key(ledger: str | None, rotate: bool, retire: bool) -> None:
    """Show the public keys that sign checkpoints, as vkeys of each ledger: give them to whoever is to check.

    Each line is a ledger, a vkey, and whether it signs, or is retired. No private key is shown.
    """
    if rotate and retire:
        raise click.UsageError("--rotate makes a key, and --retire ends the one before it, once the new one is known")
    settings = settings_or_exit()
    run(lambda: signing_key_here(settings, ledger, rotate=rotate, retire=retire))


def signing_key_here(settings: Settings, ledger: str | None, *, rotate: bool, retire: bool) -> int:
    """Prints the keys, after they were rotated or retired. Raises NotFound, and Unavailable for keys out of reach."""
    from stet.proofs import keys

    with database(settings, create=False) as url:
        try:
            with psycopg.connect(url) as connection:
                as_role(connection, "stet_worker")
                if rotate:
                    keys.rotate(settings)
                    say("the next key is made: notes are signed by it, too")
                if retire:
                    keys.retire(connection, settings)
                    say("only the newest key signs")
                keys.agreed_keys(connection, settings)
                known = keys.read_keys(connection)
                rows = connection.execute("SELECT ledger_id, name FROM stet.ledger ORDER BY name").fetchall()
        except psycopg.OperationalError as error:
            raise Unavailable(f"the database went away: {str(error).partition(chr(10))[0]}") from error
    if ledger is not None and ledger not in [name for _, name in rows]:
        raise NotFound(f"there is no ledger {ledger}")
    for ledger_id, name in rows:
        if ledger in (None, name):
            for public, signs in known.items():
                print(f"{name} {keys.vkey(ledger_id, public)} {'signs' if signs else 'retired'}")
    return 0
