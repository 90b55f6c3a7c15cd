"""Hypothesis strategies: values, commands, and whole histories of a ledger held in plain dicts.

A history runs through the service's own write path (`stet.handle`: fold, decide, fan-out), with the two queries that
it asks of a database answered from dicts. Ids and the clock are counters, so that an example is always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from functools import cache
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import strategies as st
from msgspec import UNSET, Raw, Struct

from stet import codec
from stet.codec import TYPES
from stet.document import state as document_state
from stet.document.commands import (
    CaptureDocument,
    ChangeDocumentVisibility,
    CorrectDocument,
    PublishedAtInput,
    RegisterDocument,
    ReviseDocument,
    VersionInput,
)
from stet.document.state import Document
from stet.envelope import Cut, Recorded
from stet.errors import NotFound, StetError
from stet.handle import Decision, Reader, carry_out
from stet.handle.incident import open_incident, record_statement
from stet.handle.ledger import change_document, change_ledger, change_source
from stet.handle.revision import revise_incident
from stet.handle.source_merge import merge_source
from stet.incident import state as incident_state
from stet.incident.claim import RESOLVING, Act, Citation, Hop, Record
from stet.incident.commands import (
    AcceptStatement,
    AmendIncident,
    AssessStatement,
    ChangeStatus,
    ChangeVisibility,
    ClaimInput,
    CorrectStatement,
    LinkIncident,
    MergeIncident,
    MoveStatement,
    OpenIncident,
    PinAttribute,
    RecordStatement,
    ReinstateStatement,
    RejectStatement,
    RetractStatement,
    RevertMerge,
    StatementFieldsInput,
    SupersedeStatement,
    UnlinkIncident,
    UnpinAttribute,
    WithdrawStatement,
)
from stet.incident.events import StatementRecorded, StatementRetracted
from stet.incident.known import Known, references
from stet.incident.state import Incident
from stet.incident.statement import Statement
from stet.ledger import state as ledger_state
from stet.ledger.attributes import BUILT_IN
from stet.ledger.commands import AmendLedger, CreateLedger, DefineAttribute, PublishRelease
from stet.source import state as source_state
from stet.source.commands import MergeSource, RegisterSource, ReviseSource
from stet.source.events import Alias
from stet.store.append import NewEvent
from stet.store.read import Role
from stet.values.place import LineString, Place, Point, Polygon
from stet.values.time import Anchor, Bounds, Time, TimeInput
from stet.values.value import AttributeType, Count, DocumentValue, Quantity, SourceValue
from stet.values.visibility import UNRESTRICTED, Visibility

LEDGER = UUID(int=0x01900000_0000_7000_8000_000000000000)
DAWN = datetime(2020, 11, 9, 6, 0, tzinfo=UTC)
"""When the first append of every history enters the log; the others follow 40 minutes apart."""
_LATE = datetime(9000, 1, 1, tzinfo=UTC)

Decide = Callable[[Reader], Any]
Draw = Callable[[st.SearchStrategy[Any]], Any]


def uuid(n: int) -> UUID:
    """The nth id of a test: a UUIDv7 in form, readable in its last digits."""
    return UUID(int=LEDGER.int + n)


def json(value: object) -> Raw:
    """A value as the client would send it."""
    return Raw(msgspec.json.encode(value))


booleans = st.booleans()


@cache
def _indices(n: int) -> st.SearchStrategy[int]:
    return st.integers(0, n - 1)


def pick(draw: Draw, *options: Any) -> Any:
    """One of the options. Much cheaper than a new sampled_from for every draw."""
    return options[draw(_indices(len(options)))]


def some(draw: Draw, strategy: st.SearchStrategy[Any], *others: Any) -> Any:
    """What the strategy gives, or one of the others (default: None)."""
    at = draw(_indices(2 + len(others[1:])))
    return draw(strategy) if at == 0 else (others or (None,))[at - 1]


# ---- values ----

names = st.sampled_from(["Mi-24", "Ереван", "Ագարակ", "Şuşa", 'the "border"', "a\\b", "x" * 60])
slugs = st.sampled_from(["shootdown", "capture", "mi-24", "a", "2020"])
reasons = st.sampled_from(["typing error", "told by the ministry", "überprüft\nzweimal"])
zones = st.sampled_from([None, "+04:00", "-03:30", "Asia/Yerevan", "America/New_York"])
_near = st.datetimes(datetime.fromisoformat("2020-11-06"), datetime.fromisoformat("2020-11-12"))
_any = st.datetimes(datetime.fromisoformat("0001-01-02"), datetime.fromisoformat("9998-12-30"))
offsets = st.sampled_from([UTC, UTC, timezone(timedelta(hours=4)), timezone(-timedelta(hours=3, minutes=30))])


@st.composite
def instants(draw: Draw) -> datetime:
    """An instant: mostly about 9 November 2020, so that instants meet; now and then any."""
    days = pick(draw, _near, _near, _near, _near, _any)
    return draw(days).replace(tzinfo=draw(offsets))


@st.composite
def edtf(draw: Draw) -> str:
    """An EDTF string with known bounds."""
    day = draw(_near).date()
    part = st.sampled_from([f"{day}", f"{day:%Y-%m}", f"{day:%Y}", "201X", "2020-24", f"{day}~", f"{day:%Y-%m}?"])
    return draw(
        st.one_of(
            part,
            st.builds("{}/..".format, part),
            st.builds("../{}".format, part),
            st.just(f"{day}T14:30:00Z"),
            st.just(f"{day}T14:30:00.000001+04:00/"),
        )
    )


@st.composite
def stated_times(draw: Draw) -> Time:
    """A time that hangs on nothing."""
    known = sorted(draw(st.lists(instants(), max_size=3)))
    names_ = draw(st.permutations(["earliest", "best", "latest"]))[: len(known)]
    given = dict(zip(sorted(names_, key=["earliest", "best", "latest"].index), known, strict=True))
    verbatim = pick(draw, None, "about half past six") if known else "some time ago"
    return Time(**given, approximate=draw(booleans), zone=draw(zones), verbatim=verbatim)


Anchors = Collection[tuple[UUID, int | None]]
"""What a time can hang on: documents, each with a version, and statements, each with None."""


@st.composite
def times(draw: Draw, anchors: Anchors = ()) -> TimeInput:
    """A time in any of its forms."""
    return a_time(draw, anchors)


def a_time(draw: Draw, anchors: Anchors = ()) -> TimeInput:
    """A time in any of its forms, drawn; hung, as often as not, where there is something to hang it on."""
    if anchors and draw(booleans):
        statements_ = [anchor for anchor in anchors if anchor[1] is None]
        return _hung_time(draw, statements_ if statements_ and draw(booleans) else anchors)
    return draw(pick(draw, _stated, _stated, _edtf))


def _hung_time(draw: Draw, anchors: Anchors) -> Time:
    id_, version = pick(draw, *sorted(anchors, key=str))
    relation = pick(draw, "same-day", "before", "after")
    clock = pick(draw, None, "18:30", "00:00", "23:59") if relation == "same-day" else None
    named = {"statement_id": id_} if version is None else {"document_id": id_, "version": version}
    return Time(
        anchor=Anchor(relation=relation, time_of_day=clock, **named),
        approximate=draw(booleans),
        zone=draw(zones),
        verbatim=pick(draw, None, "today", "since"),
    )


_stated, _edtf = stated_times(), edtf()
_positions = st.tuples(st.floats(-180, 180, allow_nan=False), st.floats(-90, 90, allow_nan=False))


@st.composite
def _rings(draw: Draw) -> tuple[tuple[float, float], ...]:
    corners = draw(st.lists(_positions, min_size=3, max_size=4))
    return (*corners, corners[0])


geometries = st.one_of(
    st.builds(Point, _positions),
    st.builds(LineString, st.lists(_positions, min_size=2, max_size=3).map(tuple)),
    st.builds(Polygon, st.lists(_rings(), min_size=1, max_size=2).map(tuple)),
)


@st.composite
def places(draw: Draw) -> Place:
    """A place with a geometry, a name, or both."""
    name = some(draw, names)
    return Place(
        geometry=draw(geometries) if name is None else some(draw, geometries),
        name=name,
        radius_m=pick(draw, None, 0.5, 1000.0, 20_100_000.0),
        level=pick(draw, None, "exact", "settlement", "country"),
        relation=pick(draw, None, "at", "near", "between", "toward"),
        verbatim=some(draw, names),
    )


@st.composite
def counts(draw: Draw) -> Count:
    """A count, now and then a contradictory one that says so."""
    low = draw(st.integers(0, 50))
    best = pick(draw, None, 5, 60)
    high = pick(draw, None, 5, 70)
    known = [n for n in (low, best, high) if n is not None]
    return Count(min=low, best=best, max=high, inconsistent=known != sorted(known))


quantities = st.builds(
    Quantity, amount=st.floats(-1e300, 1e300, allow_nan=False), unit=st.sampled_from(["mile", "km per h"])
)


_sources = st.builds(SourceValue, st.sampled_from([uuid(1), uuid(2)]))
_documents = st.builds(DocumentValue, st.sampled_from([uuid(1), uuid(2)]))
VALUES: dict[AttributeType, st.SearchStrategy[Any]] = {
    "count": counts(),
    "time": times(),
    "place": places(),
    "source": _sources,
    "document": _documents,
    "quantity": quantities,
    "term": names,
    "text": names,
    "boolean": booleans,
}
"""For each type of attribute: the values that a client may give it."""


# ---- a ledger in plain dicts ----


class Stated(Struct):
    """What was asked for of a statement, as asked: the oracle derives its times from this alone."""

    said_at: TimeInput | None
    citation: Citation | None
    values: dict[UUID, Raw]


class Drawn(Reader):
    """What a decision reads of a drawn history. Reading the real log is tested on the real database."""

    def __init__(self, world: World) -> None:
        super().__init__(None, LEDGER)  # type: ignore[arg-type]
        self.world = world

    async def streams(self, streams: Collection[str]) -> dict[str, list[Recorded[Any]]]:
        found = {stream: list(self.world.streams.get(stream, ())) for stream in streams}
        self.expected |= {stream: len(events) for stream, events in found.items()}
        return found

    async def end(self, position: int | None) -> int:
        log = self.world.log
        if position is None:
            return len(log)
        if position > len(log):
            raise NotFound(f"the log has not reached position {position}")
        return max(one.position for one in log if one.recorded_at == log[position - 1].recorded_at)

    async def publishes(self, source_id: UUID) -> bool:
        return self.world.publishes(source_id)

    async def dependants(self, targets: Collection[str], roles: Collection[Role] = ("hangs",)) -> set[str]:
        return {stream for target, stream, role in self.world.references if role in roles and target in targets}

    async def holders(self, statement_ids: Collection[UUID]) -> set[str]:
        targets = {f"statement:{id_}" for id_ in statement_ids}
        return {stream for target, stream, role in self.world.references if role == "holds" and target in targets}


class World:
    """One ledger: its log, what each stream adds up to, and who depends on what."""

    def __init__(self) -> None:
        self.log: list[Recorded[Any]] = []
        self.payloads: list[bytes] = []
        self.appends: list[tuple[int, Decide]] = []
        """For each append: how many events stood before it, and the decision that led to it."""
        self.streams: dict[str, list[Recorded[Any]]] = {}
        self.states: dict[str, Any] = {}
        self.references: set[tuple[str, str, str]] = set()
        self.stated: dict[UUID, Stated] = {}
        self.proposed: dict[UUID, RecordStatement] = {}
        self.refusals: list[StetError] = []
        self._ids = 0x1000

    def __repr__(self) -> str:
        return "\n".join(["World:", *(f"  {r.position} {r.stream} {r.event}" for r in self.log)])

    def new_id(self) -> UUID:
        """The next id."""
        self._ids += 1
        return uuid(self._ids)

    def before(self, events: int) -> World:
        """The world as it was when its log had so many events."""
        earlier = World()
        earlier._ids = self._ids
        for recorded, payload in zip(self.log[:events], self.payloads, strict=False):
            earlier._enter(recorded, payload)
        return earlier

    def decide(self, decide: Decide) -> Decision:
        """What a write leads to, without appending it. Raises StetError where it is refused."""
        with self._with_own_ids():
            # Nothing in it waits, so it runs to its end at once.
            coroutine = carry_out(decide, Drawn(self))
            try:
                coroutine.send(None)
            except StopIteration as done:
                return done.value
            raise AssertionError("a decision waited for something that is not there")

    def write(self, make: Callable[[], Decide]) -> Decision | None:
        """Carries out a write; None if it is refused."""
        try:
            with self._with_own_ids():
                decide = make()
            decision = self.decide(decide)
        except StetError as refusal:
            self.refusals.append(refusal)
            return None
        if decision.events:
            self.appends.append((len(self.log), decide))
            self._append(decision.events)
        return decision

    def must(self, make: Callable[[], Decide]) -> Decision:
        """Carries out a write that is not refused."""
        with self._with_own_ids():
            decide = make()
        decision = self.decide(decide)
        if decision.events:
            self.appends.append((len(self.log), decide))
            self._append(decision.events)
        return decision

    def _append(self, events: Collection[NewEvent]) -> None:
        recorded_at = DAWN + timedelta(minutes=40) * len(self.appends)
        correlation_id = self.new_id()
        for new in events:
            payload = codec.encode(new.event)
            position, version = len(self.log) + 1, len(self.streams.get(new.stream, ())) + 1
            type_ = TYPES[type(new.event)]
            row = (position, new.stream, version, new.event_id, type_, codec.SCHEMA_VERSIONS[type_], recorded_at)
            self._enter(codec.recorded((*row, "desk", correlation_id, new.causation_id, payload)), payload)

    def _enter(self, recorded: Recorded[Any], payload: bytes) -> None:
        stream = recorded.stream
        self.log.append(recorded)
        self.payloads.append(payload)
        self.streams.setdefault(stream, []).append(recorded)
        module = MODULES[stream.partition(":")[0]]
        self.states[stream] = module.evolve(self.states.get(stream, module.initial), recorded)
        self.references |= {(target, stream, role) for target, role in references(recorded.event, recorded.stream)}

    @contextmanager
    def _with_own_ids(self) -> Iterator[None]:
        """Ids are counted, so that the same draw gives the same history."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("stet.handle.events.new_id", self.new_id)
            patch.setattr("stet.handle.incident.new_id", self.new_id)
            patch.setattr("stet.handle.revision.new_id", self.new_id)
            yield

    def of(self, kind: str) -> dict[UUID, Any]:
        """The state of every stream of a kind, by id."""
        return {UUID(s.partition(":")[2]): state for s, state in self.states.items() if s.startswith(kind + ":")}

    @property
    def incidents(self) -> dict[UUID, Incident]:
        """Those that are not merged."""
        return {id_: state for id_, state in self.of("incident").items() if not state.merged_into}

    def survivor(self, incident_id: UUID) -> UUID:
        """What an incident is by now."""
        into = self.states[f"incident:{incident_id}"].merged_into
        return self.survivor(into) if into else incident_id

    def homes(self, statement_id: UUID) -> list[UUID]:
        """The incidents that hold a statement."""
        return sorted(id_ for id_, state in self.incidents.items() if statement_id in state.statements)

    @property
    def statements(self) -> dict[UUID, Statement]:
        return {id_: held for incident in self.incidents.values() for id_, held in incident.statements.items()}

    @property
    def documents(self) -> dict[UUID, Document]:
        return self.of("document")

    @property
    def sources(self) -> list[UUID]:
        """Every source that is not another one."""
        return sorted(id_ for id_, source in self.of("source").items() if source.merged is None)

    def publishes(self, source_id: UUID) -> bool:
        """Whether a source has ever published a row."""
        said = (getattr(one.event, "statement", one.event) for one in self.log)
        return any(getattr(one, "record", None) and one.speaker == source_id for one in said)

    @property
    def versions(self) -> list[tuple[UUID, int]]:
        """Every version of every document."""
        return [(id_, version) for id_, document in self.documents.items() for version in document.versions]

    @property
    def anchors(self) -> list[tuple[UUID, int | None]]:
        """Everything that a time can hang on."""
        return [*self.versions, *((id_, None) for id_ in self.statements)]

    def known(self) -> Known:
        """All that the log knows."""
        return Known(
            attributes=self.states[f"ledger:{LEDGER}"].attributes,
            sources=frozenset(self.sources),
            published={id_: document.published for id_, document in self.documents.items()},
            said={id_: statement.said for id_, statement in self.statements.items()},
            incidents=frozenset(self.incidents),
        )


