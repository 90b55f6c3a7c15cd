"""Who asks, and what he may see."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stet.envelope import Audience
from stet.http.body import StetRequest

Role = Literal["reader", "contributor", "editor", "admin", "owner"]


class Access(Struct, frozen=True, kw_only=True):
    """Who asks, as far as one ledger, or the whole installation, is concerned."""

    actor: str
    """What an event says of who made it."""
    role: Role
    """The most that he may do in it."""
    audience: Audience
    """Whose view of the ledger he is given."""


EVERYBODY = Access(actor="local", role="owner", audience="member")
"""Whoever can reach the loopback address, where there are no keys."""


def access_of(request: StetRequest) -> Access:
    """Who sent the request."""
    found: Access = request.scope["state"].get("access", EVERYBODY)
    return found
