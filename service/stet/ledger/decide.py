"""What a command on a ledger leads to."""

from __future__ import annotations

from typing import assert_never

from msgspec import UNSET

from stet.errors import Malformed, NameTaken, NotFound, Refused
from stet.incident.resolve import RESOLUTION
from stet.ledger.attributes import BUILT_IN, rule_fits
from stet.ledger.commands import AmendLedger, CreateLedger, DefineAttribute, LedgerCommand, PublishRelease
from stet.ledger.events import AttributeDefined, LedgerAmended, LedgerCreated, LedgerEvent, ReleasePublished
from stet.ledger.state import Ledger


def decide(command: LedgerCommand, state: Ledger, end: int = 0) -> tuple[LedgerEvent, ...]:
    """The events that the command leads to; () = nothing to do. Raises StetError where the rules say no.

    `end` is the position that a release freezes: that of the command, or where the log ends.
    """
    if not isinstance(command, CreateLedger) and state.version == 0:
        raise NotFound("there is no such ledger")
    match command:
        case CreateLedger(name=name):
            if state.version:
                raise NameTaken.at("name", f"there is a ledger {name} already")
            return (LedgerCreated(name=name, title=command.title, public=command.public, review=command.review),)
        case AmendLedger():
            return _amend(command, state)
        case DefineAttribute():
            return _define(command, state)
        case PublishRelease(name=name, note=note):
            if name in state.releases:
                raise NameTaken.at("name", f"there is a release {name} already, and it is for ever")
            last = next(reversed(state.releases.values()), None)
            if last and end < last.position:
                raise Refused.at("position", f"is {end}, before that of the release {last.name}, {last.position}")
            return (ReleasePublished(name=name, note=note, position=end, resolution=RESOLUTION),)
        case _ as never:
            assert_never(never)


def _amend(command: AmendLedger, state: Ledger) -> tuple[LedgerEvent, ...]:
    given = {name: getattr(command, name) for name in ("title", "public", "review")}
    if all(value is UNSET for value in given.values()):
        raise Malformed.at("title", "give title, public or review: an amendment must change something")
    changed = {name: value for name, value in given.items() if value is not UNSET and value != getattr(state, name)}
    return (LedgerAmended(**changed, reason=command.reason),) if changed else ()


def _define(command: DefineAttribute, state: Ledger) -> tuple[LedgerEvent, ...]:
    if command.name in BUILT_IN:
        raise NameTaken.at("name", f"{command.name} is a built-in attribute")
    if command.name in state.defined:
        raise NameTaken.at(
            "name", f"the ledger has an attribute {command.name} already; define another under another name"
        )
    if not rule_fits(command.type_, command.rule):
        raise Malformed.at("rule", f"{command.rule} does not resolve values of type {command.type_}")
    if command.terms and command.type_ != "term":
        raise Malformed.at("terms", "are the vocabulary of an attribute of type term")
    if len(set(command.terms)) != len(command.terms):
        raise Malformed.at("terms", "must differ from one another")
    return (
        AttributeDefined(
            name=command.name,
            type_=command.type_,
            rule=command.rule,
            description=command.description,
            terms=command.terms,
        ),
    )