MODULES: dict[str, Any] = {
    "ledger": ledger_state,
    "source": source_state,
    "document": document_state,
    "incident": incident_state,
}
STATES: dict[str, Any] = {
    "ledger": ledger_state.Ledger,
    "source": source_state.Source,
    "document": document_state.Document,
    "incident": incident_state.Incident,
}


def cut(position: int) -> Cut:
    """A cut at a position."""
    return Cut(
        position=position,
        recorded_at=None,
        as_of=f"position:{position}",
        said_by=None,
        said_match=None,
        final=True,
        resolution=1,
        audience="member",
    )


# ---- commands, as steps of a history ----


def create_ledger(draw: Draw, world: World) -> None:
    command = CreateLedger(name="test", title=draw(names))
    world.must(lambda: change_ledger(command, LEDGER, ""))


def amend_ledger(draw: Draw, world: World) -> None:
    title, public = some(draw, names, UNSET), pick(draw, UNSET, True, False)
    command = AmendLedger(title=title, public=public, reason=draw(reasons))
    world.write(lambda: change_ledger(command, LEDGER, ""))


def define_attribute(draw: Draw, world: World) -> None:
    type_ = pick(draw, "document", "boolean", "term", "time")
    rule = pick(draw, "majority", "all", "latest", "majority", "all", "range")
    terms = ("low", "high") if type_ == "term" and draw(booleans) else ()
    name = f"{type_}_{draw(st.integers(1, 3))}"
    command = DefineAttribute(name=name, type_=type_, rule=rule, terms=terms)
    world.write(lambda: change_ledger(command, LEDGER, ""))


