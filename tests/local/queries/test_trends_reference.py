"""TrendsQuery against plain Python over the raw lines of real commits; and its statements, to be read."""

from __future__ import annotations

import gzip
import json
import os
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import fmean, quantiles
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import Catalogue, EventStore
from insights_mcp.local.load import load
from insights_mcp.local.queries import trends
from insights_mcp.local.queries.project import Context
from tests.local.queries.plain import floor, step

COMMITS = Path(__file__).parents[4] / "shared" / "data" / "oss-commits.jsonl.gz"
SNAPSHOTS = Path(__file__).parent / "snapshots"
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Commit:
    """One line; `at` is UTC."""

    event: str
    author: str
    at: datetime
    properties: dict[str, Any]


@pytest.fixture(scope="module")
def raw() -> list[Commit]:
    if not COMMITS.exists():
        pytest.skip("the commits are not here")
    with gzip.open(COMMITS, "rt") as lines:
        rows = {row["uuid"]: row for row in map(json.loads, lines)}
    return [
        Commit(
            row["event"],
            row["distinct_id"],
            datetime.fromisoformat(row["timestamp"]).astimezone(UTC),
            row["properties"],
        )
        for row in rows.values()
    ]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    if not COMMITS.exists():
        pytest.skip("the commits are not here")
    folder = tmp_path_factory.mktemp("commits")
    load([COMMITS], folder)
    opened = EventStore(folder / "events.duckdb")
    yield opened
    opened.close()


def ask(store: EventStore, zone: str = "UTC", week_start: int = 0, **query: Any) -> list[dict[str, Any]]:
    project = queries.Project(timezone=zone, week_start_day=week_start)
    whole = {"kind": "TrendsQuery", **query}
    return list(queries.run(whole, events=store, project=project, now=NOW, cancelled=threading.Event())["results"])


def authored(**how: Any) -> list[dict[str, Any]]:
    return [{"kind": "EventsNode", "event": "commit authored", **how}]


def local(commit: Commit, zone: str) -> datetime:
    return commit.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def starts(first: str, last: str, unit: str, week_start: int = 0) -> list[datetime]:
    found = [floor(datetime.fromisoformat(first), unit, week_start)]
    while (following := step(found[-1], unit, 1)) <= datetime.fromisoformat(last).replace(hour=23):
        found.append(following)
    return found


def is_shown(clock: datetime, zone: str) -> bool:
    """Whether the clocks of a zone ever showed it: an hour is skipped in spring."""
    return clock == clock.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None)


def test_weekly_active_authors_by_repository(store: EventStore, raw: list[Commit]) -> None:
    """Each day, so many authors committed to the repository in the week that ends with it."""
    days = starts("2024-01-01", "2024-06-30", "day")
    seen: dict[str, dict[datetime, set[str]]] = defaultdict(lambda: defaultdict(set))
    for commit in raw:
        if commit.event == "commit authored":
            seen[commit.properties["repo"]][floor(local(commit, "UTC"), "day")].add(commit.author)
    expected = {
        repo: [len(set().union(*(by_day[day - timedelta(days=back)] for back in range(7)))) for day in days]
        for repo, by_day in seen.items()
    }
    found = ask(
        store,
        series=authored(math="weekly_active"),
        dateRange={"date_from": "2024-01-01", "date_to": "2024-06-30"},
        breakdownFilter={"breakdown": "repo"},
    )
    assert {repo: data for repo, data in expected.items() if any(data)} == {
        series["breakdown_value"]: series["data"] for series in found
    }


MATHS: dict[str, tuple[dict[str, Any], Callable[[list[Commit]], float]]] = {
    "total": ({}, len),
    "dau": ({"math": "dau"}, lambda found: len({commit.author for commit in found})),
    "sum": ({"math": "sum"}, lambda found: sum(lines(found))),
    "avg": ({"math": "avg"}, lambda found: fmean(lines(found)) if found else 0),
    "max": ({"math": "max"}, lambda found: max(lines(found), default=0)),
    "p90": ({"math": "p90"}, lambda found: quantile(lines(found), 0.9)),
    "most": (
        {"math": "max_count_per_actor"},
        lambda found: max(Counter(commit.author for commit in found).values(), default=0),
    ),
}


def lines(found: list[Commit]) -> list[float]:
    return [commit.properties["insertions"] for commit in found if "insertions" in commit.properties]


def quantile(numbers: list[float], share: float) -> float:
    if len(numbers) < 2:
        return numbers[0] if numbers else 0
    return quantiles(numbers, n=100, method="inclusive")[round(share * 100) - 1]


