"""Bodies: from bytes to a typed command, or to a list of everything that is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from litestar import Request
from litestar.exceptions import InternalServerException
from msgspec import Struct, ValidationError

from stet.errors import FieldError, Malformed

T = TypeVar("T")
_ERRORS_MAX = 50
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
            errors = _all_errors(body, type_) or [_field_error(error, "")]
            raise Malformed("; ".join(f"{e.field}: {e.detail}" for e in errors), tuple(errors)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed.at("body", f"is not JSON in UTF-8: {_public(error)}") from error
    except RecursionError as error:
        raise Malformed.at("body", "is nested too deeply") from error


def _public(error: Exception) -> str:
    # msgspec reports a lone surrogate, and nothing but that, as truncated input when there is more to come.
    return "a byte that is no UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)


def _all_errors(body: bytes, type_: Any) -> list[FieldError]:
    """Each bad field on its own: the decoder stops at the first."""
    errors: list[FieldError] = []
    _collect(msgspec.json.decode(body), type_, "", errors)
    return errors[:_ERRORS_MAX]


def _collect(raw: Any, type_: Any, path: str, errors: list[FieldError]) -> None:
    if len(errors) >= _ERRORS_MAX:
        return
    try:
        msgspec.json.decode(msgspec.json.encode(raw), type=type_)
        return
    except ValidationError as error:
        first = error
    before = len(errors)
    for part in _parts(type_):
        if isinstance(raw, dict) and isinstance(part, type) and issubclass(part, Struct) and _is_meant(part, raw):
            _collect_fields(raw, part, f"{path}." if path else "", errors)
        elif isinstance(raw, list) and get_origin(part) is tuple and get_args(part)[1:] == (...,):
            for index, item in enumerate(raw):
                _collect(item, get_args(part)[0], f"{path}[{index}]", errors)
    if len(errors) == before:
        errors.append(_field_error(first, path))


def _collect_fields(raw: dict[str, Any], struct: type[Struct], prefix: str, errors: list[FieldError]) -> None:
    hints = get_type_hints(struct, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    unknown = raw.keys() - fields.keys() - {struct.__struct_config__.tag_field}
    errors.extend(FieldError(f"{prefix}{name}", "is not a field here") for name in sorted(unknown))
    for name, field in fields.items():
        if name in raw:
            _collect(raw[name], hints[field.name], f"{prefix}{name}", errors)
        elif field.required:
            errors.append(FieldError(f"{prefix}{name}", "is missing"))


def _parts(type_: Any) -> Iterator[Any]:
    """The alternatives of a union, without annotations."""
    if get_origin(type_) is Annotated:
        yield from _parts(get_args(type_)[0])
    elif get_origin(type_) in (Union, UnionType):
        for part in get_args(type_):
            yield from _parts(part)
    else:
        yield type_


def _is_meant(struct: type[Struct], raw: dict[str, Any]) -> bool:
    config = struct.__struct_config__
    return config.tag_field is None or raw.get(config.tag_field, config.tag) == config.tag


def _field_error(error: ValidationError, path: str) -> FieldError:
    """msgspec says `Expected ... - at `$.a[0].b``; unknown and missing fields stand inside the text."""
    detail, _, at = str(error).partition(" - at `")
    return FieldError((path + at.rstrip("`").removeprefix("$")).lstrip(".") or "body", detail)
