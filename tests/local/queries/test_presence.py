"""Retention, stickiness and lifecycle against plain Python, on many random small worlds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.local.events import EventStore
from tests.local.queries import plain, small_worlds
from tests.local.queries.plain import Did, Retention
from tests.local.queries.small_worlds import (
    MADE,
    NUMBERS,
    SETTINGS,
    SINCE,
    UNITS,
    answered,
    asked_plainly,
    cells,
    events_of,
    of_group,
    retention_filters,
    statuses,
    stepped,
)  # fmt: skip


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    yield from small_worlds.opened(tmp_path_factory.mktemp("worlds"))


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
    wanted = asked_plainly(asked, end, setting["week_start_day"], split, setting["timezone"])
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
