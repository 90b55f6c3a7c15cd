"""What the API shows of a release."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from stet.envelope import Cut


class Counts(Struct, frozen=True, kw_only=True):
    """How much there is at a release."""

    events: int
    incidents: int
    """Opened, whatever their status."""
    statements: int
    """Recorded, whatever became of them. One about several incidents is one."""
    sources: int
    documents: int


class Differences(Struct, frozen=True, kw_only=True):
    """What the log gained since the release before. Each number is of things, not of events."""

    release: str | None
    """The release before; null: this is the first, and everything counts."""
    events: int
    incidents_opened: int
    incidents_changed: int
    """Of those that the release before had."""
    statements_recorded: int
    statements_corrected: int
    statements_retracted: int
    statements_superseded: int
    statements_withdrawn: int
    statements_reinstated: int
    statements_assessed: int
    sources_registered: int
    documents_registered: int


class ReleaseView(Struct, frozen=True, kw_only=True):
    """A named position of the log. `as_of=release:NAME` reads at it, for ever."""

    name: str
    note: str | None
    position: int
    """The last position of the release."""
    resolution: int
    """The version of the rules that its values were resolved by."""
    published_at: datetime
    published_by: str
    counts: Counts
    since: Differences
    version: int
    """Of the ledger's own stream, right after it was published."""
    cut: Cut
