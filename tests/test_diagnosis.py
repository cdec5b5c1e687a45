"""Why a result is empty: each cause is found, in few requests, and said with what to do; else nothing is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from insights_mcp.diagnosis.conditions import conditions_of
from insights_mcp.local import Backend
from tests.notebook import WEEK, notes, opened, reader, trend

pytestmark = pytest.mark.anyio
ASKED = "POST /api/projects/1/query/"
MIDMORNING = {"date_from": "2025-11-11T10:00:00", "date_to": "2025-11-11T10:30:00", "explicitDate": True}
SAVED = {"kind": "EventsNode", "event": "note saved"}
PLAN = {"key": "plan", "type": "person"}


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    """A project with events; its test accounts are the staff, its cohorts hold nobody (1) and who pays (2)."""
    with opened(tmp_path_factory.mktemp("notebook")) as backend:
        yield backend


def funnel(*events: str, steps: Sequence[Any] = (), **more: Any) -> dict[str, Any]:
    """A funnel over all the events there are; `steps` come last."""
    steps = [*({"kind": "EventsNode", "event": event} for event in events), *steps]
    return {"kind": "FunnelsQuery", "series": steps, "dateRange": {"date_from": "2025-10-01"}} | more


def sql(text: str) -> dict[str, Any]:
    """A question in SQL."""
    return {"kind": "HogQLQuery", "query": text}


def retention(first: str, again: str, **more: Any) -> dict[str, Any]:
    """Who did one thing and came back for another, by days."""
    given = {"targetEntity": {"id": first, "type": "events"}, "returningEntity": {"id": again, "type": "events"}}
    return {"kind": "RetentionQuery", "retentionFilter": given | {"period": "Day", "totalIntervals": 5} | more}


CAUSES: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "a misspelled event": (
        trend(event="note svaed"),
        ('No "note svaed" event has ever been seen', '"Notebook"', 'Use "note saved" as series[0].event'),
    ),
    "an event of other words": (trend(event="user_signed_up"), ('Use "signed up" as series[0].event',)),
    "an event like none": (
        trend(event="checkout"), ('There are: "$pageview", "note saved", "signed up", "refund asked".',)
    ),
    "one series of two": (
        trend(series={"event": "note saved"}) | {"series": [SAVED, {"kind": "EventsNode", "event": "pageview"}]},
        ('No "pageview" event', 'Use "$pageview" as series[1].event'),
    ),
    "before the window": (
        trend(event="refund asked"),
        ('"refund asked" was last seen 2025-11-11, before the window (2026-01-03 to 2026-01-09)', '"2025-11-11"'),
    ),
    "after the window": (
        trend(dateRange={"date_from": "2020-01-01", "date_to": "2020-02-01"}),
        ("was first seen 2026-01-03, after the window", '"date_to": "2026-01-09"'),
    ),
    "around the window": (
        trend(event="refund asked", dateRange=MIDMORNING),
        ("was seen from 2025-11-11 to 2025-11-11, but never in the window",),
    ),
    "no event at all in the window": (
        trend(event=None, dateRange={"date_from": "2020-01-01", "date_to": "2020-02-01"}),
        ("Any event was first seen 2025-11-11, after the window",),
    ),
    "the future": (trend(dateRange={"date_from": "2031-01-01"}), ("begins in the future", '"date_from": "-30d"')),
    "inverted dates": (
        trend(dateRange={"date_from": "2026-01-05", "date_to": "2026-01-01"}),
        ("ends before it begins", '{"date_from": "2026-01-01", "date_to": "2026-01-05"}'),
    ),
    "another case of a value": (
        trend({"key": "size", "value": ["large"]}, PLAN | {"value": ["Paid"]}),
        ("after size = large 84; after plan = Paid 0", '"free" (56), "paid" (28)', 'Use "paid"'),
    ),
    "a value like none": (trend(PLAN | {"value": "enterprise"}), ('Values of plan there: "free" (56), "paid" (28).',)),
    "beyond the numbers": (
        trend({"key": "words", "value": 1000, "operator": "gt"}), ('The values of "words" go from 10 to 70',),
    ),
    "texts are no numbers": (
        trend({"key": "size", "value": 3, "operator": "gte"}), ('are no numbers, such as "large"',),
    ),
    "what everybody is": (
        trend(PLAN | {"operator": "is_not", "value": ["paid", "free"]}), ("All of them have what plan ≠",),
    ),
    "a property nobody has": (
        trend({"key": "word", "value": ["10"]}),
        ('None of these events has the event property "word"', 'Use "words" as the filter\'s key'),
    ),
    "a person's property": (
        trend({"key": "plan", "value": ["paid"]}),
        ('It is a person property (on 84 of them): "type": "person" in the filter, or in short person.plan',),
    ),
    "an event's property": (
        trend({"key": "words", "type": "person", "value": ["10"]}),
        ('"type": "event" in the filter, or in short words.',),
    ),
    "one of several": (
        trend({"type": "OR", "values": [PLAN | {"value": "x"}, PLAN | {"value": "y"}]}),
        ("after (plan = x or plan = y) 0", 'Values of plan there: "free", "paid".'),
    ),
    "one of several, in another case": (
        trend({"type": "OR", "values": [PLAN | {"value": "PAID"}, {"key": "size", "value": "LARGE"}]}),
        ('Values of plan there: "free", "paid".', 'Use "paid".', 'Values of size there: "large"', 'Use "large".'),
    ),
    "one of several that are missing": (
        trend({"type": "OR", "values": [{"key": "nothing", "value": 1}, {"key": "size", "value": "LARGE"}]}),
        ('None of these events has the event property "nothing".', 'Use "large".'),
    ),
    "what was clicked": (
        trend({"key": "text", "type": "element", "value": "Buy"}),
        ("after text = Buy 0", 'the element property "text"'),
    ),
    "a flag": (
        trend({"key": "$feature/new", "type": "feature", "value": "test"}),
        ("after $feature/new = test 0", 'the feature property "$feature/new"'),
    ),
    "numbers between others": (
        trend({"key": "words", "operator": "between", "value": [5000, 6000]}), ("after words between 5000 and 6000 0",),
    ),
    "a filter that is not counted": (
        trend({"key": "size", "operator": "is_date_before", "value": "-3d"}),
        ("pass all filters that can be counted one by one. Not counted: size before -3d.",),
    ),
    "the sum of a property it lacks": (
        trend(event="note saved", series={"math": "sum", "math_property": "length"}),
        ("after length is set 0", 'There are: "size", "words"'),
    ),
    "an empty cohort": (trend({"key": "id", "type": "cohort", "value": 1}), ("Cohort 1 has no members",)),
    "a cohort that did not": (
        trend({"key": "words", "operator": "lt", "value": 0}, {"key": "id", "type": "cohort", "value": 2}),
        ("after words < 0 0",),
    ),
    "test accounts": (
        trend(PLAN | {"value": "paid"}, {"key": "role", "type": "person", "value": "staff"}, filterTestAccounts=True),
        ("7 \"note saved\" events pass all but the test-account filter", '"filterTestAccounts": false'),
    ),
    "a funnel in another order": (
        funnel("note saved", "signed up"),
        ('12 persons did step 1 and step 2 ("signed up"), but none did step 2 after',),
    ),
    "a funnel in too short a time": (
        funnel("refund asked", "signed up", funnelsFilter={"funnelWindowInterval": 1}),
        ("2 persons did step 2", "the conversion window is 1 day", '{"funnelWindowInterval": 2}'),
    ),
    "the third step of a funnel": (
        funnel("signed up", "$pageview", "note shared"), ('No "note shared" event', "series[2].event"),
    ),
    "a step that is filtered away": (
        funnel("signed up", steps=[SAVED | {"properties": [{"key": "size", "value": "S"}]}]),
        ("after size = S 0", '"large" (84)'),
    ),
    "steps of nobody together": (
        funnel("refund asked", steps=[SAVED | {"properties": [PLAN | {"value": "free"}]}]),
        ("2 persons did step 1", 'none of them did step 2 ("note saved") as well'),
    ),
    "a retention of nothing": (
        retention("sign up", "note saved"), ('No "sign up" event', "retentionFilter.targetEntity.id"),
    ),
    "a retention of two things that are not there": (
        retention("sign up", "note svaed"), ('No "sign up" event', 'No event "note svaed" has been seen'),
    ),
    "nobody comes back": (
        retention("note saved", "refund asked"), ('"refund asked" was last seen 2025-11-11, before the window',),
    ),
    "stickiness": (
        {"kind": "StickinessQuery", "series": [{"kind": "EventsNode", "event": "note red"}], "dateRange": WEEK},
        ('No "note red" event', 'Use "note saved"'),
    ),
    "lifecycle": (
        {"kind": "LifecycleQuery", "series": [{"kind": "EventsNode", "event": "refund asked"}], "dateRange": WEEK},
        ("was last seen 2025-11-11",),
    ),
    "a path from nowhere": (
        {"kind": "PathsQuery", "dateRange": WEEK,
         "pathsFilter": {"includeEventTypes": ["$pageview"], "startPoint": "https://n.app/hom"}},
        ("after startPoint = https://n.app/hom 0", 'Use "https://n.app/home"'),
    ),
    "screens where there are pages": (
        {"kind": "PathsQuery", "dateRange": WEEK, "pathsFilter": {"includeEventTypes": ["$screen"]}},
        ('No "$screen" event has ever been seen',),
    ),
    "SQL of an event that is not there": (
        sql("select timestamp from events where event = 'notes saved'"), ('Use "note saved" as the name in the SQL',),
    ),
    "SQL of a value that is not there": (
        sql("select timestamp from events where event = 'note saved' and person.properties.plan = 'PAID'"),
        ("after plan = PAID 0", 'Use "paid"'),
    ),
    "SQL that counts nothing": (
        sql("select count(), sum(1) from events where event = 'note saved' and timestamp > now()"),
        ('There are 84 "note saved" events from 2026-01-03 to 2026-01-09', "the SQL's other conditions"),
    ),
    "SQL without events": (sql("select id from persons where 1 = 2"), ("no row met it",)),
}  # fmt: skip


@pytest.mark.parametrize("cause", CAUSES)
async def test_the_cause_is_found(cause: str, backend: Backend) -> None:
    """Each is told in a note, after three questions at most, and four lists of names, which are kept for minutes."""
    query, facts = CAUSES[cause]
    async with reader(backend) as (user, sent):
        told = await user.call("run_query", query=query)
        assert not told.failed, told.text
        assert [] == [fact for fact in facts if fact not in notes(told)], told.text
        assert 3 >= len(sent.of(ASKED)) - 1
        assert 4 >= len(sent.of("_definitions/"))


FULL = (trend(), funnel("signed up", "note saved"), sql("select 1"), retention("note saved", "note saved"))


@pytest.mark.parametrize("query", FULL, ids=lambda query: str(query["kind"]))
async def test_nothing_is_asked_when_there_is_something(query: dict[str, Any], backend: Backend) -> None:
    """One query is one request, besides the lists of names."""
    async with reader(backend) as (user, sent):
        told = await user.call("run_query", query=query)
    assert (False, "", 1) == (told.failed, notes(told), len(sent.of(ASKED)))


async def test_the_same_question_is_not_asked_twice(backend: Backend) -> None:
    """What was found a moment ago is told again; only the query itself is sent."""
    async with reader(backend) as (user, sent):
        first = await user.call("run_query", query=trend(event="note svaed"))
        before = len(sent.sent)
        again = await user.call("run_query", query=trend(event="note svaed"))
    assert (notes(first), 1) == (notes(again), len(sent.sent) - before)


async def test_a_saved_insight_says_why(backend: Backend) -> None:
    """Reading it does, too."""
    async with reader(backend) as (user, _):
        made = await user.call("create_insight", name="Gone", query=trend(event="refund asked"))
        told = await user.call("get_insight", id="Gone")
    assert (False, True) == (made.failed, "was last seen 2025-11-11" in notes(told)), told.text


@pytest.mark.parametrize(("query", "point", "fact"), [
    (trend(event="note svaed"), {"day": "2026-01-05"}, 'Use "note saved" as series[0].event'),
    (trend(PLAN | {"value": "Paid"}), {"day": "2026-01-05"}, 'Use "paid"'),
    (funnel("signed up", "refund asked"), {"step": 2}, "Nobody is behind that point: its number is 0"),
    (trend(), {"day": "2026-01-09", "search": "zoe"}, 'No mail, name or id there contains "zoe"'),
], ids=["event", "filter", "step", "search"])  # fmt: skip
async def test_nobody_is_behind_it_for_a_reason(query: Any, point: Any, fact: str, backend: Backend) -> None:
    """Who is behind nothing: what leaves nothing is told, and of a search without asking."""
    async with reader(backend) as (user, sent):
        told = await user.call("list_actors", query=query, **point)
    assert (False, True) == (told.failed, fact in notes(told)), told.text
    assert ("search" not in point) == (len(sent.of(ASKED)) > 1)


@pytest.mark.parametrize(("asked", "fact"), [
    ({"search": "notes svd"}, 'Nothing holds "notes svd"; nearest: "note saved".'),
    ({"kind": "properties", "event": "note svaed"}, 'No event "note svaed" has been seen. Use "note saved" as event.'),
    ({"kind": "properties", "of": "person", "search": "plna"}, 'nearest: "plan"'),
    ({"kind": "values", "event": "note saved", "property": "sise"}, 'Use "size" as property.'),
    ({"kind": "values", "event": "note saved", "property": "size", "search": "tiny"}, ""),
], ids=lambda value: "-".join(value.values()) if isinstance(value, dict) else "")  # fmt: skip
async def test_a_list_of_names_is_not_empty_without_a_reason(asked: Any, fact: str, backend: Backend) -> None:
    """A name that does not exist is told of, with the nearest that does."""
    async with reader(backend) as (user, _):
        told = await user.call("discover_data", **asked)
    assert (False, bool(fact), True) == (told.failed, bool(notes(told)), fact in told.text), told.text


async def test_a_filter_without_a_value_is_no_cause() -> None:
    """PostHog passes it over."""
    assert not conditions_of([PLAN | {"operator": "exact"}, {}, {"type": "AND", "values": [PLAN]}])


async def test_a_return_counts_under_its_own_value(backend: Backend) -> None:
    """Of a retention split by what an event holds: which the other event need not hold."""
    split = {"breakdownFilter": {"breakdown": "$current_url", "breakdown_type": "event"}}
    query = retention("signed up", "note saved") | {"dateRange": {"date_from": "2025-12-30"}} | split
    async with reader(backend) as (user, _):
        said = notes(await user.call("run_query", query=query))
    assert 'with the same "$current_url": split by what an event holds' in said


async def test_what_is_empty_is_not_to_be_saved(backend: Backend) -> None:
    """The next step is to mend it."""
    async with reader(backend) as (user, _):
        told = [await user.call("run_query", query=trend(event=event)) for event in ("note svaed", "$pageview")]
    assert [None, ["create_insight saves the query."]] == [each.structured.get("next") for each in told]


async def test_names_are_listed_without_what_nothing_has(backend: Backend) -> None:
    """No column of empty descriptions; moments to the minute."""
    async with reader(backend) as (user, _):
        told = await user.call("discover_data", search="note saved")
    assert ["event", "last seen (UTC)"] == told.structured["columns"]
    assert len("2026-01-09 10:00") == len(told.structured["rows"][0][1])


@pytest.mark.parametrize(("day", "told"), [("2026-01-02", True), ("2026-01-03", False)])
async def test_a_day_outside_of_the_window_is_told(day: str, told: bool, backend: Backend) -> None:
    """Who came then is listed all the same, though the reply does not say which dates the insight has."""
    async with reader(backend) as (user, _):
        said = notes(await user.call("list_actors", query=trend(event="note saved"), day=day))
    assert told == ("is not in the insight's range (2026-01-03 to 2026-01-09)" in said)
