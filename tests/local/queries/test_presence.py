"""Retention, stickiness and lifecycle against plain Python, on many random small worlds and on real commits."""

from __future__ import annotations

import gzip
import json
import os
import random
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.local import queries
from insights_mcp.local.events import Catalogue, EventStore
from insights_mcp.local.load import load
from insights_mcp.local.queries import lifecycle, retention, stickiness
from insights_mcp.local.queries.project import Context
from tests.local.queries import plain
from tests.local.queries.plain import Did, Retention

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WORLDS = 150
SINCE = datetime(2026, 2, 20, tzinfo=UTC)  # both sides of the US and the European change to summer time
ZONES = ("UTC", "US/Pacific", "Europe/Berlin", "Asia/Kolkata")
SNAPSHOTS = Path(__file__).parent / "snapshots"
COMMITS = Path(__file__).parents[4] / "shared" / "data" / "oss-commits.jsonl.gz"
Rows = list[dict[str, Any]]


def world(number: int) -> tuple[Rows, Rows]:
    """Up to four persons with a few events over six weeks, and when these persons came to be."""
    dice = random.Random(number)
    names = [f"{number}-{name}" for name in "abcd"[: dice.randint(1, 4)]]
    spread = dice.choice((30, 200, 1000))
    events = []
    for _ in range(dice.randint(1, 14)):
        properties = {
            "world": f"w{number}",
            "browser": dice.choice(("Chrome", "Safari", "", None)),
            "amount": dice.choice((1, 2.5, 10, None)),
            "$group_0": dice.choice(("acme", "hedge", None)),
        }
        event = {
            "event": dice.choice(("visit", "visit", "buy")),
            "distinct_id": dice.choice(names),
            "timestamp": (SINCE + timedelta(minutes=dice.randrange(spread) * 60 + dice.choice((0, 30)))).isoformat(),
            "properties": {key: value for key, value in properties.items() if value is not None},
        }
        events.append(event)
    persons = [
        {
            "distinct_id": name,
            "person_id": f"00000000-0000-4000-8000-{number:08d}{place:04d}",
            "person_version": 1,
            "properties": {},
            "created_at": (SINCE + timedelta(hours=dice.randrange(spread))).isoformat(),
        }
        for place, name in enumerate(names)
    ]
    return events, persons


MADE = [world(number) for number in range(WORLDS)]


def store_of(rows: Rows, folder: Path) -> EventStore:
    source = folder / "events.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    load([source], folder)
    return EventStore(folder / "events.duckdb")


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    opened = store_of([row for made in MADE for part in made[::-1] for row in part], tmp_path_factory.mktemp("worlds"))
    yield opened
    opened.close()


def answered(store: EventStore, query: dict[str, Any], **settings: Any) -> Rows:
    project = queries.Project(**settings)
    answer = queries.run(query, events=store, project=project, now=NOW, cancelled=threading.Event())
    return list(answer["results"])


def events_of(rows: Rows, zone: str = "UTC") -> list[Did]:
    moments = [datetime.fromisoformat(row["timestamp"]) for row in rows]
    return [
        Did(
            row["distinct_id"],
            row["event"],
            moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None),
            moment.astimezone(UTC),
            row["properties"],
        )
        for row, moment in zip(rows, moments, strict=True)
    ]


def of_group(events: list[Did]) -> list[Did]:
    """The same events, done by groups."""
    return [
        Did(str(key), each.event, each.at, each.utc, each.properties)
        for each in events
        if (key := each.properties.get("$group_0"))
    ]


# -- random worlds -----------------------------------------------------------------------------------------------------

NUMBERS = st.integers(0, WORLDS - 1)
UNITS = st.sampled_from(("hour", "day", "week", "month"))
ENTITIES = st.sampled_from(
    ({"name": "All events"}, {"id": "visit", "type": "events"}, {"id": "buy", "type": "events"},
     {"id": "visit", "properties": [{"key": "browser", "value": "Chrome", "operator": "exact", "type": "event"}]})
)  # fmt: skip
SETTINGS = st.fixed_dictionaries({"timezone": st.sampled_from(ZONES), "week_start_day": st.sampled_from((0, 1))})