def publish_release(draw: Draw, world: World) -> None:
    name, position = pick(draw, "first", "second"), pick(draw, None, None, 1, len(world.log), len(world.log) + 1)
    command = PublishRelease(name=name, note=some(draw, names, None), position=position)
    world.write(lambda: change_ledger(command, LEDGER, ""))


_aliases = st.lists(st.builds(Alias, name=names, language=st.sampled_from([None, "hy"])), max_size=2).map(tuple)


def register_source(draw: Draw, world: World) -> None:
    command = RegisterSource(
        name=draw(names),
        kind=pick(draw, "state", "outlet", "unknown"),
        aliases=draw(_aliases),
        parent=pick(draw, None, uuid(404), *sorted(world.of("source"))),
        reliability=pick(draw, None, "A", "F"),
    )
    source_id = world.new_id()
    world.write(lambda: change_source(command, source_id, ""))


def revise_source(draw: Draw, world: World) -> None:
    ids = sorted(world.of("source"))
    command = ReviseSource(
        name=some(draw, names, UNSET),
        parent=pick(draw, UNSET, None, *ids),
        reliability=pick(draw, UNSET, None, "B"),
        reason=draw(reasons),
    )
    source_id = pick(draw, *ids)
    world.write(lambda: change_source(command, source_id, ""))


