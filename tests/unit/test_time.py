"""Uncertain times: what is accepted, how it is stored, and what follows from what a time hangs on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.strategies import uuid

from stet.errors import Malformed
from stet.values.time import UNBOUNDED, Anchor, Bounds, Time, TimeInput, normalise, resolve

DOCUMENT = uuid(1)


def utc(text: str | None) -> datetime | None:
    """An instant from `2020-11-09T14:30`, with seconds or without; None from None."""
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(earliest: str | None, latest: str | None) -> Bounds:
    return Bounds(utc(earliest), utc(latest))


def read(text: str) -> Any:
    """A time as a client sends it."""
    return msgspec.json.decode(text, type=TimeInput)


def refusal(given: Time | str) -> str:
    """The field that normalise names when it refuses."""
    with pytest.raises(Malformed) as caught:
        normalise(given, "t")
    (error,) = caught.value.errors
    return error.field


def last(day: str) -> str:
    return f"{day}T23:59:59.999999"


# ---- bounds ----


def test_bounds_are_stored_in_utc() -> None:
    given = read('{"earliest": "2020-11-09T18:15:00+04:00", "latest": "2020-11-09T18:45:00.000001+04:00"}')
    stored = normalise(given, "t")
    assert stored.bounds == span("2020-11-09T14:15", "2020-11-09T14:45:00.000001")
    assert b'"2020-11-09T14:15:00Z"' in msgspec.json.encode(stored)


@pytest.mark.parametrize("text", ["2020-11-09T14:30:00", "2020-11-09", "2020-11-09T14:30:60Z", "1604932200", ""])
def test_an_instant_without_an_offset_is_refused_when_it_is_read(text: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="earliest"):
        read(f'{{"earliest": "{text}"}}')


@pytest.mark.parametrize(
    ("earliest", "best", "latest"),
    [("10:00", None, "09:00"), ("10:00", "09:00", None), (None, "10:00", "09:00"), ("10:00", "09:00", "11:00")],
)
def test_bounds_out_of_order_are_refused(earliest: str | None, best: str | None, latest: str | None) -> None:
    earliest, best, latest = (text and f"2020-11-09T{text}" for text in (earliest, best, latest))
    assert refusal(Time(earliest=utc(earliest), best=utc(best), latest=utc(latest))) == "t"


def test_the_order_of_bounds_is_that_of_the_instants_not_of_the_clocks() -> None:
    given = read('{"earliest": "2020-11-09T18:00:00+04:00", "latest": "2020-11-09T15:00:00Z"}')
    assert normalise(given, "t").bounds == span("2020-11-09T14:00", "2020-11-09T15:00")


def test_equal_bounds_are_an_instant() -> None:
    at = utc("2020-11-09T14:30")
    assert normalise(Time(earliest=at, best=at, latest=at), "t").bounds == Bounds(at, at)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00Z", "9998-12-31T23:59:59.999999Z", "9999-01-01T03:00:00+04:00"])
def test_the_years_1_to_9998_are_accepted(text: str) -> None:
    assert normalise(read(f'{{"best": "{text}"}}'), "t").best == datetime.fromisoformat(text)


@pytest.mark.parametrize("text", ["9999-01-01T00:00:00Z", "9998-12-31T23:00:00-04:00", "0001-01-01T00:00:00+04:00"])
def test_years_outside_1_to_9998_in_utc_are_refused(text: str) -> None:
    assert refusal(read(f'{{"latest": "{text}"}}')) == "t.latest"


@pytest.mark.parametrize("text", ["{}", '{"approximate": true}', '{"zone": "Asia/Yerevan"}'])
def test_a_time_that_says_nothing_is_refused(text: str) -> None:
    assert refusal(read(text)) == "t"


def test_the_wording_alone_is_a_time() -> None:
    assert normalise(Time(verbatim="earlier today"), "t").bounds == UNBOUNDED


@pytest.mark.parametrize("zone", ["Asia/Yerevan", "UTC", "Etc/GMT+4", "+04:00", "-14:00", "+14:59"])
def test_a_zone_is_an_iana_name_or_an_offset(zone: str) -> None:
    assert normalise(Time(verbatim="today", zone=zone), "t").zone == zone


@pytest.mark.parametrize("zone", ["Yerevan", "+4", "+15:00", "+04:60", "../UTC", "/etc/localtime", "Asia", "", "a\0b"])
def test_any_other_zone_is_refused(zone: str) -> None:
    assert refusal(Time(verbatim="today", zone=zone)) == "t.zone"


# ---- anchors ----


@pytest.mark.parametrize(
    ("anchor", "field"),
    [
        (Anchor(relation="after"), "t.anchor"),
        (Anchor(relation="after", document_id=DOCUMENT, version=1, statement_id=uuid(2)), "t.anchor"),
        (Anchor(relation="after", document_id=DOCUMENT), "t.anchor.version"),
        (Anchor(relation="after", statement_id=DOCUMENT, version=1), "t.anchor.version"),
        (Anchor(relation="after", statement_id=DOCUMENT, time_of_day="18:30"), "t.anchor.time_of_day"),
    ],
)
def test_an_anchor_that_names_too_little_or_too_much_is_refused(anchor: Anchor, field: str) -> None:
    assert refusal(Time(anchor=anchor)) == field


@pytest.mark.parametrize("name", ["earliest", "best", "latest"])
def test_an_anchored_time_may_not_give_bounds(name: str) -> None:
    anchor = Anchor(relation="after", statement_id=DOCUMENT)
    assert refusal(Time(anchor=anchor, **{name: utc("2020-11-09")})) == "t"


@pytest.mark.parametrize("clock", ["24:00", "18:60", "6:30", "18:30:00", "18:30\\n"])
def test_a_time_of_day_is_hours_and_minutes(clock: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="time_of_day"):
        read(f'{{"anchor": {{"relation": "same-day", "statement_id": "{DOCUMENT}", "time_of_day": "{clock}"}}}}')


def hang(
    relation: Any, origin: Bounds, *, zone: str | None = None, clock: str | None = None, approximate: bool = False
) -> Time:
    """A time that hangs on something that was at `origin`."""
    anchor = Anchor(relation=relation, document_id=DOCUMENT, version=1, time_of_day=clock)
    given = normalise(Time(anchor=anchor, zone=zone, approximate=approximate), "t")
    return resolve(given, origin)


D = span("2020-11-08T20:00", "2020-11-09T19:59:59.999999")
"""9 November 2020 in Armenia and Azerbaijan."""


def test_a_time_without_an_anchor_resolves_to_itself() -> None:
    time = Time(earliest=utc("2020-11-09"))
    assert resolve(time, D) is time


@pytest.mark.parametrize("origin", [D, UNBOUNDED, Bounds(D.earliest, None), Bounds(None, D.latest)])
def test_before_is_bounded_by_the_latest_and_after_by_the_earliest(origin: Bounds) -> None:
    assert hang("before", origin).bounds == (None, origin.latest)
    assert hang("after", origin).bounds == (origin.earliest, None)


SAME_DAY = [
    ("in UTC unless a zone is given", None, "2020-11-09T14:30", "2020-11-09T00:00", last("2020-11-09")),
    ("in a zone", "+04:00", "2020-11-09T14:30", "2020-11-08T20:00", "2020-11-09T19:59:59.999999"),
    ("over midnight UTC", "Asia/Yerevan", "2020-11-08T20:30", "2020-11-08T20:00", "2020-11-09T19:59:59.999999"),
    ("west of UTC", "-03:30", "2020-11-09T02:00", "2020-11-08T03:30", "2020-11-09T03:29:59.999999"),
    ("of 23 hours", "Europe/Berlin", "2020-03-29T12:00", "2020-03-28T23:00", "2020-03-29T21:59:59.999999"),
    ("of 25 hours", "Europe/Berlin", "2020-10-25T12:00", "2020-10-24T22:00", "2020-10-25T22:59:59.999999"),
    ("without a midnight", "America/Sao_Paulo", "2018-11-04T12:00", "2018-11-04T03:00", "2018-11-05T01:59:59.999999"),
    ("with two midnights", "America/Havana", "2020-11-01T12:00", "2020-11-01T04:00", "2020-11-02T04:59:59.999999"),
    ("in the first year", "+14:00", "0001-01-01T12:00", "0001-01-01T10:00", "0001-01-02T09:59:59.999999"),
    ("before the first year", "-14:00", "0001-01-01T00:00", "0001-01-01T00:00", "0001-01-01T13:59:59.999999"),
    ("cut where time begins", "+14:00", "0001-01-01T00:00", "0001-01-01T00:00", "0001-01-01T09:59:59.999999"),
    ("cut where time ends", "-14:00", last("9998-12-31"), "9998-12-31T14:00", last("9998-12-31")),
]


@pytest.mark.parametrize(("zone", "at", "earliest", "latest"), [c[1:] for c in SAME_DAY], ids=[c[0] for c in SAME_DAY])
def test_the_same_day_is_the_local_day(zone: str | None, at: str, earliest: str, latest: str) -> None:
    assert hang("same-day", span(at, at), zone=zone).bounds == span(earliest, latest)


def test_the_same_day_as_something_on_one_of_several_days_is_any_of_them() -> None:
    origin = span("2020-11-07T12:00", "2020-11-09T12:00")
    assert hang("same-day", origin).bounds == span("2020-11-07", last("2020-11-09"))


def test_the_same_day_as_what_is_half_known_is_half_known() -> None:
    at = utc("2020-11-09T12:00")
    assert hang("same-day", Bounds(at, None)).bounds == span("2020-11-09", None)
    assert hang("same-day", Bounds(None, at)).bounds == span(None, last("2020-11-09"))
    assert hang("same-day", UNBOUNDED, clock="18:30") == Time(anchor=hang("same-day", UNBOUNDED, clock="18:30").anchor)


def test_a_plain_time_of_day_is_its_minute() -> None:
    time = hang("same-day", D, zone="+04:00", clock="18:30")
    assert time.bounds == span("2020-11-09T14:30", "2020-11-09T14:30:59.999999")
    assert time.best == utc("2020-11-09T14:30")


def test_an_approximate_time_of_day_is_a_quarter_of_an_hour_about_it() -> None:
    time = hang("same-day", D, zone="+04:00", clock="18:30", approximate=True)
    assert time.bounds == span("2020-11-09T14:15", "2020-11-09T14:45")
    assert time.best == utc("2020-11-09T14:30")


def test_a_time_of_day_on_one_of_several_days_has_no_best() -> None:
    time = hang("same-day", span("2020-11-08T12:00", "2020-11-09T12:00"), clock="18:30")
    assert time.bounds == span("2020-11-08T18:30", "2020-11-09T18:30:59.999999")
    assert time.best is None


def test_a_time_of_day_that_comes_twice_is_either() -> None:
    time = hang("same-day", span("2020-10-25T12:00", "2020-10-25T12:00"), zone="Europe/Berlin", clock="02:30")
    assert time.bounds == span("2020-10-25T00:30", "2020-10-25T01:30:59.999999")
    assert time.best is None


def test_a_time_of_day_that_never_comes_lies_about_the_gap() -> None:
    time = hang("same-day", span("2020-03-29T12:00", "2020-03-29T12:00"), zone="Europe/Berlin", clock="02:30")
    assert time.bounds == span("2020-03-29T00:30", "2020-03-29T01:30:59.999999")
    assert time.best is None


@pytest.mark.parametrize(("at", "clock"), [("0001-01-01T00:00", "00:00"), (last("9998-12-31"), "23:59")])
@pytest.mark.parametrize("approximate", [False, True])
@pytest.mark.parametrize("zone", ["+14:00", "-14:00", "UTC"])
def test_no_derived_bound_leaves_the_years_1_to_9998(at: str, clock: str, approximate: bool, zone: str) -> None:
    time = hang("same-day", span(at, at), clock=clock, approximate=approximate, zone=zone)
    known = [t for t in (time.earliest, time.best, time.latest) if t]
    assert known == sorted(known)
    assert all(1 <= t.year <= 9998 for t in known)


@given(
    st.datetimes(timezones=st.just(UTC), max_value=datetime.fromisoformat("9998-12-31")),
    st.timedeltas(timedelta(), timedelta(days=3)),
    st.sampled_from(["+14:00", "-14:00", "Asia/Yerevan", "Europe/Berlin", "America/Havana", "Pacific/Apia", None]),
    st.sampled_from([None, "00:00", "02:30", "23:59"]),
    st.booleans(),
)
@example(datetime(2011, 12, 31, 9, tzinfo=UTC), timedelta(), "Pacific/Apia", None, False)
def test_the_same_day_holds_its_origin_and_its_bounds_are_in_order(
    at: datetime, length: timedelta, zone: str | None, clock: str | None, approximate: bool
) -> None:
    time = hang("same-day", Bounds(at, at + length), zone=zone, clock=clock, approximate=approximate)
    known = [t for t in (time.earliest, time.best, time.latest) if t]
    assert known == sorted(known)
    if clock is None:
        assert time.earliest <= at <= at + length <= time.latest


# ---- EDTF ----

EDTF = [
    ("2020-11-09", "2020-11-09", last("2020-11-09")),
    ("2020-02-29", "2020-02-29", last("2020-02-29")),
    ("2020-11", "2020-11-01", last("2020-11-30")),
    ("2020", "2020-01-01", last("2020-12-31")),
    ("0001", "0001-01-01", last("0001-12-31")),
    ("9998", "9998-01-01", last("9998-12-31")),
    ("201X", "2010-01-01", last("2019-12-31")),
    ("20XX", "2000-01-01", last("2099-12-31")),
    ("2020-XX", "2020-01-01", last("2020-12-31")),
    ("2020-11-XX", "2020-11-01", last("2020-11-30")),
    ("2020-21", "2020-03-01", last("2020-05-31")),
    ("2020-23", "2020-09-01", last("2020-11-30")),
    ("2020-33", "2020-01-01", last("2020-03-31")),
    ("2020-11-09?", "2020-11-09", last("2020-11-09")),
    ("2020-11-09/2020-11-10", "2020-11-09", last("2020-11-10")),
    ("2020-11/2020-12-05", "2020-11-01", last("2020-12-05")),
    ("2020-11-09/..", "2020-11-09", None),
    ("2020-11-09/", "2020-11-09", None),
    ("../2020-11-09", None, last("2020-11-09")),
    ("/2020-11-09", None, last("2020-11-09")),
    ("[2019,2020]", "2019-01-01", last("2020-12-31")),
    ("2020-11-09T14:30:00Z", "2020-11-09T14:30", "2020-11-09T14:30"),
    ("2020-11-09T18:30:00.5+04:00", "2020-11-09T14:30:00.5", "2020-11-09T14:30:00.5"),
    ("2020-11-09T14:30:00Z/..", "2020-11-09T14:30", None),
    ("2020-11-09T14:30:00Z/2020-11-09", "2020-11-09T14:30", last("2020-11-09")),
]


@pytest.mark.parametrize(("text", "earliest", "latest"), EDTF)
def test_an_edtf_string_has_bounds_and_is_kept(text: str, earliest: str | None, latest: str | None) -> None:
    assert normalise(text, "t") == Time(earliest=utc(earliest), latest=utc(latest), edtf=text)


@pytest.mark.parametrize("text", ["2020~", "2020-11~", "2020%", "2020-11-09~/..", "../2020~", "2020-11-~09"])
def test_an_approximate_edtf_string_is_approximate(text: str) -> None:
    assert normalise(text, "t").approximate


GARBAGE = [
    *("junk", "..", "/", "../..", "..//", "/..", "unknown", "2020/open", "2020-11-09/2020-11-10/2020-11-11"),
    *("2020-1", "2020-1X", "2020-X1-01", "2020-13", "2020-13-01", "2019-02-29", "2020-02-30", "2020-11-09/2020-11-08"),
    *("XXXX", "XXXX-12-25", "[..1984]", "(2020)", "2020-W05", "20200-01", "20201109", "٢٠٢٠", "2020\u2212 11"),
    *("Y17000", "-2020", "-0001", "0000", "9999", "Y-17E7", "Y3E3", "1950S2", "2001-21^southernHemisphere"),
    *("2020-11-09T14:30Z", "2020-11-09T14:30:00", "2020-11-09T25:00:00Z", "2020-11-09T23:59:60Z", "2020-11-09T"),
    *("2020-11-09T14:30:00.1234567Z", "0001-01-01T00:00:00+04:00", "9999-01-01T00:00:00Z", "2020-11-09T14:30:00+24:00"),
    *(" 2020", "2020 ", "2020\n", "2020 -11", "[2019, 2020]", "", "2020\0", "\ud800"),
    *("(" * 100, "[" * 100, "x" * 100, "1" * 100, "2020-" * 20, "[" + "1," * 49 + "1]", "~" * 100),
]


@pytest.mark.parametrize("text", GARBAGE)
def test_garbage_is_refused_and_nothing_is_printed(text: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The parser that we use prints to stdout for some of these."""
    assert refusal(text) == "t"
    assert capfd.readouterr() == ("", "")


