"""What commands ask of a running service."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import httpx

from stet.errors import Forbidden, Malformed, NotFound, StetError, Unauthenticated, Unavailable
from stet.settings import Settings

KEY_OPTION = click.option(
    "--key", envvar="STET_KEY", help="The key to show to the service of --url; default: the variable STET_KEY."
)
"""For every command that may ask a running service."""


class Remote(NamedTuple):
    """A running service, and the key to ask it with."""

    url: str
    key: str | None

    @property
    def headers(self) -> dict[str, str]:
        """What shows the key. Raises Malformed for a text that cannot be one."""
        if self.key is None:
            return {}
        if not self.key.isascii() or not self.key.isprintable() or " " in self.key:
            raise Malformed.at("--key", "must be visible ASCII characters")
        return {"authorization": f"Bearer {self.key}"}

    def client(self, timeout_s: float | httpx.Timeout, path: str = "") -> httpx.Client:
        """A client that shows the key."""
        return httpx.Client(base_url=f"{self.url}{path}", headers=self.headers, timeout=timeout_s)


def remote_of(url: str | None, key: str | None) -> Remote | None:
    """The service that a command is to ask; None: it works by itself."""
    return Remote(url, key) if url else None


def ask(client: httpx.Client, method: str, path: str, body: Any = None) -> Any:
    """The answer's JSON. Raises what a problem says: Malformed and NotFound by themselves, else StetError."""
    try:
        answer = client.request(method, path, json=body)
    except httpx.HTTPError as error:
        raise Unavailable(f"{client.base_url} cannot be reached: {error}") from error
    if answer.status_code < 400:
        return answer.json()
    raise problem_of(answer)


def problem_of(answer: httpx.Response) -> StetError:
    """The error that a problem tells of; the body must have been read."""
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, LookupError, TypeError):
        detail = f"{answer.request.url} answered {answer.status_code}, and is no service of ours"
    known = {400: Malformed, 401: Unauthenticated, 403: Forbidden, 404: NotFound}
    return known.get(answer.status_code, StetError)(detail)


@contextmanager
def served(settings: Settings, data: Path, *options: str, **environment: str) -> Iterator[Remote]:
    """A `stet serve` of its own, on STET_DATABASE_URL or on this data folder, with a key that nobody else has.

    It ends with the block. Raises StetError with its last words where it does not start.
    """
    command = [sys.executable, "-m", "stet", "serve", "--port", "0", *options]
    key = secrets.token_urlsafe(32)
    with tempfile.TemporaryDirectory(prefix="stet-") as empty, tempfile.TemporaryFile("w+") as output:
        # Beside a database elsewhere the data folder has only a pepper, perhaps of another one: this key needs none.
        folder = Path(empty) if settings.database_url else data
        env = {**os.environ, **environment, "STET_DATA": str(folder), "STET_OWNER_KEY": key}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True, env=env)  # noqa: S603
        try:
            assert process.stdout
            ready = process.stdout.readline().split()
            if ready[:4] != ["Stet", "is", "ready", "at"]:
                process.wait(60)
                output.seek(0)
                raise StetError(f"the service did not start: {output.read()[-2000:].strip()}")
            yield Remote(ready[4].rstrip("/"), key)
        finally:
            process.terminate()
            process.wait(60)
            if process.stdout:
                process.stdout.close()
