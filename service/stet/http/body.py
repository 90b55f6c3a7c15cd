"""Bodies: from bytes to a typed command, or to a list of everything that is wrong with them."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from msgspec import ValidationError

from stet.errors import Malformed
from stet.values.explain import explain

T = TypeVar("T")
# An escape for U+0000 in a JSON text: \u0000 after an even number of backslashes.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class StetRequest(Request[Any, Any, Any]):
    """A request whose body is decoded straight into the type that its route declares."""

    async def body(self) -> bytes:
        try:
            return await super().body()
        except InternalServerException as error:  # Litestar's word for a client that has gone
            raise Malformed.at("body", "ended before it was whole") from error

    async def json(self) -> Any:
        field = self.route_handler.parsed_data_field
        assert field is not None
        return decode_body(await self.body(), field.annotation)


def decode_body(body: bytes, type_: type[T]) -> T:
    """The body as the type. Raises Malformed naming every bad field.

    Refuses U+0000 and lone surrogates, which PostgreSQL cannot store, and numbers that are none.
    """
    if _NUL.search(body):
        raise Malformed.at("body", "holds U+0000, which text cannot")
    try:
        try:
            return msgspec.json.decode(body, type=type_)
        except ValidationError as error:
            errors = explain(error, body, type_, "")
            raise Malformed("; ".join(f"{e.field}: {e.detail}" for e in errors), tuple(errors)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed.at("body", f"is not JSON in UTF-8: {_public(error)}") from error
    except RecursionError as error:
        raise Malformed.at("body", "is nested too deeply") from error


def _public(error: Exception) -> str:
    # msgspec reports a lone surrogate, and nothing but that, as truncated input when there is more to come.
    return "a byte that is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
