"""The cells of one row as text: a CSV's strings and a JSON's values are read alike."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from stet.importers.mapped import BadCell, shown
from stet.importers.rules import FileForm

CELL_MAX = 1_000_000
"""The most characters of a cell."""
PROSE_MAX, LINE_MAX = 20_000, 500
_DIGITS_MAX = 100
_INT_MAX = 10**_DIGITS_MAX
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


class Cells:
    """One row. What is empty, null or declared as missing is None."""

    def __init__(self, record: dict[str, Any], form: FileForm, missing: frozenset[str]) -> None:
        for column, value in record.items():
            check_cell(column, value)
        self._record = record
        self._form = form
        self._missing = missing

    def get(self, column: str, missing: tuple[str, ...] = ()) -> str | None:
        """The text of a cell, or None. Raises BadCell for one that holds a list or an object."""
        value = self._record.get(column)
        if value is None:
            return None
        text = value if isinstance(value, str) else _text(column, value)
        bare = text.strip()
        return None if not bare or bare in self._missing or bare in missing else text

    def line(self, column: str, missing: tuple[str, ...] = ()) -> str | None:
        """The text of a cell on one line of at most 500 characters."""
        text = self.get(column, missing)
        return None if text is None else one_line(text, column)

    def prose(self, column: str, missing: tuple[str, ...] = ()) -> str | None:
        """The text of a cell as it stands, of at most 20,000 characters."""
        text = self.get(column, missing)
        if text is not None and len(text) > PROSE_MAX:
            raise BadCell(column, f"is longer than {PROSE_MAX:,} characters")
        return text

    def code(self, column: str, missing: tuple[str, ...] = ()) -> str | None:
        """The text of a cell without the blanks around it."""
        text = self.get(column, missing)
        return None if text is None else text.strip()

    def number(self, column: str, missing: tuple[str, ...] = ()) -> Decimal | None:
        """The number of a cell, exactly. Raises BadCell for what is no number, or too large for one."""
        text = self.code(column, missing)
        return None if text is None else _number(text, column, self._form)


def check_cell(column: str, value: Any) -> None:
    """Raises BadCell for what no database of ours can hold: NUL, lone surrogates, more than a million characters."""
    _check_text(column, column, "its name")
    if isinstance(value, str):
        _check_text(value, column, "the cell")
        if len(value) > CELL_MAX:
            raise BadCell(column, f"the cell is longer than {CELL_MAX:,} characters")
    elif isinstance(value, dict | list):
        parts: list[Any] = [value]
        while parts:
            part = parts.pop()
            if isinstance(part, str):
                _check_text(part, column, "the cell")
            elif isinstance(part, dict | list):
                parts.extend(part)
                parts.extend(part.values() if isinstance(part, dict) else ())


def check_key(key: str, column: str) -> str:
    """The key. Raises BadCell for one that is too long, or longer than a line."""
    if len(key) > LINE_MAX or len(key.splitlines()) > 1:
        raise BadCell(column, f"{shown(key)} is no key: it must be one line of at most {LINE_MAX} characters")
    return key


def one_line(text: str, column: str) -> str:
    """The text with every line break, and the blanks around it, as one blank."""
    line = " ".join(part.strip() for part in text.splitlines() if part.strip())
    if len(line) > LINE_MAX:
        raise BadCell(column, f"is longer than {LINE_MAX} characters: {shown(line)}")
    return line


def lookup(codes: Mapping[str, Any], code: str, column: str) -> Any:
    """What the code stands for. Raises BadCell naming the codes that are known."""
    if code not in codes:
        known = ", ".join(list(codes)[:12])
        raise BadCell(column, f"{shown(code)} is not a known code; known: {known}")
    return codes[code]


def exact(text: str) -> Decimal | None:
    """The number that the text is, in the way of programs, such as 1.5 or -2e3; else None."""
    return Decimal(text) if len(text) <= _DIGITS_MAX and _NUMBER.fullmatch(text) else None


def _text(column: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) >= _INT_MAX:
        raise BadCell(column, "is too large a number")
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise BadCell(column, "holds a list or an object, not one value")


def _number(text: str, column: str, form: FileForm) -> Decimal:
    plain = text
    if form.thousands and form.thousands in plain:
        mark = re.escape(form.thousands)
        if not re.fullmatch(rf"[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})+(?![0-9])[^{mark}]*", plain):
            raise BadCell(column, f"{shown(text)} is no number: its thousands are not groups of three digits")
        plain = plain.replace(form.thousands, "")
    if form.decimal != ".":
        if "." in plain:
            raise BadCell(column, f"{shown(text)} is no number: the mapping declares a decimal comma")
        plain = plain.replace(form.decimal, ".")
    number = exact(plain)
    if number is None:
        hint = "; a comma in numbers is declared in [file] of the mapping, by decimal or thousands"
        raise BadCell(column, f"{shown(text)} is no number{hint if ',' in plain else ''}")
    return number


def _check_text(text: str, column: str, what: str) -> None:
    if "\0" in text:
        raise BadCell(shown(column), f"{what} holds a NUL character")
    if text.isascii():
        return
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadCell(shown(column), f"{what} holds a lone surrogate, which is no character") from error