def merge_sources(draw: Draw, world: World) -> None:
    """Mostly of two that can be merged."""
    ids = sorted(world.of("source"))
    free = [id_ for id_ in world.sources if not world.publishes(id_)]
    source_id = pick(draw, *(free or ids), *ids[-1:])
    command = MergeSource(into=pick(draw, *ids), reason=draw(reasons))
    world.write(lambda: merge_source(command, source_id, ""))


def register_document(draw: Draw, world: World) -> None:
    numbers = pick(draw, [1], [2], [1, 2], [1, 3])
    made = tuple(
        VersionInput(version=n, change="original", published_at=some(draw, VALUES["time"]), headline=draw(names))
        for n in numbers
    )
    publisher = pick(draw, None, *world.sources)
    command = RegisterDocument(
        kind="article", title=draw(names), publisher=publisher, versions=made, visibility=a_visibility(draw)
    )
    document_id = world.new_id()
    world.write(lambda: change_document(command, document_id, ""))


def revise_document(draw: Draw, world: World) -> None:
    document_id, last = pick(draw, *sorted((id_, max(d.versions)) for id_, d in world.documents.items()))
    command = ReviseDocument(
        version=last + pick(draw, 0, 1, 1, 2),
        change=pick(draw, "update", "correction", "unknown"),
        published_at=some(draw, VALUES["time"]),
        inferred=draw(booleans),
        reason=draw(reasons),
    )
    world.write(lambda: change_document(command, document_id, ""))


