"""What is asked about keys and members, and what the API shows of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Raw, Struct

from stet.keys.roles import MemberRole, Role
from stet.values.text import Line
from stet.values.time import Instant

Action = Literal[
    "key-created",
    "key-rotated",
    "key-revoked",
    "member-set",
    "member-removed",
    "webhook-created",
    "webhook-revised",
    "webhook-deleted",
    "webhook-secret-added",
    "webhook-replayed",
    "webhook-tested",
]
Overlap = Annotated[int, Meta(ge=0, le=2_592_000)]


class CreateKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key for a person or a program."""

    name: Line
    """For those who read the list of keys."""
    scope: Role
    """The highest role that the key may use, whatever it is a member as. `owner` is so in every ledger."""
    expires_at: Instant | None = None
    """When it ends by itself; null: never."""


class RotateKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another text for a key, which stays the same actor."""

    overlap_s: Overlap = 86_400
    """For how many seconds the text before is still taken, 30 days at most; 0: it ends at once."""


class SetMember(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key may do in this ledger."""

    role: MemberRole


class KeyView(Struct, frozen=True, kw_only=True):
    """A key, without what it is proved by."""

    key_id: str
    """The actor of every event that it leads to."""
    name: str
    scope: Role
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """To the minute."""
    revoked_at: datetime | None
    texts: int
    """How many are taken: two while a rotation overlaps."""


class MadeKey(KeyView, frozen=True, kw_only=True):
    """A key, and the one time that its text is shown."""

    key: str


class Keys(Struct, frozen=True):
    """Keys, by their ids."""

    items: list[KeyView]
    next_cursor: str | None


class MemberView(Struct, frozen=True, kw_only=True):
    """A key in a ledger. What it may do there is the lesser of its role and the scope of the key."""

    key_id: str
    name: str
    role: MemberRole
    scope: Role


class Members(Struct, frozen=True):
    """The members of a ledger, by the ids of their keys."""

    items: list[MemberView]
    next_cursor: str | None


class AuditEntry(Struct, frozen=True, kw_only=True):
    """What was done to a key or a member."""

    position: int
    at: datetime
    actor: str
    ledger_id: UUID | None
    """Of which ledger it is a member; null for what was done to a key."""
    action: Action
    subject: str
    """The id of the key, or of the webhook."""
    detail: Raw
    """By the action: the scope and the end of a key, the overlap of a rotation, the role before and after;
    of a webhook what was asked for. The secret of neither."""


class Audit(Struct, frozen=True):
    """Entries of the audit, in order."""

    items: list[AuditEntry]
    next_after: int | None
    """`after` of the next page; null: this is the last."""
