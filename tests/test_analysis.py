"""A result in words: the headline of each kind, and what must never be said."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from insights_mcp import analysis as told
from insights_mcp.answer.asked import Asked

FUNNEL = [
    {"action_id": "a", "name": "a", "order": 0, "count": 10},
    {"action_id": "b", "name": "b", "order": 1, "count": 4},
]
COHORTS = [
    {"label": "Day 0", "values": [{"count": 5}, {"count": 3}]},
    {"label": "Day 1", "values": [{"count": 2}]},
]
DAYS = ["2026-01-01", "2026-01-02"]
LIFECYCLE = [{"status": "new", "data": [3, 1], "days": DAYS}, {"status": "dormant", "data": [0, -2], "days": DAYS}]
STICKINESS = [{"label": "x", "data": [3, 1], "days": [1, 2], "labels": ["1 day", "2 days"]}]
OF_ONE = "(3 of 5, in the 1 cohort for which it is over)."
TOTALS = [{"label": "x", "data": [], "aggregated_value": 3}, {"label": "y", "data": [], "aggregated_value": 1}]


def analysis(name: str, source: dict[str, Any], results: Any, at: datetime | None = None) -> str:
    """The words for a result computed at a moment."""
    return told.analysis(name, Asked(source, at), results)


@pytest.mark.parametrize(
    ("kind", "results", "headline"),
    [
        ("FunnelsQuery", FUNNEL, '"I": 40.0% of 10 people complete all 2 steps.'),
        ("FunnelsQuery", [FUNNEL, FUNNEL], '"I": 2 values: conversion 40% in each.'),
        ("FunnelsQuery", {"bins": []}, '"I": the result has 1 rows or parts.'),
        (
            "RetentionQuery",
            COHORTS,
            '"I": 60.0% of people come back in the period after their first ' + OF_ONE,
        ),
        ("LifecycleQuery", LIFECYCLE, '"I": last complete 2026-01-02: new 1, dormant -2.'),
        ("StickinessQuery", STICKINESS, '"I": "x": 4 people; 3 (75%) on 1 day; all: 1 (25%) on 2 days.'),
        ("TrendsQuery", TOTALS, '"I": "x" is 3.'),
        ("PathsQuery", [{"source": "a"}], '"I": the result has 1 rows or parts.'),
    ],
)
def test_the_headline(kind: str, results: Any, headline: str) -> None:
    """Of each kind of result."""
    assert headline == analysis("I", {"kind": kind}, results).splitlines()[0]


def test_nothing_to_analyze_is_said() -> None:
    """Without a result there is nothing to tell."""
    assert '"I" has no result to analyze: compute it first, or nothing matched.' == analysis("I", {}, None)


def test_people_are_not_summed_over_time() -> None:
    """Unique users of several days are not added up: the same people would count again."""
    series = [{"label": "x", "data": [1, 2, 3, 4], "action": {"math": "dau"}}]
    assert "adds up" not in analysis("I", {"kind": "TrendsQuery"}, series)


@pytest.mark.parametrize("results", [[None], {"data": 1}, "text", [[1], [2]]])
def test_an_odd_result_is_no_crash(results: Any) -> None:
    """A shape nobody knows is told by its size."""
    assert "rows or parts" in analysis("I", {"kind": "TrendsQuery"}, results)


@pytest.mark.parametrize("results", [[{"data": [None, 1]}], [{"data": ["x"]}]])
def test_a_hole_in_the_data_is_no_crash(results: Any) -> None:
    """What the digest knows is told."""
    assert '"I": "series": ' in analysis("I", {"kind": "TrendsQuery"}, results)


def test_what_is_not_over_does_not_count() -> None:
    """Nobody can have come back in a period that goes on; an unfinished day is no low."""
    dates = [f"2026-01-0{n}T00:00:00Z" for n in (1, 2, 3)]
    sizes = [(10, 5, 4), (10, 1), (30,)]
    cohorts = [{"date": d, "label": d, "values": [{"count": n} for n in s]} for d, s in zip(dates, sizes, strict=True)]
    at = datetime(2026, 1, 3, 1, tzinfo=UTC)
    back = analysis("I", {"kind": "RetentionQuery"}, cohorts, at)
    assert "50.0% of people come back in the period after their first (5 of 10, in the 1 cohort " in back
    series = [{"label": "x", "data": [4, 5, 0], "days": [d[:10] for d in dates]}]
    assert "the lowest 4 (2026-01-01)" in analysis("I", {"kind": "TrendsQuery", "interval": "day"}, series, at)


def test_the_period_before_is_not_another_series() -> None:
    """However large it was."""
    series = [
        {"label": "x", "data": [n, n + 1], "days": DAYS, "compare_label": p}
        for n, p in ((1, "current"), (9, "previous"))
    ]
    assert '"x (current)" is rising over 2 intervals' in analysis("I", {"kind": "TrendsQuery"}, series)