def correct_document(draw: Draw, world: World) -> None:
    document_id = pick(draw, *sorted(world.documents))
    known = sorted(world.documents[document_id].versions)
    numbers = known if draw(booleans) else [pick(draw, *known)]
    command = CorrectDocument(
        title=some(draw, names, UNSET),
        versions=tuple(PublishedAtInput(version=n, published_at=some(draw, VALUES["time"])) for n in numbers),
        basis="deduced",
        rationale=draw(reasons),
    )
    world.write(lambda: change_document(command, document_id, ""))


def capture_document(draw: Draw, world: World) -> None:
    document_id, version = pick(draw, *sorted(world.versions))
    command = CaptureDocument(
        version=version,
        captured_at=draw(instants()),
        sha256=pick(draw, "0" * 64, "a1" * 32),
        tool=some(draw, names),
        reason=draw(reasons),
    )
    world.write(lambda: change_document(command, document_id, ""))


def a_claim(draw: Draw, world: World, about: Collection[UUID]) -> ClaimInput:
    """A claim of any act about any attribute that the ledger has."""
    attributes = BUILT_IN | world.states[f"ledger:{LEDGER}"].defined
    own = sorted(world.states[f"ledger:{LEDGER}"].defined)
    act: Act = pick(draw, *Act.__args__)  # type: ignore[attr-defined]
    plain = ("killed", "place", "responsible", "distance", "intent", "weapon")
    name = pick(draw, *plain, *own, *["occurred_at"] * 3)
    if act not in RESOLVING and draw(booleans):
        name = None
    type_, terms = (attributes[name].type_, attributes[name].terms) if name else ("text", ())
    sources, documents = world.sources, sorted(world.documents)
    value: object
    match type_:
        case "time":
            value = a_time(draw, world.anchors)
        case "source":
            value = SourceValue(pick(draw, *sources))
        case "document":
            value = DocumentValue(pick(draw, *documents))
        case "term" if terms:
            value = pick(draw, *terms)
        case _:
            value = draw(VALUES[type_])
    return ClaimInput(
        claim_id=world.new_id(),
        incident_id=pick(draw, None, *about),
        attribute=name,
        of=pick(draw, None, "crew", *(f"document:{id_}" for id_ in documents), f"source:{sources[-1]}"),
        value=json(value),
        act=act,
        certainty=pick(draw, "plain", "distanced"),
        scope=pick(draw, "explicit", "implied"),
        toward=pick(draw, None, f"source:{sources[0]}"),
        verbatim=some(draw, names),
        citation=pick(draw, None, citation_of(draw, world)),
    )


def citation_of(draw: Draw, world: World) -> Citation:
    """A citation of any version of any document."""
    document_id, version = pick(draw, *sorted(world.versions))
    return Citation(document_id=document_id, version=version)


def a_statement(draw: Draw, world: World, about: Collection[UUID]) -> RecordStatement:
    """A statement with its relay chain, about the incident that is not named and any of the others."""
    speaker, *rest = draw(st.permutations(world.sources))
    chain = tuple(Hop(id_, pick(draw, "relay", "reporter")) for id_ in rest[: pick(draw, 0, 1, 2)])
    record = pick(draw, None, None, None, Record(key=draw(slugs), value=json({"a": 1}), seq=pick(draw, None, 7)))
    about = () if record else about
    first = a_claim(draw, world, [] if draw(booleans) else about)
    more = [a_claim(draw, world, about) for _ in range(pick(draw, 0, 1, 2))]
    claims = (first, *more) if not record or draw(booleans) else ()
    return RecordStatement(
        speaker=speaker,
        chain=chain,
        channel=some(draw, names),
        said_at=a_time(draw, world.anchors),
        verbatim=some(draw, names),
        language=pick(draw, None, "hy", "az-Latn"),
        citation=pick(draw, None, citation_of(draw, world)),
        record=record,
        claims=claims,
        visibility=a_visibility(draw),
    )


def _note(world: World, body: RecordStatement, statement_id: UUID) -> None:
    given = {claim.claim_id: claim.value for claim in body.claims if claim.claim_id}
    world.stated[statement_id] = Stated(body.said_at, body.citation, given)


def open_one(draw: Draw, world: World) -> None:
    bodies = [a_statement(draw, world, sorted(world.incidents)) for _ in range(pick(draw, 0, 1, 2))]
    command = OpenIncident(
        title=draw(names),
        kind=draw(slugs),
        tags=("a", "a"),
        statements=tuple(bodies),
        visibility=a_visibility(draw, of_incident=True),
    )
    incident_id = world.new_id()
    decision = world.write(lambda: open_incident(command, incident_id, ""))
    if decision:
        home = [new.event for new in decision.events if new.stream == f"incident:{incident_id}"]
        ids = [event.statement_id for event in home if isinstance(event, StatementRecorded)]
        for body, statement_id in zip(bodies, ids, strict=True):
            _note(world, body, statement_id)


