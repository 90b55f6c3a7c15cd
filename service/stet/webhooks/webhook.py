"""What can be asked of webhooks, and what is shown of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from msgspec import Meta, Struct

from stet.envelope import Audience, Command
from stet.values.text import Line, Reason, Slug, Url
from stet.webhooks.queue import AttemptOutcome

MOST = 100
"""How many webhooks a ledger has at most."""

EventType = Annotated[str, Meta(pattern=r"^[a-z]+(-[a-z]+)*$(?!\n)", max_length=100, description="A type of event.")]
Kinds = Annotated[tuple[Slug, ...], Meta(max_length=100)]
Incidents = Annotated[tuple[UUID, ...], Meta(max_length=1_000)]
Types = Annotated[tuple[EventType, ...], Meta(max_length=100)]


class CreateWebhook(Command, frozen=True, kw_only=True):
    """Where to send what changes, and what of it; an empty filter excludes nothing."""

    url: Url
    """https at port 443, at a public address; others if whoever runs the service allows the host."""
    description: Line | None = None
    kinds: Kinds = ()
    """Only incidents that have, or had, one of these kinds."""
    incidents: Incidents = ()
    """Only these incidents."""
    types: Types = ()
    """Only changes by events of one of these types."""


class PauseWebhook(Command, frozen=True, kw_only=True, tag="webhook-paused", tag_field="type"):
    """Nothing is sent until it is resumed; nothing is forgotten meanwhile."""

    reason: Reason


class ResumeWebhook(Command, frozen=True, kw_only=True, tag="webhook-resumed", tag_field="type"):
    """It goes on where it stood."""

    reason: Reason


class AmendWebhook(Command, frozen=True, kw_only=True, tag="webhook-amended", tag_field="type"):
    """Another address, or other filters, for whatever is behind its position; what is absent stays."""

    url: Url | None = None
    description: Line | None = None
    kinds: Kinds | None = None
    incidents: Incidents | None = None
    types: Types | None = None
    reason: Reason


ReviseWebhook = PauseWebhook | ResumeWebhook | AmendWebhook


class RotateSecret(Command, frozen=True, kw_only=True):
    """A further secret."""

    overlap_s: Annotated[int, Meta(ge=0, le=7 * 86_400)] = 86_400
    """How many seconds messages are signed with those before it, too. 0: not at all, for one that others know."""


class ReplayWebhook(Command, frozen=True, kw_only=True):
    """Send again what is in the log, or leave some of it out."""

    after: Annotated[int, Meta(ge=0, le=2**62)]
    """A position: whatever is behind it is sent. What waits is forgotten, unless it is behind it."""


class PingWebhook(Command, frozen=True, kw_only=True):
    """Send a message that tells of nothing."""


class SecretView(Struct, frozen=True, kw_only=True):
    """A secret, without what is secret of it."""

    created_at: datetime
    expires_at: datetime | None
    """Until when messages are signed with it; null: it is the last one."""


class WebhookView(Struct, frozen=True, kw_only=True):
    """A webhook, and how it is."""

    webhook_id: UUID
    url: str
    description: str | None
    kinds: tuple[str, ...]
    incidents: tuple[UUID, ...]
    types: tuple[str, ...]
    audience: Audience
    """What may be sent: what who made it may see."""
    created_by: str
    created_at: datetime
    state: Literal["active", "paused"]
    paused_at: datetime | None
    paused_reason: str | None
    """Why, as somebody said or as the service found: what failed, and for how long."""
    position: int
    """Everything up to here was sent or waits."""
    head: int
    """Where the log ends."""
    waiting: int
    """How many messages wait, for their first or for another attempt."""
    failing_since: datetime | None
    """When the one was tried first that has failed for the longest time; null: none of those that wait has failed."""
    secrets: tuple[SecretView, ...]
    """Those that messages are signed with, the newest first."""


class WebhookSecret(Struct, frozen=True, kw_only=True):
    """A webhook and a secret that it was given. It is never shown again."""

    webhook: WebhookView
    secret: str


class Webhooks(Struct, frozen=True):
    """The webhooks of a ledger, the oldest first. There are 100 at most."""

    items: list[WebhookView]


class AttemptView(Struct, frozen=True, kw_only=True):
    """An attempt to send a message."""

    attempt_id: UUID
    message_id: str
    """The header webhook-id: the same at every attempt."""
    stream: str
    """What changed, as kind:ID; test:ID of a test."""
    position: int
    """Of the append; 0 of a test."""
    attempt: int
    """1 is the first."""
    tried_at: datetime
    outcome: AttemptOutcome
    """`withheld`: nothing of it may be shown to the webhook's audience any more, and nothing was sent."""
    status: int | None
    """Of the answer; null: there was none."""
    ms: int
    error: str | None
    excerpt: str | None
    """How the answer began that said no, 200 characters at most."""
    next_try_at: datetime | None


class Attempts(Struct, frozen=True, kw_only=True):
    """Attempts, the last first. They are kept for 30 days."""

    items: list[AttemptView]
    next_cursor: str | None


class PingView(Struct, frozen=True, kw_only=True):
    """A test that is on its way: the list of deliveries will have it."""

    message_id: str
