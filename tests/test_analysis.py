"""A result in words: the headline of each kind, and what must never be said."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.analysis import analysis

FUNNEL = [{"action_id": "a", "name": "a", "count": 10}, {"action_id": "b", "name": "b", "count": 4}]
COHORTS = [
    {"label": "Day 0", "values": [{"count": 5}, {"count": 3}]},
    {"label": "Day 1", "values": [{"count": 2}]},
]
LIFECYCLE = [{"status": "new", "data": [3, 1]}, {"status": "dormant", "data": [0, -2]}]
TOTALS = [{"label": "x", "data": [], "aggregated_value": 3}, {"label": "y", "data": [], "aggregated_value": 1}]


@pytest.mark.parametrize(
    ("kind", "results", "headline"),
    [
        ("FunnelsQuery", FUNNEL, '"I": 40.0% of 10 people complete all 2 steps.'),
        ("FunnelsQuery", [FUNNEL, FUNNEL], '"I": 40.0% of 10 people complete all 2 steps.'),
        ("FunnelsQuery", {"bins": []}, '"I": the result has 1 rows or parts.'),
        ("RetentionQuery", COHORTS, '"I": 60.0% of people come back in the period after their first.'),
        ("LifecycleQuery", LIFECYCLE, '"I": 4 users came or came back, 2 went dormant.'),
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


@pytest.mark.parametrize("results", [[None], [{"data": [None, 1]}], [{"data": ["x"]}], {"data": 1}, "text", [[1], [2]]])
def test_an_odd_result_is_no_crash(results: Any) -> None:
    """A shape nobody knows is told by its size."""
    assert "rows or parts" in analysis("I", {"kind": "TrendsQuery"}, results)
