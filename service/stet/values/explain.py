"""What is wrong with a JSON value that should be of some type: every bad field, in words that say what would do.

The decoder stops at the first fault and speaks of patterns; this is for the person who made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Raw, Struct, ValidationError

from stet.errors import FieldError

_ERRORS_MAX, _NAME_MAX = 50, 100
_PLAIN = {
    "Invalid UUID": "must be an id, a UUID",
    "Invalid RFC3339 encoded datetime": "must be an RFC 3339 instant that exists, such as 2020-11-09T18:30:00+04:00",
    "Expected `datetime` with a timezone component": "must end in an offset or Z, such as 2020-11-09T18:30:00+04:00; "
    "a zone beside it does not supply one",
}


def explain(error: ValidationError, raw: bytes | Raw, type_: Any, path: str) -> list[FieldError]:
    """Every bad field below `path` of the JSON that the decoder refused with `error`; 50 at most, 1 at least."""
    errors: list[FieldError] = []
    with suppress(ValidationError):  # a number that is too large for any type
        _collect(msgspec.json.decode(raw), type_, path, errors)
    return errors[:_ERRORS_MAX] or [_at(error, type_, path)]


def _collect(raw: Any, type_: Any, path: str, errors: list[FieldError]) -> None:
    if len(errors) >= _ERRORS_MAX:
        return
    try:
        msgspec.json.decode(msgspec.json.encode(raw), type=type_)
        return
    except ValidationError as error:
        first = error
    before = len(errors)
    prefix = f"{path}." if path else ""
    parts = list(_parts(type_))
    if isinstance(raw, dict) and (wrong := _wrong_tag(raw, parts)):
        errors.append(FieldError(prefix + wrong.field, wrong.detail))
        return
    for part in parts:
        if isinstance(raw, dict) and _is_struct(part) and _is_meant(part, raw):
            _collect_fields(raw, part, prefix, errors)
        elif isinstance(raw, list) and get_origin(part) is tuple and get_args(part)[1:] == (...,):
            for index, item in enumerate(raw):
                _collect(item, get_args(part)[0], f"{path}[{index}]", errors)
    if len(errors) == before:
        errors.append(_at(first, type_, path))


def _at(error: ValidationError, type_: Any, path: str) -> FieldError:
    """The decoder says: what is wrong - at `$.path.below`."""
    detail, _, at = str(error).partition(" - at `")
    field = (path + at.rstrip("`").removeprefix("$")).lstrip(".") or "body"
    return FieldError(field, _in_words(detail, type_ if not at else None))


def _collect_fields(raw: dict[str, Any], struct: type[Struct], prefix: str, errors: list[FieldError]) -> None:
    hints = get_type_hints(struct, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(struct)}
    unknown = raw.keys() - fields.keys() - {struct.__struct_config__.tag_field}
    errors.extend(
        FieldError(f"{prefix}{name[:_NAME_MAX]}", "is not a field here") for name in sorted(unknown)[:_ERRORS_MAX]
    )
    for name, field in fields.items():
        if name in raw:
            _collect(raw[name], hints[field.name], f"{prefix}{name}", errors)
        elif field.required:
            errors.append(FieldError(f"{prefix}{name}", "is missing"))


def _wrong_tag(raw: dict[str, Any], parts: list[Any]) -> FieldError | None:
    """The tag of a tagged union, where it is missing or unknown."""
    tagged = [part.__struct_config__ for part in parts if _is_struct(part) and part.__struct_config__.tag_field]
    if not tagged or raw.get(tagged[0].tag_field) in [config.tag for config in tagged]:
        return None
    what = "is missing; it is" if tagged[0].tag_field not in raw else "must be"
    return FieldError(tagged[0].tag_field, f"{what} one of {', '.join(str(config.tag) for config in tagged)}")


def _in_words(detail: str, type_: Any) -> str:
    options = [str(option) for part in _parts(type_) if get_origin(part) is Literal for option in get_args(part)]
    if options and detail.startswith("Invalid enum value"):
        return f"must be one of {', '.join(options)}"
    if "matching regex" in detail and (description := _description(type_)):
        return f"is not of the form: {description}"
    return _PLAIN.get(detail, detail)


def _parts(type_: Any) -> Iterator[Any]:
    """The alternatives of a union, without annotations."""
    if get_origin(type_) is Annotated:
        yield from _parts(get_args(type_)[0])
    elif get_origin(type_) in (Union, UnionType):
        for part in get_args(type_):
            yield from _parts(part)
    else:
        yield type_


def _description(type_: Any) -> str | None:
    if get_origin(type_) is Annotated:
        return next((meta.description for meta in get_args(type_)[1:] if isinstance(meta, Meta)), None)
    if get_origin(type_) in (Union, UnionType):
        return next((found for part in get_args(type_) if (found := _description(part))), None)
    return None


def _is_struct(part: Any) -> bool:
    return isinstance(part, type) and issubclass(part, Struct)


def _is_meant(struct: type[Struct], raw: dict[str, Any]) -> bool:
    config = struct.__struct_config__
    return config.tag_field is None or raw.get(config.tag_field, config.tag) == config.tag
