"""The built-in attributes, and what any attribute is: a named, typed slot with a resolution rule."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct, field

from stet.values.text import AttributeName, Line, Prose
from stet.values.value import AttributeType

Rule = Literal["range", "intersect", "finest", "admission-first", "majority", "graded", "latest", "all"]

_NEEDS: dict[str, AttributeType] = {"range": "count", "intersect": "time", "finest": "place"}
"""The rules that work on one type of value only."""


class Attribute(Struct, frozen=True, kw_only=True):
    """A slot that claims fill."""

    name: AttributeName
    type_: AttributeType = field(name="type")
    rule: Rule
    description: Prose | None = None
    terms: tuple[Line, ...] = ()
    """The vocabulary of a term; empty: any."""
    built_in: bool = False


def rule_fits(type_: AttributeType, rule: Rule) -> bool:
    """Whether values of the type can be resolved by the rule."""
    return _NEEDS.get(rule, type_) == type_


def _built_in(type_: AttributeType, rule: Rule, *names: str, terms: tuple[str, ...] = ()) -> dict[str, Attribute]:
    return {name: Attribute(name=name, type_=type_, rule=rule, terms=terms, built_in=True) for name in names}


BUILT_IN: dict[str, Attribute] = (
    _built_in("time", "intersect", "occurred_at")
    | _built_in("place", "finest", "place", "engagement_place", "crash_place", "flight_place")
    | _built_in("source", "admission-first", "responsible", "target_operator")
    | _built_in("term", "majority", "intent", terms=("deliberate", "accidental", "negligent", "unknown"))
    | _built_in(
        *(
            "text",
            "majority",
            "responsible_unit",
            "target",
            "weapon",
            "mission",
            "destination",
            "damage",
            "altitude",
        ),
        *("light", "detection", "prior_activity", "alert_state", "target_status", "control", "depicts"),
    )
    | _built_in("text", "all", "cause", "background")
    | _built_in("quantity", "majority", "distance")
    | _built_in("count", "range", "killed", "injured", "missing", "detained")
)
RULES: tuple[Rule, ...] = get_args(Rule)
