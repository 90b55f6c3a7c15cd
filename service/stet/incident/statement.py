"""One utterance as recorded, with all that happened to it. `statement-moved-in` stores it: version with care."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import asdict

from stet.document.events import Basis
from stet.incident.claim import Chain, Citation, Claim, Record, SaidAt
from stet.source.events import Reliability
from stet.values.text import Reason
from stet.values.time import Bounds

RecordError = Literal["transcription", "translation", "normalisation", "attribution", "time", "reference"]
Ground = Annotated[
    Literal["duplicate", "out-of-scope", "fabricated", "legal"],
    Meta(description="Why the desk sets a statement aside."),
]
Credibility = Annotated[
    int, Meta(ge=1, le=6, description="The Admiralty grade of a claim, 1 (confirmed) to 6 (cannot be judged).")
]
Verification = Literal["unverified", "in-progress", "verified", "discounted", "false"]
Interest = Annotated[
    Literal["self-serving", "against-interest"],
    Meta(description="Whether the claim serves its speaker, or costs him."),
]


class Correction(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That, when and why our record of a statement was corrected."""

    position: int
    recorded_at: datetime
    actor: str
    error: RecordError
    reason: str
    causation_id: UUID | None


class Retracts(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What a retraction takes back: a statement, or only some of its claims."""

    statement_id: UUID
    claim_ids: tuple[UUID, ...] = ()
    """Empty: all of them."""


class Supersession(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That a newer statement of the same speaker takes the place of this one."""

    superseded_by: UUID
    position: int
    recorded_at: datetime
    actor: str
    reason: str


class Withdrawal(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That the desk has set the statement aside."""

    ground: Ground
    position: int
    recorded_at: datetime
    actor: str
    reason: str


class Assessment(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What the desk judges of claims. What is absent stays as the assessments before it say; null clears."""

    claim_ids: tuple[UUID, ...] = ()
    """Empty: every claim of the statement."""
    reliability: Reliability | UnsetType | None = UNSET
    credibility: Credibility | UnsetType | None = UNSET
    verification: Verification | UnsetType | None = UNSET
    interest: Interest | UnsetType | None = UNSET
    basis: Basis
    rationale: Reason
    position: int
    recorded_at: datetime
    actor: str


class Assessed(Struct, frozen=True, kw_only=True):
    """What all assessments of a claim come to."""

    reliability: Reliability | None = None
    credibility: Credibility | None = None
    verification: Verification | None = None
    interest: Interest | None = None


UNASSESSED = Assessed()
ASSESSED = Assessed.__struct_fields__


class Proposed(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """When, and by whom, a statement was proposed."""

    position: int
    recorded_at: datetime
    actor: str


class Statement(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One utterance as recorded, with all corrections applied. A retraction is one without claims."""

    statement_id: UUID
    position: int
    """Of the event that recorded it first; it keeps this wherever it is moved."""
    recorded_at: datetime
    incidents: tuple[UUID, ...]
    speaker: UUID
    speaker_unknown: bool = False
    """The speaker was of the kind `unknown` when the statement was recorded."""
    chain: Chain = ()
    channel: str | None = None
    said_at: SaidAt
    verbatim: str | None = None
    language: str | None = None
    citation: Citation | None = None
    record: Record | None = None
    claims: dict[UUID, Claim] = {}
    retracts: Retracts | None = None
    corrections: tuple[Correction, ...] = ()
    superseded: tuple[Supersession, ...] = ()
    withdrawn: Withdrawal | None = None
    assessments: tuple[Assessment, ...] = ()

    @property
    def said(self) -> Bounds:
        """When it was said: at the latest when it was recorded, if nothing else is known."""
        earliest, best, latest = self.said_at.earliest, self.said_at.best, self.said_at.latest
        return Bounds(earliest, latest or max(at for at in (self.recorded_at, best, earliest) if at))

    def assessed(self, claim_id: UUID) -> Assessed:
        """What the assessments of one of the claims come to."""
        if not self.assessments:
            return UNASSESSED
        fields = asdict(UNASSESSED)
        for assessment in self.assessments:
            if not assessment.claim_ids or claim_id in assessment.claim_ids:
                fields |= {name: value for name in ASSESSED if (value := getattr(assessment, name)) is not UNSET}
        return Assessed(**fields)
