"""Real commits of open-source projects: what the engine answers, recomputed in plain Python over the raw lines."""

from __future__ import annotations

import gzip
import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from insights_mcp.local.load import load

COMMITS = Path(__file__).parents[4] / "shared" / "data" / "oss-commits.jsonl.gz"
NOW = datetime(2026, 9, 1, tzinfo=UTC)
WINDOW = timedelta(days=30)
HOME = "simonw/datasette"
Row = dict[str, Any]

pytestmark = pytest.mark.skipif(not COMMITS.exists(), reason="the commits are not here")


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    """The raw lines, with the time in UTC."""
    with gzip.open(COMMITS, "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file]
    return [row | {"at": datetime.fromisoformat(row["timestamp"]).astimezone(UTC)} for row in found]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """The same, loaded."""
    folder = tmp_path_factory.mktemp("commits")
    load([COMMITS], folder)
    opened = EventStore(folder / "events.duckdb")
    yield opened
    opened.close()


def asked(store: EventStore, query: dict[str, Any]) -> Any:
    """The results of a query."""
    project = queries.Project(week_start_day=1)
    return queries.run(query, events=store, project=project, now=NOW, cancelled=threading.Event())["results"]


def test_weekly_active_authors_by_repository(store: EventStore, rows: list[Row]) -> None:
    """Distinct authors a week, from Monday, for each of the repositories."""
    query = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": "commit authored", "math": "dau"}],
        "interval": "week",
        "dateRange": {"date_from": "2018-01-01", "date_to": "2025-12-28"},
        "breakdownFilter": {"breakdown": "repo", "breakdown_type": "event", "breakdown_limit": 25},
    }
    expected: dict[tuple[str, date], set[str]] = defaultdict(set)
    for row in rows:
        day = row["at"].date()
        if row["event"] == "commit authored" and date(2018, 1, 1) <= day <= date(2025, 12, 28):
            monday = day - timedelta(days=day.weekday())
            expected[row["properties"]["repo"], monday].add(row["distinct_id"])
    actual = {
        (series["breakdown_value"], date.fromisoformat(day)): int(count)
        for series in asked(store, query)
        for day, count in zip(series["days"], series["data"], strict=True)
        if count
    }
    assert {key: len(authors) for key, authors in expected.items()} == actual


def test_from_home_over_a_merge_to_another_repository(store: EventStore, rows: list[Row]) -> None:
    """A commit at home, a merge, a commit elsewhere, within 30 days: how many get how far."""
    elsewhere = {"key": "repo", "type": "event", "operator": "is_not", "value": [HOME]}
    home = elsewhere | {"operator": "exact"}
    query = {
        "kind": "FunnelsQuery",
        "series": [
            {"kind": "EventsNode", "event": "commit authored", "properties": [home]},
            {"kind": "EventsNode", "event": "merge pushed"},
            {"kind": "EventsNode", "event": "commit authored", "properties": [elsewhere]},
        ],
        "dateRange": {"date_from": "2007-01-01", "date_to": "2026-08-31"},
        "funnelsFilter": {"funnelWindowInterval": 30, "funnelWindowIntervalUnit": "day"},
    }
    counts = [step["count"] for step in asked(store, query)]
    reached = [furthest(events) for events in by_author(rows).values()]
    assert [sum(each >= step for each in reached) for step in (1, 2, 3)] == counts
    assert counts[2] > 0


def by_author(rows: list[Row]) -> dict[str, list[Row]]:
    """The rows of each author, in time."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["at"]):
        found[row["distinct_id"]].append(row)
    return found


def furthest(events: list[Row]) -> int:
    """The furthest step of the story above, from any of its beginnings."""
    steps = [step for event in events if (step := (event["at"], *which(event)))[1:]]
    best = 0
    for start in (at for at, step in steps if step == 1):
        best = max(best, 1)
        merges = [at for at, step in steps if step == 2 and start <= at <= start + WINDOW]
        if merges:
            best = max(best, 2)
            if any(step == 3 and min(merges) <= at <= start + WINDOW for at, step in steps):
                return 3
    return best


def which(event: Row) -> tuple[int, ...]:
    """Which step an event is, if any."""
    if event["event"] == "merge pushed":
        return (2,)
    if event["event"] != "commit authored":
        return ()
    return (1,) if event["properties"].get("repo") == HOME else (3,)
