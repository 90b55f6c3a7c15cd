"""Writes to a ledger's own stream, to sources and to documents."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID

from stet.document import decide as document_decide
from stet.document import state as document_state
from stet.document.commands import ChangeDocumentVisibility, DocumentCommand, RegisterDocument
from stet.document.events import DocumentCorrected
from stet.errors import NotFound, UnknownReference
from stet.handle import Decision, Reader, as_recorded, to_events
from stet.handle.fan_out import fan_out
from stet.handle.same_source import above, survivors
from stet.ledger import decide as ledger_decide
from stet.ledger import state as ledger_state
from stet.ledger.commands import LedgerCommand, PublishRelease
from stet.source import decide as source_decide
from stet.source import state as source_state
from stet.source.commands import RegisterSource, ReviseSource
from stet.source.merge import refuse_merged
from stet.values.visibility import refuse_past

Decide = Callable[[Reader], Awaitable[Decision]]


def change_ledger(command: LedgerCommand, ledger_id: UUID, location: str) -> Decide:
    """Creates or amends a ledger, defines an attribute of it, or publishes a release."""

    async def decide(reader: Reader) -> Decision:
        stream = f"ledger:{ledger_id}"
        state = ledger_state.fold(await reader.stream(stream))
        end = await _frozen(reader, command) if isinstance(command, PublishRelease) else 0
        return Decision(location, to_events(stream, ledger_decide.decide(command, state, end)))

    return decide


async def _frozen(reader: Reader, command: PublishRelease) -> int:
    """The position that a release freezes."""
    try:
        return await reader.end(command.position)
    except NotFound as error:
        raise UnknownReference.at("position", str(error)) from error


def change_source(command: RegisterSource | ReviseSource, source_id: UUID, location: str) -> Decide:
    """Registers or revises a source."""

    async def decide(reader: Reader) -> Decision:
        stream = f"source:{source_id}"
        state = source_state.fold(await reader.stream(stream))
        ancestors = await above(reader, command.parent or None, "parent")
        return Decision(location, to_events(stream, source_decide.decide(command, state, source_id, ancestors)))

    return decide


def change_document(command: DocumentCommand, document_id: UUID, location: str) -> Decide:
    """Registers or revises a document. What hangs on a corrected publication follows, in the same append."""

    async def decide(reader: Reader) -> Decision:
        stream = f"document:{document_id}"
        if isinstance(command, RegisterDocument):
            refuse_past(command.visibility.embargo_until, datetime.now(UTC), "visibility.embargo_until")
        if isinstance(command, ChangeDocumentVisibility):
            refuse_past(command.embargo_until, datetime.now(UTC), "embargo_until")
        state = document_state.fold(await reader.stream(stream))
        publisher_known = True
        if isinstance(command, RegisterDocument) and command.publisher:
            publisher_known = bool(await reader.stream(f"source:{command.publisher}"))
            into = await survivors(reader, {command.publisher})
            refuse_merged(command.publisher, into.get(command.publisher), "publisher")
        decided = document_decide.decide(command, state, document_id, publisher_known=publisher_known)
        events = to_events(stream, decided)
        after = document_state.fold(as_recorded(stream, decided, state.version), state)
        if state.version and after.published != state.published and isinstance(decided[0], DocumentCorrected):
            events += await fan_out(reader, events[0].event_id, published={document_id: after.published})
        return Decision(location, events)

    return decide