def record_one(draw: Draw, world: World) -> None:
    about = sorted(world.incidents)
    incident_id = pick(draw, *about)
    body = a_statement(draw, world, about)
    statement_id = world.new_id()
    if world.write(lambda: record_statement(body, incident_id, statement_id, "")):
        _note(world, body, statement_id)


def propose_one(draw: Draw, world: World) -> None:
    """By a contributor, in a ledger that holds what contributors say."""
    world.write(lambda: change_ledger(AmendLedger(review=True, reason=draw(reasons)), LEDGER, ""))
    about = sorted(world.incidents)
    incident_id = pick(draw, *about)
    body = a_statement(draw, world, about)
    if not body.claims:
        return
    body = msgspec.structs.replace(body, record=None)
    statement_id = world.new_id()
    if world.write(lambda: record_statement(body, incident_id, statement_id, "", contributed=True)):
        world.proposed[statement_id] = body


def accept_one(draw: Draw, world: World) -> None:
    review_one(draw, world, AcceptStatement)


def reject_one(draw: Draw, world: World) -> None:
    review_one(draw, world, RejectStatement)


def review_one(draw: Draw, world: World, command: type[AcceptStatement | RejectStatement]) -> None:
    waiting = [(id_, one) for id_, state in world.incidents.items() for one in state.proposals]
    if not waiting:
        propose_one(draw, world)
        waiting = [(id_, one) for id_, state in world.incidents.items() for one in state.proposals]
    if waiting:
        incident_id, statement_id = pick(draw, *sorted(waiting))
        made = world.write(
            lambda: revise_incident(command(statement_id=statement_id, reason=draw(reasons)), incident_id, "")
        )
        if made and command is AcceptStatement:
            _note(world, world.proposed[statement_id], statement_id)


def correct_one(draw: Draw, world: World) -> None:
    if not world.statements:
        return
    statement_id = pick(draw, *sorted(world.statements))
    incident_id = pick(draw, *world.homes(statement_id))
    set_ = StatementFieldsInput(
        speaker=pick(draw, UNSET, *world.sources),
        channel=some(draw, names, UNSET, None),
        said_at=pick(draw, UNSET, None, *[a_time(draw, world.anchors)] * 2),
        verbatim=some(draw, names, UNSET, None),
        citation=pick(draw, UNSET, UNSET, None, citation_of(draw, world)),
    )
    mine = sorted(world.incidents[incident_id].statements[statement_id].claims)
    given = [a_claim(draw, world, world.homes(statement_id))] if draw(booleans) else []
    if given and mine and draw(booleans):
        given = [msgspec.structs.replace(given[0], claim_id=mine[0], incident_id=None)]
    removed = tuple(pick(draw, (), (), (), (), mine[-1:]))
    command = CorrectStatement(
        statement_id=statement_id,
        error=pick(draw, "transcription", "attribution", "time", "normalisation"),
        set=set_,
        claims=tuple(given),
        remove_claims=removed,
        reason=draw(reasons),
    )
    if world.write(lambda: revise_incident(command, incident_id, "")):
        stated = world.stated[statement_id]
        if set_.said_at is not UNSET:
            stated.said_at = set_.said_at
        if set_.citation is not UNSET:
            stated.citation = set_.citation
        stated.values.update({claim.claim_id: claim.value for claim in given if claim.claim_id})


def _said_of(draw: Draw, world: World) -> tuple[UUID, Statement]:
    """A statement, or a retraction, and one of the incidents that hold it."""
    held = world.statements[pick(draw, *sorted(world.statements))]
    return pick(draw, *world.homes(held.statement_id)), held


def retract_one(draw: Draw, world: World) -> None:
    incident_id, held = _said_of(draw, world)
    claim_ids = sorted(world.incidents[incident_id].statements[held.statement_id].claims)
    command = RetractStatement(
        statement_id=held.statement_id,
        claim_ids=tuple(pick(draw, (), (), claim_ids[:1])),
        said_at=a_time(draw, world.anchors),
        channel=some(draw, names),
        citation=pick(draw, None, citation_of(draw, world)),
        reason=draw(reasons),
    )
    decision = world.write(lambda: revise_incident(command, incident_id, ""))
    if decision:
        event = decision.events[0].event
        assert isinstance(event, StatementRetracted)
        world.stated[event.retraction_id] = Stated(command.said_at, command.citation, {})


def supersede_one(draw: Draw, world: World) -> None:
    incident_id, held = _said_of(draw, world)
    newer = pick(draw, *sorted(world.incidents[incident_id].statements))
    command = SupersedeStatement(statement_id=held.statement_id, superseded_by=newer, reason=draw(reasons))
    world.write(lambda: revise_incident(command, incident_id, ""))


def record_superseding(draw: Draw, world: World) -> None:
    incident_id, held = _said_of(draw, world)
    body = a_statement(draw, world, [incident_id])
    chain = tuple(hop for hop in body.chain if hop.source_id != held.speaker)
    body = msgspec.structs.replace(body, supersedes=held.statement_id, speaker=held.speaker, chain=chain)
    statement_id = world.new_id()
    if world.write(lambda: record_statement(body, incident_id, statement_id, "")):
        _note(world, body, statement_id)


