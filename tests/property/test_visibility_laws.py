"""Every stream knows what is hidden of all that it names: what follows from the labels, and nothing else.

The oracle knows nothing of how the service finds that out. It takes each id that stands anywhere in a stored payload
for a name, and the labels as they were set last.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET
from tests.property.oracle_shown import claims_of, finer, told_by
from tests.property.test_projection_laws import check_from_anywhere
from tests.strategies import (
    DAWN,
    OF_STATEMENTS,
    Stated,
    World,
    citation_of,
    correct_one,
    histories,
    json,
    link_one,
    merge_one,
    merge_sources,
    move_one,
    open_one,
    record_one,
    restrict_document,
    restrict_one,
    retract_one,
    revert_one,
    uuid,
)

from stet.document.commands import ChangeDocumentVisibility, RegisterDocument, VersionInput
from stet.document.events import VisibilityChanged
from stet.envelope import Recorded
from stet.errors import Refused
from stet.handle.embargo import end_embargo
from stet.handle.incident import open_incident, record_statement
from stet.handle.ledger import change_document, change_ledger, change_source
from stet.handle.revision import revise_incident
from stet.incident.about import statement_of
from stet.incident.claim import Citation
from stet.incident.commands import (
    ChangeVisibility,
    ClaimInput,
    CorrectStatement,
    MoveStatement,
    OpenIncident,
    RecordStatement,
)
from stet.incident.events import (
    ReferenceHidden,
    StatementMovedIn,
    StatementMovedOut,
    StatementProposed,
    StatementRejected,
    StatementSuperseded,
)
from stet.incident.links import IncidentUnlinked
from stet.incident.visibility import facts_of, hidden, shown
from stet.ledger.commands import CreateLedger
from stet.projections.history import PROJECTION
from stet.source.commands import RegisterSource
from stet.values.time import Anchor, Time
from stet.values.visibility import Visibility

_NAMING_NOTHING = (ReferenceHidden, IncidentUnlinked, StatementProposed, StatementRejected)
_ID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def record_apart(draw: Any, world: World) -> None:
    """A statement about two incidents of which one of the claims alone cites a document."""
    if len(world.incidents) < 2:
        open_one(draw, world)
    if len(world.incidents) < 2:
        return
    cited = (None, citation_of(draw, world))
    about = draw(st.permutations(sorted(world.incidents)))[:2]
    claims = tuple(
        ClaimInput(claim_id=world.new_id(), incident_id=id_, attribute="weapon", value=json("gun"), citation=citation)
        for id_, citation in zip(about, cited, strict=True)
    )
    body, statement_id = RecordStatement(speaker=world.sources[0], claims=claims), world.new_id()
    if world.write(lambda: record_statement(body, about[0], statement_id, "")):
        world.stated[statement_id] = Stated(None, None, {})


STEPS = (
    *(record_apart, record_apart, record_one, record_one, move_one, move_one),
    *(correct_one, retract_one, link_one, open_one, merge_sources, merge_one, merge_one, revert_one),
    *(restrict_one, restrict_one, restrict_one, restrict_one, restrict_one, restrict_document, restrict_document),
)
_steps = st.lists(st.sampled_from(STEPS), max_size=16)


@st.composite
def restricted(draw: Any) -> World:
    """A history in which much is restricted and shown again, moved, and named by what is elsewhere."""
    world: World = draw(histories(6))
    for step in draw(_steps):
        if world.statements or step not in OF_STATEMENTS:
            step(draw, world)
    return world


class Oracle:
    """What is hidden in a world, from the labels and the names in it."""

    def __init__(self, world: World) -> None:
        things = {stream for stream in world.streams if stream.startswith(("incident:", "document:"))}
        self.by_id = {stream.partition(":")[2].encode(): stream for stream in things}
        self.held: dict[str, set[str]] = {}
        """For each incident the statements that it ever held."""
        for recorded in world.log:
            if recorded.type in (
                "statement-recorded",
                "statement-accepted",
                "statement-retracted",
                "statement-moved-in",
            ):
                id_ = statement_of(recorded.event)
                self.by_id[str(id_).encode()] = f"statement:{id_}"
                self.held.setdefault(recorded.stream, set()).add(f"statement:{id_}")
        proposed = {one.event.statement.statement_id for one in world.log if one.type == "statement-proposed"}
        self.proposed = {f"statement:{id_}" for id_ in proposed} - {*self.by_id.values()}
        labelled: dict[str, bool] = {}
        self.named: dict[str, set[str]] = {}
        """For each incident everything that it names."""
        with_: dict[str, set[str]] = {}
        for recorded, payload in zip(world.log, world.payloads, strict=True):
            stream, event = recorded.stream, recorded.event
            if isinstance(event, VisibilityChanged):
                target = f"statement:{event.statement_id}" if event.statement_id else stream
                labelled[target] = event.visibility.label != "clear" or event.visibility.embargo_until is not None
            elif stream.startswith("incident:") and not isinstance(event, _NAMING_NOTHING):
                self.named.setdefault(stream, set()).update(self._names(event, payload, whole=True) - {stream})
                if (id_ := statement_of(event)) and not isinstance(event, StatementSuperseded):
                    names = self._names(event, payload, whole=False) - {stream, f"statement:{id_}"}
                    with_.setdefault(f"statement:{id_}", set()).update(names)
        self.hidden = {target for target, is_ in labelled.items() if is_} | set(self._telling(world))
        self.hidden |= {one for stream, held in self.held.items() if stream in self.hidden for one in held}
        while more := {one for one, names in with_.items() if names & self.hidden} - self.hidden:
            self.hidden |= more

    def _telling(self, world: World) -> Iterator[str]:
        """What tells a finer place than its incident discloses, and is or was about others, too."""
        for stream, events in world.streams.items():
            own = [one.event for one in events if isinstance(one.event, VisibilityChanged)]
            places = [one.visibility.disclosed_place for one in own if one.statement_id is None]
            if not stream.startswith("incident:") or not places or places[-1] is None:
                continue
            for id_ in {told_by(one.event) for one in events} - {None}:
                its = [one.event for one in events if told_by(one.event) == id_]
                about = [len(getattr(getattr(one, "statement", one), "incidents", ())) for one in its]
                fine = any(finer(claim, places[-1]) for one in its for claim in claims_of(one))
                moved = any(isinstance(one, StatementMovedIn | StatementMovedOut) for one in its)
                if fine and (moved or max(about) > 1):
                    yield f"statement:{id_}"

    def _names(self, event: Any, payload: bytes, *, whole: bool) -> set[str]:
        if isinstance(event, StatementMovedIn) and not whole:
            statement = msgspec.structs.replace(event.statement, superseded=())
            payload = msgspec.json.encode(msgspec.structs.replace(event, statement=statement))
        return {self.by_id[id_] for id_ in _ID.findall(payload) if id_ in self.by_id}

    def check(self, world: World) -> None:
        for stream, events in world.streams.items():
            if not stream.startswith("incident:"):
                continue
            facts, held = facts_of(stream, events), self.held.get(stream, set())
            # The public is shown no proposal, wherever it is hidden.
            elsewhere = facts.elsewhere - self.proposed
            assert elsewhere <= self.hidden
            named = self.named.get(stream, set())
            assert elsewhere - held == (named - held) & self.hidden, stream
            assert hidden(facts) & (held | {stream}) == (held | {stream}) & self.hidden, stream
            for target in facts.elsewhere & held:
                assert any(target in its for other, its in self.held.items() if other != stream), target


@settings(max_examples=150)
@given(restricted())
def test_every_stream_knows_what_is_hidden_of_all_that_it_names(world: World) -> None:
    Oracle(world).check(world)


@settings(max_examples=40)
@given(restricted(), st.data())
def test_what_is_shown_again_leaves_nothing_hidden(world: World, data: st.DataObject) -> None:
    """All labels and places are taken away, in any order: then nothing is hidden, whatever names what in a circle."""
    labels: list[tuple[str, Any]] = [(f"document:{id_}", None) for id_ in sorted(world.documents)]
    for id_, incident in sorted(world.incidents.items()):
        labels += [(f"incident:{id_}", one) for one in [None, *sorted(incident.statements)]]
    for stream, statement_id in data.draw(st.permutations(labels)):
        id_ = UUID(stream[9:])
        if stream.startswith("document:"):
            plain = ChangeDocumentVisibility(label="clear", embargo_until=None, reason="all may see it")
            world.must(lambda plain=plain, id_=id_: change_document(plain, id_, ""))
        else:
            clear = ChangeVisibility(
                statement_id=statement_id,
                label="clear",
                embargo_until=None,
                disclosed_place=UNSET if statement_id else None,
                reason="all may see it",
            )
            world.must(lambda clear=clear, id_=id_: revise_incident(clear, id_, ""))
    oracle = Oracle(world)
    assert oracle.hidden == set()
    oracle.check(world)
    for stream, events in world.streams.items():
        if stream.startswith("incident:"):
            assert facts_of(stream, events).elsewhere == frozenset()


def test_the_histories_hide_things_in_every_way() -> None:
    """Without this the laws above could hold of nothing."""
    seen: Counter[str] = Counter()

    @settings(max_examples=400)
    @given(restricted())
    def look(world: World) -> None:
        for recorded in world.log:
            if isinstance(recorded.event, ReferenceHidden):
                seen[f"{recorded.event.target.partition(':')[0]} {recorded.event.hidden}"] += 1
                homes = [s for s, its in world.streams.items() if s != recorded.stream and _holds(its, recorded)]
                seen["shared"] += bool(homes) and _holds(world.streams[recorded.stream], recorded)

    look()
    expected = {f"{kind} {hidden_}" for kind in ("document", "incident", "statement") for hidden_ in (True, False)}
    assert sorted((expected | {"shared"}) - {name for name, times in seen.items() if times}) == []


def _holds(events: list[Recorded[Any]], recorded: Recorded[Any]) -> bool:
    return any(
        f"statement:{statement_of(one.event)}" == recorded.event.target
        for one in events
        if one.type in ("statement-recorded", "statement-moved-in", "statement-retracted")
    )


# ---- by hand ----

AZ, DOCUMENT, I1, I2, I3 = uuid(1), uuid(2), uuid(3), uuid(4), uuid(5)
HOUR = timedelta(hours=1)
S1, S2, S3 = uuid(11), uuid(12), uuid(13)
CITED = Citation(document_id=DOCUMENT, version=1)


@pytest.fixture
def world() -> World:
    """A ledger with a source, a document and three incidents."""
    made = World()
    article = RegisterDocument(kind="article", title="It", versions=(VersionInput(version=1, change="original"),))
    made.must(lambda: change_ledger(CreateLedger(name="test", title="Test"), uuid(0), ""))
    made.must(lambda: change_source(RegisterSource(name="AZ", kind="state"), AZ, ""))
    made.must(lambda: change_document(article, DOCUMENT, ""))
    for id_ in (I1, I2, I3):
        made.must(lambda id_=id_: open_incident(OpenIncident(title="It", kind="shootdown"), id_, ""))
    return made


def say(world: World, statement_id: Any, incident_id: Any, *, about: Any = (), of: Any = None, **more: Any) -> None:
    claims = tuple(
        ClaimInput(incident_id=id_, attribute="weapon", of=of, value=json("missile")) for id_ in (incident_id, *about)
    )
    body = RecordStatement(speaker=AZ, claims=claims, **more)
    world.must(lambda: record_statement(body, incident_id, statement_id, ""))


def label(world: World, incident_id: Any, statement_id: Any, name: Any) -> list[str]:
    """Sets a label; the types of the events that this leads to, by stream."""
    command = ChangeVisibility(statement_id=statement_id, label=name, reason="it is said so")
    decision = world.must(lambda: revise_incident(command, incident_id, ""))
    Oracle(world).check(world)
    return sorted(f"{new.stream[-1]} {type(new.event).__name__}" for new in decision.events)


def elsewhere(world: World, incident_id: Any) -> set[str]:
    return set(facts_of(f"incident:{incident_id}", world.streams[f"incident:{incident_id}"]).elsewhere)


def test_statements_that_name_each_other_in_a_circle_are_shown_again(world: World) -> None:
    """S1 of I1 is about S2, which hangs on it; S2 is of I2. S3 hangs on S2."""
    say(world, S1, I1)
    say(world, S2, I2, said_at=Time(anchor=Anchor(relation="after", statement_id=S1)))
    say(world, S3, I3, said_at=Time(anchor=Anchor(relation="after", statement_id=S2)))

    claim = ClaimInput(attribute="weapon", of=f"statement:{S2}", value=json("gun"))
    circle = CorrectStatement(statement_id=S1, error="transcription", claims=(claim,), reason="overlooked")
    world.must(lambda: revise_incident(circle, I1, ""))
    for restricted, at in ((S1, I1), (S2, I2)):
        label(world, at, restricted, "red")
        assert elsewhere(world, I1) == {f"statement:{S2}"}
        assert elsewhere(world, I2) == {f"statement:{S1}"}
        assert elsewhere(world, I3) == {f"statement:{S2}"}
        label(world, at, restricted, "clear")
        assert elsewhere(world, I1) == elsewhere(world, I2) == elsewhere(world, I3) == set()


def test_a_statement_of_two_incidents_is_hidden_in_both_for_what_one_of_them_says(world: World) -> None:
    claims = (
        ClaimInput(incident_id=I1, attribute="weapon", value=json("missile"), citation=CITED),
        ClaimInput(incident_id=I2, attribute="weapon", value=json("missile")),
    )
    world.must(lambda: record_statement(RecordStatement(speaker=AZ, claims=claims), I1, S1, ""))
    command = ChangeDocumentVisibility(label="green", reason="of the source")
    world.must(lambda: change_document(command, DOCUMENT, ""))
    Oracle(world).check(world)
    assert elsewhere(world, I1) == {f"document:{DOCUMENT}"}
    assert elsewhere(world, I2) == {f"statement:{S1}"}


def test_a_label_goes_to_every_incident_that_ever_held_the_statement_and_moves_with_it(world: World) -> None:
    say(world, S1, I1)
    label(world, I1, S1, "red")
    for here, there in ((I1, I2), (I2, I3)):
        command = MoveStatement(statement_id=S1, to_incident=there, reason="it is of the other")
        world.must(lambda command=command, here=here: revise_incident(command, here, ""))
        Oracle(world).check(world)
        assert world.incidents[there].restricted[S1].label == "red"
    assert label(world, I3, S1, "clear") == ["3 VisibilityChanged", "4 VisibilityChanged", "5 VisibilityChanged"]
    assert [world.incidents[id_].restricted for id_ in (I1, I2, I3)] == [{}, {}, {}]


def test_a_restricted_incident_hides_the_statements_that_left_it(world: World) -> None:
    say(world, S1, I1)
    command = MoveStatement(statement_id=S1, to_incident=I2, reason="it is of the other")
    world.must(lambda: revise_incident(command, I1, ""))
    label(world, I1, None, "amber")
    assert f"incident:{I1}" in elsewhere(world, I2)
    stream = f"incident:{I2}"
    assert [one.type for one in shown(stream, world.streams[stream], "public")] == ["incident-opened"]


def test_what_is_labelled_already_leads_to_no_further_event(world: World) -> None:
    say(world, S1, I1, about=(I2,))
    assert label(world, I1, S1, "red") == ["3 VisibilityChanged", "4 VisibilityChanged"]
    assert label(world, I2, S1, "red") == []
    assert label(world, I1, S1, "amber") == ["3 VisibilityChanged", "4 VisibilityChanged"]


def test_the_rows_of_a_statement_that_is_shown_again_at_the_end_of_its_incident_come_back(world: World) -> None:
    """Nothing that the public saw has changed, and yet it sees more of what was before."""
    say(world, S1, I1)
    say(world, S2, I1)
    for statement_id, name in ((S1, "red"), (S2, "red"), (S2, "clear"), (S2, "red"), (S1, "clear")):
        label(world, I1, statement_id, name)
    check_from_anywhere(PROJECTION, world.streams[f"incident:{I1}"])


def test_an_append_reaches_so_many_incidents_and_no_more_but_always_shows_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What may name a restricted thing grows; it must not stay hidden for that."""
    monkeypatch.setattr("stet.handle.visibility._STREAMS", 2)
    for statement_id, incident_id in ((S1, I1), (S2, I2), (S3, I3)):
        say(world, statement_id, incident_id, citation=CITED)
    red, clear = (ChangeDocumentVisibility(label=name, reason="so") for name in ("red", "clear"))
    with pytest.raises(Refused, match="3 incidents name what this would hide; one append reaches 2 at most"):
        world.decide(change_document(red, DOCUMENT, ""))
    monkeypatch.setattr("stet.handle.visibility._STREAMS", 3)
    world.must(lambda: change_document(red, DOCUMENT, ""))
    monkeypatch.setattr("stet.handle.visibility._STREAMS", 2)
    world.must(lambda: change_document(clear, DOCUMENT, ""))
    assert [elsewhere(world, id_) for id_ in (I1, I2, I3)] == [set(), set(), set()]


def test_an_embargo_ends_unless_it_was_changed(world: World) -> None:
    """Wherever it is; and ends nothing else."""
    until = datetime(2300, 1, 1, tzinfo=UTC)
    say(world, S1, I1, about=(I2,), visibility=Visibility(label="green", embargo_until=until))
    due = (f"incident:{I2}", S1, until)
    for other in ((due[0], S1, until + HOUR), (due[0], None, until), (due[0], S2, until)):
        assert world.decide(end_embargo(*other)).events == []
    world.must(lambda: end_embargo(*due))
    assert [world.incidents[id_].restricted[S1] for id_ in (I1, I2)] == [Visibility(label="green")] * 2
    assert world.decide(end_embargo(*due)).events == []


def test_nothing_is_said_where_nothing_is_restricted(world: World) -> None:
    say(world, S1, I1, citation=CITED)
    say(world, S2, I2, said_at=Time(anchor=Anchor(relation="after", statement_id=S1)))
    assert all(one.recorded_at >= DAWN and one.type != "reference-hidden" for one in world.log)
