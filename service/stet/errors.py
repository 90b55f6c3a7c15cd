"""What can go wrong, in the words of the domain. Nothing here knows HTTP; `stet.http.problems` maps each to an answer.

`code` is stable: clients match on it. `str(error)` is public text; whatever only the operator may see stays in
the exception's cause.
"""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

import msgspec


class FieldError(msgspec.Struct, frozen=True):
    """One bad field: its path in the request (`claims[3].value.min`, `query.as_of`) and what is wrong with it."""

    field: str
    detail: str


class StetError(Exception):
    """The root of every error of ours."""

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors


class Malformed(StetError):
    """The request is not of the form that the contract gives: a wrong type, an unknown field, a bad value."""

    code = "malformed"

    @classmethod
    def at(cls, field: str, detail: str) -> Malformed:
        return cls(f"{field}: {detail}", (FieldError(field, detail),))


class NotFound(StetError):
    """There is no such thing at this cut."""

    code = "not-found"


class Unauthenticated(StetError):
    """Who asks has not proved who he is: no key, or none that is good."""

    code = "unauthenticated"


class Forbidden(StetError):
    """Who asks may not do this. Says what he would have to be."""

    code = "forbidden"


class RateLimited(StetError):
    """Who asks has asked too often."""

    code = "rate-limited"

    def __init__(self, message: str, retry_after_s: int) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Refused(StetError):
    """Well formed, but the domain's rules say no."""

    code = "refused"

    @classmethod
    def at(cls, field: str, detail: str) -> Refused:
        return cls(f"{field}: {detail}", (FieldError(field, detail),))


class NameTaken(Refused):
    """The name, or the client's own identifier, belongs to something else already."""

    code = "name-taken"


class UnknownReference(Refused):
    """The request names a source, document, version, statement, attribute or incident that does not exist."""

    code = "unknown-reference"


class Running(Refused):
    """A rebuild of this projection has not ended."""

    code = "rebuild-running"


class OtherRules(Refused):
    """The release was made by another version of the rules of resolution than this service has."""

    code = "other-rules"


class Cycle(Refused):
    """The change would make something its own ancestor or its own anchor."""

    code = "cycle"


class Merged(Refused):
    """The incident was merged into another one: what is asked of it is to be asked of that one."""

    code = "merged"

    def __init__(self, message: str, errors: tuple[FieldError, ...], incident_id: UUID, survivor: UUID) -> None:
        super().__init__(message, errors)
        self.incident_id = incident_id
        self.survivor = survivor

    @classmethod
    def into(cls, incident_id: UUID, survivor: UUID, field: str | None = None) -> Merged:
        """`field` is the one that names the incident; None: the address does."""
        detail = f"incident {incident_id} was merged into {survivor}"
        if field is None:
            return cls(detail, (), incident_id, survivor)
        return cls(f"{field}: {detail}", (FieldError(field, detail),), incident_id, survivor)


class NotAcceptable(StetError):
    """There is no form of the answer that the client takes."""

    code = "not-acceptable"


class Stale(StetError):
    """If-Match named a version that is no longer the last one; the change was not made."""

    code = "stale"


class KeyReused(StetError):
    """The Idempotency-Key was used before for another request."""

    code = "idempotency-key-reused"


class TooLarge(StetError):
    """The request is larger than this service takes."""

    code = "too-large"


class Unavailable(StetError):
    """The database cannot be reached, or did not answer in time. A write may or may not have happened."""

    code = "unavailable"


class NotSigned(StetError):
    """The tree over the log does not reach what is to be proven yet. A worker takes it there, within a second."""

    code = "not-signed"


class CorruptLog(StetError):
    """The stored log contradicts itself. Names the first fault."""

    code = "corrupt-log"