def withdraw_one(draw: Draw, world: World) -> None:
    incident_id, held = _said_of(draw, world)
    command = WithdrawStatement(
        statement_id=held.statement_id, ground=pick(draw, "duplicate", "fabricated"), reason=draw(reasons)
    )
    world.write(lambda: revise_incident(command, incident_id, ""))


def reinstate_one(draw: Draw, world: World) -> None:
    if not any(held.withdrawn for held in world.statements.values()):
        withdraw_one(draw, world)
    withdrawn = sorted(id_ for id_, held in world.statements.items() if held.withdrawn)
    if withdrawn:
        held = world.statements[pick(draw, *withdrawn)]
        command = ReinstateStatement(statement_id=held.statement_id, reason=draw(reasons))
        world.write(lambda: revise_incident(command, held.incidents[0], ""))


def assess_one(draw: Draw, world: World) -> None:
    incident_id, held = _said_of(draw, world)
    claim_ids = sorted(world.incidents[incident_id].statements[held.statement_id].claims)
    command = AssessStatement(
        statement_id=held.statement_id,
        claim_ids=tuple(pick(draw, (), claim_ids[-1:])),
        reliability=pick(draw, UNSET, None, "A", "C"),
        credibility=pick(draw, UNSET, None, 1, 4),
        verification=pick(draw, UNSET, None, "verified", "discounted", "false"),
        interest=pick(draw, UNSET, None, "self-serving", "against-interest"),
        basis="deduced",
        rationale=draw(reasons),
    )
    world.write(lambda: revise_incident(command, incident_id, ""))


def move_one(draw: Draw, world: World) -> None:
    incident_id, held = _said_of(draw, world)
    command = MoveStatement(
        statement_id=held.statement_id, to_incident=pick(draw, *sorted(world.incidents)), reason=draw(reasons)
    )
    world.write(lambda: revise_incident(command, incident_id, ""))


def pin_one(draw: Draw, world: World) -> None:
    incident_id, held = _said_of(draw, world)
    claims = [
        claim
        for said in world.incidents[incident_id].statements.values()
        for claim in said.claims.values()
        if claim.attribute and claim.type_ != "time"
    ]
    if claims:
        claim = pick(draw, *claims)
        command = PinAttribute(
            attribute=claim.attribute or "",
            of=claim.of,
            value=claim.value,
            cites=(held.statement_id,),
            rationale=draw(reasons),
        )
        world.write(lambda: revise_incident(command, incident_id, ""))


def unpin_one(draw: Draw, world: World) -> None:
    if not any(one.pins for one in world.incidents.values()):
        pin_one(draw, world)
    pinned = sorted((id_, pin.attribute, pin.of or "") for id_, one in world.incidents.items() for pin in one.pins)
    if pinned:
        incident_id, attribute, of = pick(draw, *pinned)
        command = UnpinAttribute(attribute=attribute, of=of or None, reason=draw(reasons))
        world.write(lambda: revise_incident(command, incident_id, ""))


def amend_one(draw: Draw, world: World) -> None:
    command = AmendIncident(
        title=some(draw, names, UNSET),
        kind=some(draw, slugs, UNSET),
        tags=pick(draw, UNSET, (), ("b", "a", "b")),
        reason=draw(reasons),
    )
    incident_id = pick(draw, *sorted(world.incidents))
    world.write(lambda: revise_incident(command, incident_id, ""))


def change_status(draw: Draw, world: World) -> None:
    command = ChangeStatus(status=pick(draw, "open", "closed", "open", "withdrawn"), reason=draw(reasons))
    incident_id = pick(draw, *sorted(world.incidents))
    world.write(lambda: revise_incident(command, incident_id, ""))


_DISCLOSED = Place(name="the province", level="admin1")


def a_visibility(draw: Draw, *, of_incident: bool = False) -> Visibility:
    """Mostly that of what everybody may see."""
    return pick(
        draw,
        *[UNRESTRICTED] * 5,
        Visibility(label="red"),
        Visibility(embargo_until=_LATE),
        *([Visibility(disclosed_place=_DISCLOSED)] if of_incident else []),
    )


def restrict_one(draw: Draw, world: World) -> None:
    """Restricts an incident or a statement, or shows it again."""
    incident_id = pick(draw, *sorted(world.incidents))
    statement_id = pick(draw, None, *sorted(world.incidents[incident_id].statements)) if draw(booleans) else None
    restricted = [
        (id_, one)
        for id_, state in sorted(world.incidents.items())
        for one in [*([None] if state.visibility.restricted else []), *sorted(state.restricted)]
        if one is None or one in state.statements
    ]
    if restricted and draw(booleans):
        incident_id, statement_id = pick(draw, *restricted)
        command = ChangeVisibility(statement_id=statement_id, label="clear", embargo_until=None, reason="for all")
        world.write(lambda: revise_incident(command, incident_id, ""))
        return
    command = ChangeVisibility(
        statement_id=statement_id,
        label=pick(draw, UNSET, "clear", "clear", "green", "red"),
        embargo_until=pick(draw, UNSET, None, _LATE),
        disclosed_place=pick(draw, UNSET, UNSET, None, _DISCLOSED) if statement_id is None else UNSET,
        reason=draw(reasons),
    )
    world.write(lambda: revise_incident(command, incident_id, ""))


