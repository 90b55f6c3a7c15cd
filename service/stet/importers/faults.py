"""What is wrong with a mapping that has the right form: what its parts say of one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from collections.abc import Mapping as Known
from typing import TYPE_CHECKING

from stet.errors import FieldError, Malformed
from stet.importers.rules import (
    PLACEHOLDER,
    CertaintyTable,
    ClaimRule,
    CountClaim,
    PlaceClaim,
    TermClaim,
    TimeClaim,
    When,
)
from stet.importers.times import check_format
from stet.ledger.attributes import BUILT_IN, rule_fits
from stet.ledger.commands import DefineAttribute
from stet.values.time import read_zone

if TYPE_CHECKING:
    from stet.importers.mapping import Mapping


def faults(mapping: Mapping) -> list[FieldError]:
    """Every fault, by the key of the TOML that it is at."""
    return [FieldError(field, detail) for field, detail in _faults(mapping)]


def _faults(mapping: Mapping) -> Iterator[tuple[str, str]]:
    yield from _attributes(mapping.attributes)
    known = {name: (a.type_, a.terms) for name, a in BUILT_IN.items()}
    known |= {a.name: (a.type_, a.terms) for a in mapping.attributes if a.name not in BUILT_IN}
    for index, rule in enumerate(mapping.claims):
        at = f"claims[{index}]"
        yield from _attribute(rule, known, at)
        yield from _rule(rule, at)
    if mapping.said_at:
        yield from _when(mapping.said_at, "said_at")
    if "{" in PLACEHOLDER.sub("", mapping.title) or "}" in PLACEHOLDER.sub("", mapping.title):
        yield "title", "has a brace that is not of the form {column} or {column|otherwise}"
    yield from _columns(mapping)
    form = mapping.file
    if form.thousands and (form.thousands == form.decimal or form.thousands.isalnum() or form.thousands in "+-"):
        yield "file.thousands", "must be neither the decimal mark, nor a letter, a digit or a sign"
    if form.delimiter in '"\r\n\0' or not form.delimiter.isascii():
        yield "file.delimiter", "must be an ASCII character, and neither a quotation mark nor a line break"


def _attributes(attributes: tuple[DefineAttribute, ...]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, attribute in enumerate(attributes):
        at = f"attributes[{index}]"
        if attribute.name in BUILT_IN:
            yield f"{at}.name", f"{attribute.name} is built in: leave this table out"
        if attribute.name in seen:
            yield f"{at}.name", f"{attribute.name} is defined twice"
        seen.add(attribute.name)
        if not rule_fits(attribute.type_, attribute.rule):
            yield f"{at}.rule", f"{attribute.rule} does not resolve values of type {attribute.type_}"
        if attribute.terms and attribute.type_ != "term":
            yield f"{at}.terms", "are the vocabulary of an attribute of type term"
        if len(set(attribute.terms)) != len(attribute.terms):
            yield f"{at}.terms", "must differ from one another"


def _attribute(rule: ClaimRule, known: Known[str, tuple[str, tuple[str, ...]]], at: str) -> Iterator[tuple[str, str]]:
    type_ = str(type(rule).__struct_config__.tag)
    if rule.attribute not in known:
        yield f"{at}.attribute", f"{rule.attribute} is neither built in nor defined under [[attributes]]"
        return
    expected, terms = known[rule.attribute]
    if type_ != expected:
        yield f"{at}.type", f"is {type_}, but {rule.attribute} is of type {expected}"
    if isinstance(rule, TermClaim) and terms:
        if rule.unknown == "keep" or not rule.codes:
            yield f"{at}.codes", f"must translate every code: {rule.attribute} has the terms {', '.join(terms)}"
        for code, term in rule.codes.items():
            if term not in terms:
                yield f"{at}.codes.{code}", f"{term} is not among the terms of {rule.attribute}: {', '.join(terms)}"


def _rule(rule: ClaimRule, at: str) -> Iterator[tuple[str, str]]:
    if isinstance(rule.certainty, CertaintyTable) and not rule.certainty.codes:
        yield f"{at}.certainty.codes", "is empty"
    match rule:
        case CountClaim(column=column, low=low, best=best, high=high):
            if bool(column) == bool(low or best or high):
                yield at, "must have either column, or some of low, best and high"
        case TimeClaim():
            yield from _when(rule, at)
        case PlaceClaim(latitude=latitude, longitude=longitude, names=names):
            if bool(latitude) != bool(longitude):
                yield at, "must have both of latitude and longitude, or neither"
            elif not latitude and not names:
                yield at, "must have latitude and longitude, or names"
        case _:
            pass


def _when(when: When | TimeClaim, at: str) -> Iterator[tuple[str, str]]:
    for index, name in enumerate(when.formats):
        if wrong := check_format(name):
            yield f"{at}.formats[{index}]", wrong
    try:
        read_zone(when.zone, f"{at}.zone")
    except Malformed as error:
        yield error.errors[0].field, error.errors[0].detail


def _columns(mapping: Mapping) -> Iterator[tuple[str, str]]:
    for column in dict.fromkeys(mapping.ignored):
        if column in mapping.columns():
            yield "ignored", f"{column} is read by the mapping"
    for column in mapping.key:
        if column in mapping.optional:
            yield "optional", f"{column} is of the key"
    counts: set[int] = set()
    for index, header in enumerate(mapping.headers):
        at = f"headers[{index}].columns"
        if twice := [column for column, count in Counter(header.columns).items() if count > 1]:
            yield at, f"names {', '.join(twice)} more than once"
        if len(header.columns) in counts:
            yield at, f"there are two headers of {len(header.columns)} columns"
        counts.add(len(header.columns))
        if lacking := mapping.missing(header.columns):
            yield at, f"lacks {', '.join(lacking)}"
