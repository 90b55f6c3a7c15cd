"""Constrained strings, as types: what they forbid stands in the contract, too."""

from typing import Annotated
from uuid import UUID

from msgspec import Meta

from stet.errors import Malformed

# `$` alone would let a trailing line feed pass.
Slug = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$(?!\n)",
        max_length=100,
        description="Lower-case words joined by hyphens.",
    ),
]
AttributeName = Annotated[
    str,
    Meta(pattern=r"^[a-z][a-z0-9_]*$(?!\n)", max_length=60, description="A lower-case name with underscores."),
]
Line = Annotated[str, Meta(pattern=r"^[^\n\r]*\S[^\n\r]*$(?!\n)", max_length=500, description="One line, not blank.")]
Prose = Annotated[str, Meta(pattern=r"\S", max_length=20_000, description="Text, not blank.")]
Reason = Annotated[str, Meta(pattern=r"\S", max_length=2_000, description="Why, for the record. Not blank.")]
Url = Annotated[
    str, Meta(pattern=r"^https?://[^\s]+$(?!\n)", max_length=2_000, description="An http or https address.")
]
Language = Annotated[
    str,
    Meta(
        pattern=r"^[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8})*$(?!\n)",
        max_length=35,
        description="A language tag of BCP 47.",
    ),
]
RecordKey = Annotated[
    str,
    Meta(pattern=r"^[^\n\r]+$(?!\n)", max_length=500, description="By what a data set tells its rows apart. One line."),
]
Script = Annotated[str, Meta(pattern=r"^[A-Z][a-z]{3}$(?!\n)", description="A script code of ISO 15924, as Armn.")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="SHA-256, in lower-case hexadecimal.")]
Reference = Annotated[
    str,
    Meta(
        pattern=r"^([a-z0-9]+(-[a-z0-9]+)*|(source|document|statement|incident):"
        r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$(?!\n)",
        max_length=100,
        description="A slug, or source:ID, document:ID, statement:ID.",
    ),
]

Target = Annotated[
    str,
    Meta(
        pattern=r"^(incident|document|statement):[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$(?!\n)",
        description="incident:ID, document:ID or statement:ID.",
    ),
]


def reference_id(reference: str) -> tuple[str, UUID] | None:
    """The kind and id that a Reference names; None for a slug."""
    kind, colon, id_ = reference.partition(":")
    return (kind, UUID(id_)) if colon else None


def require_kind(reference: str | None, kinds: tuple[str, ...], field: str) -> None:
    """Raises Malformed unless the reference is absent, a slug, or names one of `kinds`."""
    named = reference_id(reference) if reference else None
    if named and named[0] not in kinds:
        raise Malformed.at(field, f"must be a slug or one of {', '.join(f'{kind}:ID' for kind in kinds)}")