@st.composite
def retention_filters(draw: st.DrawFn) -> dict[str, Any]:
    """What a retention table may be asked for."""
    kinds = ("retention_recurring", "retention_first_time", "retention_first_ever_occurrence")
    asked: dict[str, Any] = {
        "period": draw(UNITS).title(),
        "totalIntervals": draw(st.one_of(st.integers(1, 9), st.just(70))),
        "retentionType": draw(st.sampled_from(kinds)),
        "targetEntity": draw(ENTITIES),
        "returningEntity": draw(ENTITIES),
    }
    mode = draw(st.sampled_from(("plain", "least", "cumulative", "brackets", "windows", "sum", "avg")))
    more: dict[str, dict[str, Any]] = {
        "plain": {},
        "least": {"minimumOccurrences": 2},
        "cumulative": {"cumulative": True},
        "brackets": {"retentionCustomBrackets": [1, 2, 3]},
        "windows": {"timeWindowMode": "24_hour_windows"},
        "sum": {"aggregationType": "sum", "aggregationProperty": "amount"},
        "avg": {"aggregationType": "avg", "aggregationProperty": "amount"},
    }
    return asked | more[mode]


def is_entity(entity: dict[str, Any], bare: bool = False) -> plain.Test:
    """Whether an event is an entity, with its properties or (`bare`) without."""
    filters = [] if bare else entity.get("properties", [])
    return lambda each: (
        entity.get("id") in (None, each.event)
        and all(each.properties.get(one["key"]) == one["value"] for one in filters)
    )


def asked_plainly(asked: dict[str, Any], end: datetime, week_start: int, split: bool) -> Retention:
    unit = asked["period"].lower()
    brackets = tuple(asked.get("retentionCustomBrackets", ()))
    return Retention(
        periods=plain.last_periods(end, unit, asked["totalIntervals"], week_start),
        unit=unit,
        columns=len(brackets) + 1 if brackets else asked["totalIntervals"],
        start=is_entity(asked["targetEntity"]),
        back=is_entity(asked["returningEntity"]),
        known=is_entity(asked["targetEntity"], bare=True),
        week_start=week_start,
        type=asked["retentionType"],
        least=asked.get("minimumOccurrences", 1),
        brackets=brackets,
        cumulative=asked.get("cumulative", False),
        by=(lambda each: each.properties.get("browser", "")) if split else (lambda each: ""),
    )


def cells(results: Rows, name: str = "count") -> dict[tuple[str, int, int], float]:
    """The cells of a retention answer that are not 0, by value, row and column."""
    return {
        (row.get("breakdown_value", ""), int(row["label"].split()[1]), column): cell[name]
        for row in results
        for column, cell in enumerate(row["values"])
        if cell[name]
    }


@settings(max_examples=300, deadline=None)
@given(NUMBERS, retention_filters(), st.integers(0, 40), st.booleans(), st.booleans(), SETTINGS)
def test_retention_is_as_in_plain_python(
    worlds: EventStore,
    number: int,
    asked: dict[str, Any],
    day: int,
    split: bool,
    by_group: bool,
    setting: dict[str, Any],
) -> None:
    """Every way to count retention gives what a loop over the events gives."""
    end = (SINCE + timedelta(days=day)).replace(tzinfo=None, hour=20)
    query: dict[str, Any] = {
        "kind": "RetentionQuery",
        "retentionFilter": asked,
        "dateRange": {"date_to": end.isoformat()},
        "properties": [{"key": "world", "value": f"w{number}", "operator": "exact", "type": "event"}],
    }
    if split:
        query["breakdownFilter"] = {"breakdown": "browser", "breakdown_type": "event"}
    if by_group:
        query["aggregation_group_type_index"] = 0
    results = answered(worlds, query, **setting)
    events = events_of(MADE[number][0], setting["timezone"])
    events = of_group(events) if by_group else events
    wanted = asked_plainly(asked, end, setting["week_start_day"], split)
    if "timeWindowMode" in asked:
        assert plain.windows(wanted, events) == cells(results)
    elif "aggregationType" in asked:
        assert sums(asked, wanted, events) == pytest.approx(cells(results, "aggregation_value"))
    else:
        assert wanted.counts(events) == cells(results)


def sums(asked: dict[str, Any], wanted: Retention, events: list[Did]) -> dict[tuple[str, int, int], float]:
    same = asked["targetEntity"].get("id") == asked["returningEntity"].get("id") and (
        asked["targetEntity"].get("properties") == asked["returningEntity"].get("properties")
    )
    found = plain.amounts(wanted, same, "amount", events)
    if asked["aggregationType"] == "avg":
        counts = wanted.counts(events)
        found = {cell: amount / counts[cell] for cell, amount in found.items() if amount}
    return {cell: amount for cell, amount in found.items() if amount}


