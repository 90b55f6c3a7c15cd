"""What the service has acknowledged: every answer to a write, by its key."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import httpx

from tests.faults.processes import Violation


class Request(NamedTuple):
    """A write. Its key is in its body, too, in brackets: so it is found in the log."""

    key: str
    ledger: str
    path: str
    body: dict[str, Any]


class Acknowledged(NamedTuple):
    """A write that was answered."""

    request: Request
    status: int
    location: str
    position: int
    body: bytes

    @property
    def id(self) -> str:
        return self.location.rpartition("/")[2]


class Incident:
    """An incident that was opened here, and what must be seen of it."""

    def __init__(self, ledger: str, opened: Acknowledged) -> None:
        self.ledger = ledger
        self.path = opened.location
        self.id = opened.id
        self.tag = opened.request.body["tags"][0]
        self.position = opened.position
        self.version = 1
        self.statements: list[tuple[str, str]] = []
        """The ids of its statements that were not retracted, and the word by which each is found."""


class Known:
    """All of it, for all threads."""

    def __init__(self) -> None:
        self.writes: dict[str, Acknowledged] = {}
        self.incidents: list[Incident] = []
        self.sources: dict[str, list[tuple[str, str]]] = {}
        """By ledger: id, and the word in its name that finds it."""
        self._lock = threading.Lock()

    def add(self, request: Request, answer: httpx.Response) -> Acknowledged:
        """Notes an answer. One to a request that was answered before must be the same."""
        if answer.status_code != 201:
            raise Violation(f"POST {request.path} {request.body}: {answer.status_code} {answer.text}")
        made = Acknowledged(
            request,
            answer.status_code,
            answer.headers["location"],
            int(answer.headers.get("stet-position", 0)),
            answer.content,
        )
        with self._lock:
            before = self.writes.setdefault(request.key, made)
        if before != made:
            raise Violation(f"{request.key} was answered once {before}, and once {made}")
        return made
