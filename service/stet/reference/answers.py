"""The answers of the API about the reference incident, each asked for once."""

from __future__ import annotations

from typing import Any

import httpx

from stet.errors import StetError
from stet.reference.load import DESK, Loaded

View = dict[str, Any]


class Answers:
    """Reads under one ledger."""

    def __init__(self, client: httpx.Client, loaded: Loaded) -> None:
        self._client = client
        self._known: dict[tuple[str, tuple[tuple[str, str], ...]], View] = {}
        self.ids = loaded.ids
        self.positions = loaded.positions

    def get(self, path: str, **query: str) -> View:
        """The answer to a read under the ledger. Raises StetError if it is not 200."""
        key = path, tuple(sorted(query.items()))
        if key not in self._known:
            answer = self._client.get(path, params=query)
            if answer.status_code != 200:
                raise StetError(f"GET {path} {query}: {answer.status_code} {answer.text[:300]}")
            self._known[key] = answer.json()
        return self._known[key]

    def after(self, step: str) -> str:
        """The cut right after a step was recorded."""
        return f"position:{self.positions[step]}"

    def incident(self, view: str = "", key: str = "I1", **query: str) -> View:
        """A view of an incident, at the head unless as_of is given."""
        return self.get(f"/incidents/{self.ids[key]}{view}", **query)

    def then(self, view: str = "", key: str = "I1", **query: str) -> View:
        """A view of an incident after the desk's acts, before the later developments."""
        return self.incident(view, key, as_of=self.after(DESK), **query)

    def keys(self, statements: list[View]) -> set[str]:
        """The statements of a list, by their keys."""
        names = {id_: key for key, id_ in self.ids.items()}
        return {names[statement["statement_id"]] for statement in statements}


def attribute(view: View, name: str, of: str | None = None) -> View:
    """A resolved attribute of a view; {} if there is none."""
    return next((one for one in view["attributes"] if (one["attribute"], one["of"]) == (name, of)), {})


def is_(one: View, status: str, value: Any = None, **more: Any) -> bool:
    """Whether a resolved attribute has a status, a value if one is given, and whatever else."""
    wanted = {"status": status} | more | ({} if value is None else {"value": value})
    return all(one.get(name) == expected for name, expected in wanted.items())
