"""Retention of first-time authors, stickiness and lifecycle of real commits, as plain Python finds them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from insights_mcp.local.events import EventStore
from insights_mcp.local.load import load
from tests.local.queries import plain
from tests.local.queries.plain import Did
from tests.local.queries.small_worlds import answered, asked_plainly, cells, events_of, statuses, stepped

COMMITS = Path(__file__).parents[4] / "shared" / "data" / "oss-commits.jsonl.gz"


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
