"""The SQL of this service: one statement a file, named after the only function that runs it."""

from __future__ import annotations

from importlib.resources import files
from typing import LiteralString


def load(name: str) -> LiteralString:
    """The statement in NAME.sql. It is part of this package, so it is as literal as the code."""
    return (files(__package__) / f"{name}.sql").read_text(encoding="utf-8")
