"""get_dashboard: what each insight on it says, in one table."""

from __future__ import annotations

from typing import Any

import pytest

from tests.asking import assistant
from tests.loopback import Loopback, insight, ok

pytestmark = pytest.mark.anyio
SQL = {"kind": "DataVisualizationNode", "source": {"kind": "HogQLQuery", "query": "select 1"}}
DASHBOARD = {"id": 3, "name": "Growth", "description": None, "tags": None, "pinned": True}


def dashboard(posthog: Loopback, *insights: dict[str, Any] | None) -> None:
    """A dashboard with these tiles; None is a text."""
    tiles = [{"id": n, "insight": i, "text": None if i else {"body": "hi"}} for n, i in enumerate(insights)]
    posthog.on("GET", "/api/projects/1/dashboards/3/", ok(DASHBOARD | {"tiles": tiles}))


@pytest.mark.parametrize(
    ("changes", "headline"),
    [
        ({}, '"$pageview": last 2026-01-03 3.5 (+75% on 2026-01-02); total 6.5'),
        ({"result": None}, "not computed"),
        ({"result": []}, "no data"),
        ({"query": SQL, "result": [[41, None]], "columns": ["people", "last"]}, "people: 41, last: null"),
        ({"query": SQL, "result": [["a"], ["b"]], "columns": ["name"]}, "2 rows"),
        ({"query": None, "result": {"odd": 1}}, "1 row"),
    ],
)
async def test_each_insight_has_its_headline(changes: dict[str, Any], headline: str, posthog: Loopback) -> None:
    """The first thing its cached result says."""
    dashboard(posthog, insight(12, **changes), None)
    async with assistant(posthog) as user:
        told = await user.call("get_dashboard", id=3)
    assert told.structured["rows"][0][-1].startswith(headline)
    assert "1 text (detail='full' has them)" in told.text


async def test_old_and_missing_results_are_told(posthog: Loopback) -> None:
    """So that nobody reads last month's numbers as today's."""
    dashboard(posthog, insight(12, name="Old", last_refresh="2025-01-01T00:00:00Z"), insight(13, result=None))
    async with assistant(posthog) as user:
        digest = (await user.call("get_dashboard", id=3)).structured["digest"]
    assert digest[0].endswith('d old: "Old".')
    assert "1 insight without a cached result: get_insight computes it." == digest[1]


async def test_a_large_dashboard_is_paged(posthog: Loopback) -> None:
    """Inside the budget, with the call that goes on."""
    dashboard(posthog, *(insight(n, name=f"Insight {n} " + "x" * 80) for n in range(1, 90)))
    async with assistant(posthog) as user:
        first = await user.call("get_dashboard", id=3)
        shown = len(first.structured["rows"])
        second = await user.call("get_dashboard", id=3, offset=shown)
    assert f"go on with get_dashboard(id='3', offset={shown})" in first.text
    assert (len(first.text) <= 6_000, f"AaVQ{shown + 1:04d}") == (True, second.structured["rows"][0][0])


async def test_a_dashboard_that_is_not_there(posthog: Loopback) -> None:
    """The list of dashboards is what helps, not that of insights."""
    async with assistant(posthog) as user:
        told = await user.call("get_dashboard", id=99)
    assert ("There is no dashboard 99.", ["list_dashboards names those there are."]) == (
        told.structured["answer"],
        told.structured["next"],
    )