@pytest.mark.parametrize("math", MATHS)
@pytest.mark.parametrize(
    ("unit", "zone", "week_start", "first", "last"),
    [
        ("hour", "America/New_York", 0, "2024-03-08", "2024-03-12T23:00:00"),  # the clocks change on the 10th
        ("day", "Europe/Berlin", 0, "2023-10-15", "2023-11-15"),  # and here on the 29th
        ("week", "Asia/Kolkata", 1, "2023-01-02", "2023-12-31"),
        ("week", "UTC", 0, "2023-01-01", "2023-12-30"),
        ("month", "Australia/Sydney", 0, "2020-01-01", "2023-12-31"),
    ],
)
def test_math(
    store: EventStore, raw: list[Commit], math: str, unit: str, zone: str, week_start: int, first: str, last: str
) -> None:
    """In every interval and zone, each number is what the lines say."""
    how, reckoned = MATHS[math]
    by_bucket: dict[datetime, list[Commit]] = defaultdict(list)
    for commit in raw:
        if commit.event == "commit authored":
            by_bucket[floor(local(commit, zone), unit, week_start)].append(commit)
    passed = [bucket for bucket in starts(first, last, unit, week_start) if is_shown(bucket, zone)]
    expected = [reckoned(by_bucket[bucket]) for bucket in passed]
    [series] = ask(
        store,
        zone,
        week_start,
        series=authored(**how, math_property="insertions"),
        interval=unit,
        dateRange={"date_from": first, "date_to": last},
    )
    assert expected == pytest.approx(series["data"])


def test_first_commits(store: EventStore, raw: list[Commit]) -> None:
    """Each author once, in the month of their first commit of all."""
    first: dict[str, datetime] = {}
    for commit in sorted(raw, key=lambda each: each.at):
        if commit.event == "commit authored":
            first.setdefault(commit.author, commit.at)
    counted = Counter(floor(moment.replace(tzinfo=None), "month") for moment in first.values())
    [series] = ask(
        store,
        series=authored(math="first_time_for_user"),
        interval="month",
        dateRange={"date_from": "2015-01-01", "date_to": "2023-12-31"},
    )
    assert [counted[month] for month in starts("2015-01-01", "2023-12-31", "month")] == series["data"]


def test_the_few_and_the_others(store: EventStore, raw: list[Commit]) -> None:
    """The repositories with the most commits are shown, the rest are one."""
    counted = Counter(
        commit.properties["repo"] for commit in raw if commit.event == "commit authored" and commit.at.year == 2023
    )
    [*shown, other] = ask(
        store,
        series=authored(),
        dateRange={"date_from": "2023-01-01", "date_to": "2023-12-31"},
        breakdownFilter={"breakdown": "repo", "breakdown_limit": 3},
        trendsFilter={"display": "ActionsTable"},
    )
    assert dict(counted.most_common(3)) == {each["breakdown_value"]: each["aggregated_value"] for each in shown}
    assert sum(counted.values()) == other["aggregated_value"] + sum(each["aggregated_value"] for each in shown)


# -- statements --------------------------------------------------------------------------------------------------------

VISIT = {"kind": "EventsNode", "event": "visit"}
BY_PLAN = {"breakdownFilter": {"breakdown": "plan", "breakdown_type": "person"}}
PICTURED: dict[str, dict[str, Any]] = {
    "trends": {"series": [VISIT]},
    "trends_by_value": {"series": [{**VISIT, "math": "dau"}], **BY_PLAN},
    "trends_weekly_active": {"series": [{**VISIT, "math": "weekly_active"}]},
    "trends_first_time": {
        "series": [{**VISIT, "math": "first_time_for_user", "properties": [{"key": "page", "value": "/"}]}]
    },
    "trends_in_bins": {
        "series": [VISIT],
        "breakdownFilter": {"breakdown": "amount", "breakdown_histogram_bin_count": 3},
    },
    "trends_sessions": {"series": [{**VISIT, "math": "avg", "math_property": "$session_duration"}]},
}


@pytest.mark.parametrize("name", PICTURED)
def test_statement(name: str) -> None:
    """The statement, to be read. UPDATE_SNAPSHOTS=1 rewrites it."""
    keys = ("amount", "page", "$session_id")
    catalogue = Catalogue(
        event_types=dict.fromkeys(keys, "String"), person_types={"plan": "String"}, columns=frozenset(keys)
    )
    query = trends.MODEL.model_validate({"kind": "TrendsQuery", **PICTURED[name]})
    plan = trends.compile(query, Context(queries.Project(), NOW, catalogue))
    text, file = plan.statements[0].text + "\n", SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(text)
    assert file.read_text() == text
