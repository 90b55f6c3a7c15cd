"""What the desk does after the article is recorded: dates, assessments, grades. In the order of the desk's acts."""

from __future__ import annotations

from typing import Any

Body = dict[str, Any]

SELF_SERVING = ("altitude", "light", "detection", "prior_activity", "alert_state")
"""What AZMFA says of the circumstances serves AZMFA."""


_VIDEO = (
    "nobody has placed or dated the video; that it circulated before the Russian ministry spoke is only suggested by "
    "the tense"
)


def _assessed(statement: str, rationale: str, *claims: str, **judged: Any) -> Body:
    """An assessment of a statement, or of its claims on some attributes: `{s1.altitude}` stands for a claim's id."""
    body: Body = {"type": "statement-assessed", "statement_id": f"{{{statement}}}"}
    if claims:
        body["claim_ids"] = [f"{{{statement}.{attribute}}}" for attribute in claims]
    return body | judged | {"basis": "deduced", "rationale": rationale}


ASSESSMENTS: tuple[tuple[str, Body], ...] = (
    ("s7 unverified", _assessed("s7", _VIDEO, "depicts", verification="unverified")),
    ("s8 unverified", _assessed("s8", "nobody has placed or dated the footage", "depicts", verification="unverified")),
    (
        "s1 graded",
        _assessed("s1", "a ministry on the conduct of its own forces", reliability="A", credibility=2),
    ),
    (
        "s1 against its interest",
        _assessed("s1", "nobody gains by admitting it", "responsible", interest="against-interest"),
    ),
    (
        "s1 self-serving",
        _assessed("s1", "each of these excuses the crew", *SELF_SERVING, interest="self-serving"),
    ),
    (
        "s2 graded",
        _assessed("s2", "a ministry on its own losses", reliability="B", credibility=2),
    ),
)