@settings(max_examples=150, deadline=None)
@given(
    NUMBERS, UNITS, st.integers(0, 30), st.integers(0, 30), st.sampled_from((None, "gte", "lte", "exact")),
    st.booleans(), SETTINGS,
)  # fmt: skip
def test_stickiness_is_as_in_plain_python(
    worlds: EventStore, number: int, unit: str, day: int, days: int, often: str | None, by_group: bool,
    setting: dict[str, Any],
) -> None:  # fmt: skip
    """As many are active on so many intervals as a loop over the events finds."""
    start = (SINCE + timedelta(days=day)).replace(tzinfo=None)
    end = start + timedelta(days=days, hours=23, minutes=59, seconds=59)
    math = {"math": "unique_group", "math_group_type_index": 0} if by_group else {}
    query: dict[str, Any] = {
        "kind": "StickinessQuery",
        "interval": unit,
        "series": [{"kind": "EventsNode", "event": "visit", **math}],
        "dateRange": {"date_from": f"{start:%Y-%m-%d}", "date_to": end.isoformat()},
        "properties": [{"key": "world", "value": f"w{number}", "operator": "exact", "type": "event"}],
    }
    if often:
        query["stickinessFilter"] = {"stickinessCriteria": {"operator": often, "value": 2}}
    [series] = answered(worlds, query, **setting)
    read_from = plain.floor(start, unit, setting["week_start_day"])
    events = [each for each in events_of(MADE[number][0], setting["timezone"]) if read_from <= each.at <= end]
    events = [each for each in (of_group(events) if by_group else events) if each.event == "visit"]
    enough = {None: lambda n: True, "gte": lambda n: n >= 2, "lte": lambda n: n <= 2, "exact": lambda n: n == 2}[often]
    moments = {plain.floor(each.at, unit, setting["week_start_day"]) for each in events}
    numbers = {moment: place for place, moment in enumerate(moments)}
    expected = plain.stickiness(
        events, lambda each: numbers[plain.floor(each.at, unit, setting["week_start_day"])], enough
    )
    actual = {n: count for n, count in zip(series["days"], series["data"], strict=True) if count}
    assert {n: count for n, count in expected.items() if n} == actual


@settings(max_examples=150, deadline=None)
@given(NUMBERS, UNITS, st.integers(0, 30), st.integers(0, 70), SETTINGS)
def test_lifecycle_is_as_in_plain_python(
    worlds: EventStore, number: int, unit: str, day: int, days: int, setting: dict[str, Any]
) -> None:
    """Each period has as many of each status as a loop over the events finds; also beyond 64 periods."""
    start = (SINCE + timedelta(days=day)).replace(tzinfo=None)
    end = start + timedelta(days=days, hours=23, minutes=59, seconds=59)
    query: dict[str, Any] = {
        "kind": "LifecycleQuery",
        "interval": unit,
        "series": [{"kind": "EventsNode", "event": None}],
        "dateRange": {"date_from": f"{start:%Y-%m-%d}", "date_to": end.isoformat()},
        "properties": [{"key": "world", "value": f"w{number}", "operator": "exact", "type": "event"}],
    }
    results = answered(worlds, query, **setting)
    events, persons = MADE[number]
    zone = ZoneInfo(setting["timezone"])
    born = {
        row["distinct_id"]: datetime.fromisoformat(row["created_at"]).astimezone(zone).replace(tzinfo=None)
        for row in persons
    }
    periods = list(stepped(start, end, unit, setting["week_start_day"]))
    expected = plain.lifecycle(
        events_of(events, setting["timezone"]), born.get, periods, unit, setting["week_start_day"]
    )
    assert expected == statuses(results)


def stepped(start: datetime, end: datetime, unit: str, week_start: int) -> Iterator[datetime]:
    """The starts of the periods of a range, and of the one before it."""
    first = plain.floor(start, unit, week_start)
    number = -1
    while (period := plain.step(first, unit, number)) <= end:
        yield period
        number += 1


def statuses(results: Rows) -> Counter[tuple[datetime, str]]:
    return +Counter(
        {
            (datetime.fromisoformat(day), series["status"]): abs(int(count))
            for series in results
            for day, count in zip(series["days"], series["data"], strict=True)
        }
    )


# -- statements --------------------------------------------------------------------------------------------------------

