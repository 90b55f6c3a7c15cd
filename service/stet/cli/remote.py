"""What commands ask of a running service."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from stet.errors import Malformed, NotFound, StetError, Unavailable


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
    return {400: Malformed, 404: NotFound}.get(answer.status_code, StetError)(detail)


@contextmanager
def served(data: Path, *options: str) -> Iterator[str]:
    """The address of a `stet serve` of its own: on STET_DATABASE_URL, or on this data folder. It ends with the block.

    Raises StetError with its last words where it does not start.
    """
    command = [sys.executable, "-m", "stet", "serve", "--port", "0", *options]
    environment = {**os.environ, "STET_DATA": str(data)}
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=output, text=True, env=environment)  # noqa: S603
        try:
            assert process.stdout
            ready = process.stdout.readline().split()
            if ready[:4] != ["Stet", "is", "ready", "at"]:
                process.wait(60)
                output.seek(0)
                raise StetError(f"the service did not start: {output.read()[-2000:].strip()}")
            yield ready[4].rstrip("/")
        finally:
            process.terminate()
            process.wait(60)
            if process.stdout:
                process.stdout.close()