def restrict_document(draw: Draw, world: World) -> None:
    """Restricts a document, or shows it again."""
    command = ChangeDocumentVisibility(
        label=pick(draw, "clear", "amber+strict"),
        embargo_until=pick(draw, UNSET, UNSET, None, _LATE),
        reason=draw(reasons),
    )
    document_id = pick(draw, *sorted(world.documents))
    world.write(lambda: change_document(command, document_id, ""))


def merge_one(draw: Draw, world: World) -> None:
    """Mostly of two that are restricted alike."""
    if len(world.incidents) < 2:
        open_one(draw, world)
    one, other = draw(st.permutations(sorted(world.of("incident"))))[:2]
    command = MergeIncident(into=other, reason=draw(reasons))
    world.write(lambda: revise_incident(command, one, ""))


def revert_one(draw: Draw, world: World) -> None:
    """Also of one into an incident that is merged itself, which is refused."""
    merged = [(id_, one.incident_id) for id_, state in world.of("incident").items() for one in state.absorbed]
    if not merged:
        merge_one(draw, world)
        merged = [(id_, one.incident_id) for id_, state in world.of("incident").items() for one in state.absorbed]
    if merged:
        incident_id, away = pick(draw, *sorted(merged))
        command = RevertMerge(incident_id=away, reason=draw(reasons))
        world.write(lambda: revise_incident(command, incident_id, ""))


def link_one(draw: Draw, world: World) -> None:
    if len(world.incidents) < 2:
        open_one(draw, world)
    one, *others = draw(st.permutations(sorted(world.incidents)))
    other = pick(draw, *others) if others else one
    command = LinkIncident(incident_id=other, relation=pick(draw, "follows", "related"), reason="seen")
    world.write(lambda: revise_incident(command, one, ""))


def unlink_one(draw: Draw, world: World) -> None:
    if not any(incident.links for incident in world.incidents.values()):
        link_one(draw, world)
    links = sorted((id_, link) for id_, incident in world.incidents.items() for link in incident.links)
    if links:
        id_, link = pick(draw, *links)
        command = UnlinkIncident(incident_id=link.incident_id, relation=link.relation, reason="not so")
        world.write(lambda: revise_incident(command, id_, ""))


STEPS = (
    *(record_one, record_one, record_one, record_one, record_one),
    *(correct_one, correct_one, correct_one, correct_document, correct_document, correct_document),
    *(retract_one, retract_one, supersede_one, record_superseding, withdraw_one, withdraw_one, reinstate_one),
    *(propose_one, accept_one, accept_one, reject_one),
    *(assess_one, assess_one, move_one, move_one, pin_one, pin_one, unpin_one),
    *(open_one, amend_one, change_status, link_one, link_one, unlink_one),
    *(merge_one, merge_one, merge_one, revert_one, revert_one),
    *(register_source, revise_source, merge_sources, register_document, revise_document, capture_document),
    *(restrict_one, restrict_one, restrict_one, restrict_document),
    *(amend_ledger, define_attribute, publish_release),
)

OF_STATEMENTS = frozenset(
    (
        correct_one,
        retract_one,
        supersede_one,
        record_superseding,
        withdraw_one,
        assess_one,
        move_one,
        pin_one,
        unpin_one,
        reinstate_one,
    )
)
"""What needs a statement."""


@cache
def _steps(most: int) -> st.SearchStrategy[list[Callable[[Draw, World], None]]]:
    return st.lists(st.sampled_from(STEPS), min_size=6, max_size=most)


@st.composite
def histories(draw: Draw, steps: int = 16) -> World:
    """A ledger after some writes: at least three sources, a document, two incidents and a statement about both."""
    world = World()
    create_ledger(draw, world)
    for name in ("AZ", "RU", "OUT"):
        id_ = world.new_id()
        command = RegisterSource(name=name, kind="state")
        world.must(lambda command=command, id_=id_: change_source(command, id_, ""))
    for type_ in ("document", "boolean"):
        defined = DefineAttribute(name=f"{type_}_1", type_=type_, rule="all")
        world.must(lambda defined=defined: change_ledger(defined, LEDGER, ""))
    register_document(draw, world)
    for _ in range(2):
        id_ = world.new_id()
        world.must(lambda id_=id_: open_incident(OpenIncident(title="It", kind="shootdown"), id_, ""))
    for _ in range(2):
        record_one(draw, world)
    for step in draw(_steps(steps)):
        if world.statements or step not in OF_STATEMENTS:
            step(draw, world)
    return world


def bounds() -> st.SearchStrategy[Bounds]:
    """Closed bounds, each of them known or not."""
    pairs = st.tuples(instants(), instants()).map(lambda pair: (min(pair), max(pair)))
    return st.tuples(pairs, st.booleans(), st.booleans()).map(
        lambda drawn: Bounds(drawn[0][0] if drawn[1] else None, drawn[0][1] if drawn[2] else None)
    )
