"""The roles, and which of two is the higher."""

from __future__ import annotations

from typing import Literal, get_args

MemberRole = Literal["reader", "contributor", "editor", "admin"]
"""What a member of a ledger may do there."""
Role = Literal["reader", "contributor", "editor", "admin", "owner"]
"""What a key may do at most. The owner of the installation has this role in every ledger."""
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may what those before it may."""


def reaches(role: Role | None, least: Role) -> bool:
    """Whether the role is that one, or a higher one."""
    return role is not None and ROLES.index(role) >= ROLES.index(least)


def lesser(one: Role, other: Role) -> Role:
    """The lower of two roles."""
    return min(one, other, key=ROLES.index)
