"""What follows in other streams when something that times hang on is corrected."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from stet.errors import Refused
from stet.handle import Reader, to_events
from stet.incident.known import Known
from stet.incident.rederive import corrections, hangs_on, moved, origins_of, rederive
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.store.append import NewEvent
from stet.values.time import Bounds

_STREAMS = 1_000
_REASON = "what this hangs on was corrected"


async def load_statements(reader: Reader, statement_ids: Iterable[UUID]) -> dict[UUID, Statement]:
    """The statements that exist, from the incidents that hold them."""
    wanted = set(statement_ids)
    if not wanted:
        return {}
    found: dict[UUID, Statement] = {}
    for state in (await reader.states(sorted(await reader.holders(wanted)))).values():
        statements = {} if state.merged_into else state.statements
        found.update({id_: statements[id_] for id_ in wanted if id_ in statements})
    return found


async def load_published(reader: Reader, document_ids: Iterable[UUID]) -> dict[UUID, dict[int, Bounds]]:
    """When each version of each document that exists was published."""
    documents = await reader.states([f"document:{id_}" for id_ in sorted(document_ids)])
    return {UUID(stream[9:]): document.published for stream, document in documents.items() if document.version}


async def fan_out(
    reader: Reader,
    causation_id: UUID,
    *,
    published: Mapping[UUID, dict[int, Bounds]] | None = None,
    said: Mapping[UUID, Bounds] | None = None,
    states: dict[UUID, Incident] | None = None,
) -> list[NewEvent]:
    """The corrections of every statement whose times hang on the given documents or statements, in all incidents.

    `published` and `said` are the corrected times; `states` are incidents that the same append changes already, as
    they will be. One event a statement. Raises Refused where more than 1,000 incidents would get one.
    """
    states = dict(states or {})
    before, in_this_append = dict(states), set(states)
    published, times = dict(published or {}), dict(said or {})
    changed = {*published, *times}
    targets = {f"document:{id_}" for id_ in published} | {f"statement:{id_}" for id_ in times}
    while targets:
        # What the same append adds is not among the dependants that the log knows.
        hanging = {UUID(stream[9:]) for stream in await reader.dependants(sorted(targets))} | in_this_append
        found = await reader.states([f"incident:{id_}" for id_ in sorted(hanging - states.keys())])
        for stream, state in found.items():
            states[UUID(stream[9:])] = before[UUID(stream[9:])] = state
        # What was merged into another incident is corrected there.
        hanging = {id_ for id_ in hanging if not states[id_].merged_into}
        known = await _known(reader, [states[id_] for id_ in hanging], changed, published, times)
        now_moved: dict[UUID, Bounds] = {}
        for id_ in hanging:
            after = rederive(states[id_], changed, known)
            now_moved |= moved(states[id_], after)
            states[id_] = after
        times |= now_moved
        changed, targets = set(now_moved), {f"statement:{id_}" for id_ in now_moved}
    made = {id_: corrections(before[id_], states[id_], _REASON) for id_ in sorted(states)}
    if (reached := sum(map(bool, made.values()))) > _STREAMS:
        raise Refused(f"{reached} incidents hang on this; one append reaches {_STREAMS} at most")
    return [event for id_, its in made.items() for event in to_events(f"incident:{id_}", its, causation_id)]


async def _known(
    reader: Reader,
    states: list[Incident],
    changed: set[UUID],
    published: dict[UUID, dict[int, Bounds]],
    times: dict[UUID, Bounds],
) -> Known:
    """Everything that the statements which are to be derived again hang on, corrected where it is corrected."""
    documents: set[UUID] = set()
    statements: set[UUID] = set()
    for state in states:
        # Within an incident one correction may move the next statement, so all of its origins are loaded.
        if any(hangs_on(statement, changed) for statement in state.statements.values()):
            for statement in state.statements.values():
                its_documents, its_statements = origins_of(statement)
                documents |= its_documents
                statements |= its_statements
    here = {id_: statement.said for state in states for id_, statement in state.statements.items()}
    elsewhere = await load_statements(reader, statements - here.keys() - times.keys())
    return Known(
        published=await load_published(reader, documents - published.keys()) | published,
        said={id_: statement.said for id_, statement in elsewhere.items()} | here | times,
    )