@given(st.text(st.sampled_from("0123456789-X~?%./[]{},TZ:+SYE "), max_size=12))
@example("2020-1X")
@example("201X-X0")
def test_no_string_is_refused_in_any_other_way(text: str) -> None:
    try:
        time = normalise(text, "t")
    except Malformed:
        return
    assert time.earliest is None or time.latest is None or time.earliest <= time.latest
    assert time.bounds != UNBOUNDED
    assert normalise(time, "t") == time


@given(st.text(st.sampled_from("0123X-"), min_size=4, max_size=10))
def test_no_string_is_printed_about(text: str) -> None:
    from contextlib import redirect_stdout, suppress
    from io import StringIO

    with redirect_stdout(StringIO()) as printed, suppress(Malformed):
        normalise(text, "t")
    assert printed.getvalue() == ""


def test_the_days_of_an_edtf_string_are_read_in_its_zone() -> None:
    """A day in Beirut is not a day in Greenwich; a string alone is read in UTC."""
    day = normalise(Time(edtf="2020-08-04", zone="Asia/Beirut"), "t")
    assert (day.earliest, day.latest) == (utc("2020-08-03T21:00"), utc("2020-08-04T20:59:59.999999"))
    assert normalise(day, "t") == day, "what was given back may be given again"


@pytest.mark.parametrize(
    ("time", "field"),
    [
        (Time(edtf="2020", earliest=utc("2020-02-01")), "t.earliest"),
        (Time(edtf="2020", best=utc("2020-02-01")), "t.edtf"),
        (Time(edtf="nonsense", zone="Asia/Beirut"), "t.edtf"),
        (Time(edtf="9998-12-31", zone="-04:00"), "t.edtf"),
        (Time(edtf="0001-01-01", zone="+04:00"), "t.edtf"),
    ],
)
def test_an_edtf_string_goes_with_nothing_that_contradicts_it(time: Time, field: str) -> None:
    with pytest.raises(Malformed) as caught:
        normalise(time, "t")
    assert [error.field for error in caught.value.errors] == [field]
