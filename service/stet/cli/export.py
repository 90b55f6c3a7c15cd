"""`stet export csv`, and the other forms: what the service gives as an export, into a file."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import httpx

from stet.cli.database import database
from stet.cli.remote import Remote, problem_of
from stet.cli.terminal import say
from stet.errors import Malformed, Unavailable
from stet.settings import Settings

STDOUT = Path("-")
_TIMEOUT = httpx.Timeout(30, read=120)


class Asked(NamedTuple):
    """What is to be exported, and in which form."""

    form: str
    ledger: str
    parameters: dict[str, str]
    output: Path
    losses: bool
    """Its form has a companion that names what is lost: beside the file, with `.losses` before the extension."""


def parameters_of(as_of: str | None, said_by: str | None, filters: tuple[str, ...]) -> dict[str, str]:
    """The parameters of the request. Raises Malformed for a filter that is not NAME=VALUE, or given twice."""
    found = {name: value for name, value in (("as_of", as_of), ("said_by", said_by)) if value is not None}
    for text in filters:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise Malformed.at("--filter", f"must be NAME=VALUE, such as kind=shootdown, not {text[:50]!r}")
        if name in found:
            raise Malformed.at("--filter", f"gives {name} twice")
        found[name] = value
    return found


def export_here(settings: Settings, remote: Remote | None, asked: Asked) -> int:
    """Writes the export, whole or not at all, and its companion."""
    if asked.form == "parquet" and asked.output == STDOUT and sys.stdout.isatty():
        raise Malformed.at("--output", "is needed: Parquet is nothing for a terminal")
    try:
        if remote:
            asyncio.run(_from_service(remote, asked))
        else:
            with database(settings, create=False) as database_url:
                asyncio.run(_from_database(database_url, settings, asked))
    except httpx.HTTPError as error:
        raise Unavailable(f"the export broke off, and nothing was kept: {error}") from error
    except BrokenPipeError:
        sys.stderr.close()  # whoever read it has seen enough
    except OSError as error:
        raise Unavailable(f"{asked.output} cannot be written: {error.strerror or error}") from error
    return 0


async def _from_service(remote: Remote, asked: Asked) -> None:
    async with httpx.AsyncClient(base_url=remote.url, headers=remote.headers, timeout=_TIMEOUT) as client:
        await _export(client, asked)


async def _from_database(database_url: str, settings: Settings, asked: Asked) -> None:
    from stet.cli.here import service_here

    async with service_here(database_url, settings) as client:
        await _export(client, asked)


async def _export(client: httpx.AsyncClient, asked: Asked) -> None:
    at = await _write(client, asked.form, asked, asked.output)
    if not asked.losses:
        return
    if asked.output == STDOUT:
        say(f"what this form cannot say is in {asked.form}-losses: with --output it is written, too")
        return
    # Of the same cut, whatever was appended meanwhile.
    beside = asked._replace(parameters=asked.parameters | at)
    losses = asked.output.with_name(f"{asked.output.stem}.losses{asked.output.suffix}")
    await _write(client, f"{asked.form}-losses", beside, losses)


async def _write(client: httpx.AsyncClient, form: str, asked: Asked, output: Path) -> dict[str, str]:
    """Writes one file; the parameters of its cut."""
    path = f"/v1/ledgers/{quote(asked.ledger, safe='')}/exports/{form}"
    async with client.stream("GET", path, params=asked.parameters) as answer:
        if answer.status_code != 200:
            await answer.aread()
            raise problem_of(answer)
        with _whole(output) as file:
            show, size = _progress(output), 0
            async for piece in answer.aiter_raw():
                file.write(piece)
                size += len(piece)
                show(size, False)
            file.flush()
        show(size, True)
        permanent = parse_qs(urlsplit(answer.headers.get("content-location", "")).query)
        return {name: permanent[name][0] for name in ("as_of",) if name in permanent}


@contextmanager
def _whole(output: Path) -> Iterator[BinaryIO]:
    """A file that is there when all of it is written, and else is as it was; or stdout."""
    if output == STDOUT:
        yield sys.stdout.buffer
        return
    part = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with part.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def _progress(output: Path) -> Callable[[int, bool], None]:
    """Shows how much was written: a line that is rewritten on a terminal, a plain line every 5 s elsewhere."""
    name = "stdout" if output == STDOUT else str(output)
    terminal = sys.stderr.isatty()
    begun = last = time.monotonic()

    def show(size: int, finished: bool) -> None:
        nonlocal last
        instant = time.monotonic()
        if not finished and instant - last < (0.1 if terminal else 5.0):
            return
        last = instant
        line = f"{name}: {size:,} bytes" + ("" if finished else f", {size / (instant - begun):,.0f} a second")
        print(f"\r{line:60}" if terminal else line, end="" if terminal and not finished else "\n", file=sys.stderr)

    return show