BACK = {"targetEntity": {"id": "visit"}, "returningEntity": {"id": "buy"}, "period": "Week", "totalIntervals": 8}
RETENTION = {"kind": "RetentionQuery", "dateRange": {"date_to": "2026-05-31"}}
PICTURED: dict[str, dict[str, Any]] = {
    "retention": RETENTION | {"retentionFilter": BACK},
    "retention_first_time": RETENTION | {"retentionFilter": BACK | {"retentionType": "retention_first_time"}},
    "retention_windows": RETENTION | {"retentionFilter": BACK | {"timeWindowMode": "24_hour_windows"}},
    "retention_amounts": RETENTION
    | {"retentionFilter": BACK | {"aggregationType": "sum", "aggregationProperty": "amount"}},
    "stickiness": {"kind": "StickinessQuery", "series": [{"kind": "EventsNode", "event": "visit"}]},
    "lifecycle": {"kind": "LifecycleQuery", "series": [{"kind": "EventsNode", "event": "visit"}]},
}


@pytest.mark.parametrize("name", PICTURED)
def test_sql(name: str) -> None:
    """The statement, to be read. UPDATE_SNAPSHOTS=1 rewrites it."""
    query, kinds = PICTURED[name], {"RetentionQuery": retention, "StickinessQuery": stickiness}
    kind: Any = kinds.get(query["kind"], lifecycle)
    catalogue = Catalogue(event_types={"amount": "Numeric"}, columns=frozenset({"amount"}))
    plan = kind.compile(kind.MODEL.model_validate(query), Context(queries.Project(), NOW, catalogue))
    text, file = plan.statements[0].text + "\n", SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(text)
    assert file.read_text() == text


# -- real commits ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    if not COMMITS.exists():
        pytest.skip("the commits are not here")
    folder = tmp_path_factory.mktemp("commits")
    load([COMMITS], folder)
    opened = EventStore(folder / "events.duckdb")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def raw() -> list[Did]:
    if not COMMITS.exists():
        pytest.skip("the commits are not here")
    with gzip.open(COMMITS, "rt") as lines:
        rows = {row["uuid"]: row for row in map(json.loads, lines)}
    return events_of(list(rows.values()))


AUTHORED = {"kind": "EventsNode", "event": "commit authored"}


@pytest.mark.parametrize(("period", "count"), [("Week", 12), ("Month", 24), ("Day", 80)])
def test_retention_of_first_time_authors(commits: EventStore, raw: list[Did], period: str, count: int) -> None:
    """Of those whose first commit ever was in a period, so many commit again in the periods after it."""
    entity = {"id": "commit authored", "type": "events"}
    asked = {
        "period": period,
        "totalIntervals": count,
        "retentionType": "retention_first_time",
        "targetEntity": entity,
        "returningEntity": entity,
    }
    end = datetime(2024, 6, 30, 12)
    query = {"kind": "RetentionQuery", "retentionFilter": asked, "dateRange": {"date_to": end.isoformat()}}
    expected = asked_plainly(asked, end, 0, split=False).counts(raw)
    assert expected.total() > 0
    assert expected == cells(answered(commits, query))


@pytest.mark.parametrize(("unit", "start"), [("day", "2024-05-01"), ("week", "2023-01-01"), ("month", "2015-01-01")])
def test_stickiness_of_authors(commits: EventStore, raw: list[Did], unit: str, start: str) -> None:
    """So many authors committed on one day (week, month) of the range, on two, …"""
    first = plain.floor(datetime.fromisoformat(start), unit)
    end = datetime(2024, 6, 30, 23, 59, 59, 999_999)
    query = {
        "kind": "StickinessQuery",
        "series": [AUTHORED],
        "interval": unit,
        "dateRange": {"date_from": start, "date_to": "2024-06-30"},
    }
    [series] = answered(commits, query)
    events = [each for each in raw if first <= each.at <= end and each.event == "commit authored"]
    expected = plain.stickiness(events, lambda each: hash(plain.floor(each.at, unit)), bool)
    assert expected == {n: count for n, count in zip(series["days"], series["data"], strict=True) if count}


@pytest.mark.parametrize(("unit", "start"), [("day", "2024-01-01"), ("week", "2022-01-01"), ("month", "2012-01-01")])
def test_lifecycle_of_authors(commits: EventStore, raw: list[Did], unit: str, start: str) -> None:
    """Each period has so many new, returning, resurrecting and dormant authors; someone is new at their first event."""
    query = {
        "kind": "LifecycleQuery",
        "series": [AUTHORED],
        "interval": unit,
        "dateRange": {"date_from": start, "date_to": "2024-06-30"},
    }
    born: dict[str, datetime] = {}
    for each in raw:
        born[each.actor] = min(each.at, born.get(each.actor, each.at))
    periods = list(stepped(datetime.fromisoformat(start), datetime(2024, 6, 30, 23), unit, 0))
    events = [each for each in raw if each.event == "commit authored"]
    assert plain.lifecycle(events, born.get, periods, unit) == statuses(answered(commits, query))
