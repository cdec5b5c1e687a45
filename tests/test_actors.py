"""list_actors: how each kind of query is told which point is meant, and what is shown of who is there."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.errors import InvalidInput
from insights_mcp.tools.actors import ListActors
from tests.asking import assistant
from tests.loopback import Loopback, ok

TREND = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "$pageview"}]}
BY_BROWSER = TREND | {"breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event"}}
BY_TWO = TREND | {"breakdownFilter": {"breakdowns": [{"property": "$browser"}, {"property": "$os"}]}}
BY_COHORT = TREND | {"breakdownFilter": {"breakdown": [3], "breakdown_type": "cohort"}}
FUNNEL = {"kind": "FunnelsQuery", "series": []}
RETENTION = {"kind": "RetentionQuery", "retentionFilter": {}}
STICKINESS = {"kind": "StickinessQuery", "series": []}
LIFECYCLE = {"kind": "LifecycleQuery", "series": []}
PATHS = {"kind": "PathsQuery", "pathsFilter": {"stepLimit": 3}}
ANN = {"id": "0a", "distinct_ids": ["ann", "anon-1"], "properties": {"email": "ann@example.com", "plan": "pro"}}


@pytest.mark.parametrize(
    ("query", "asked", "point"),
    [
        (TREND, {"day": "2026-03-08"}, {"day": "2026-03-08", "series": 0}),
        (TREND, {"day": "2026-03-08", "compare": "previous"}, {"compare": "previous"}),
        (BY_BROWSER, {"breakdown": "Chrome"}, {"breakdown": "Chrome"}),
        (BY_BROWSER, {"breakdown": "(none)"}, {"breakdown": "$$_posthog_breakdown_null_$$"}),
        (BY_TWO, {"breakdown": ["Chrome", "Mac"]}, {"breakdown": ["Chrome", "Mac"]}),
        (BY_COHORT, {"breakdown": 3}, {"breakdown": 3}),
        (FUNNEL, {"step": -2}, {"kind": "FunnelsActorsQuery", "funnelStep": -2}),
        (FUNNEL, {"day": "2026-03-08"}, {"funnelTrendsEntrancePeriodStart": "2026-03-08 00:00:00"}),
        (RETENTION, {"interval": 2}, {"kind": "InsightActorsQuery", "interval": 2}),
        (STICKINESS, {"day": 3}, {"kind": "StickinessActorsQuery", "day": "3"}),
        (LIFECYCLE, {"day": "2026-03-08", "status": "new"}, {"status": "new"}),
    ],
)
def test_the_point_is_said_in_the_words_of_its_kind(
    query: dict[str, Any], asked: dict[str, Any], point: dict[str, Any]
) -> None:
    """Each kind of query has its own names for a point."""
    source = ListActors.model_validate(asked).actors_query(query)["source"]
    assert point == {name: source[name] for name in point}


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        (["1_/", "2_/docs"], {"pathStartKey": "1_/", "pathEndKey": "2_/docs"}),
        (["2_/docs"], {"pathDropoffKey": "2_/docs"}),
        (None, {}),
    ],
)
def test_an_edge_of_a_path_is_part_of_its_filter(path: list[str] | None, keys: dict[str, str]) -> None:
    """Two keys are an edge, one is where people stopped."""
    query = ListActors(path=path).actors_query(PATHS)
    assert {"stepLimit": 3, **keys} == query["source"]["source"]["pathsFilter"]


@pytest.mark.parametrize(
    ("query", "says"), [(FUNNEL, "Which step"), ({"kind": "HogQLQuery"}, "Nobody can be listed behind a HogQLQuery")]
)
def test_a_point_that_is_not_said_is_asked_for(query: dict[str, Any], says: str) -> None:
    """Nothing is sent when it cannot be meant."""
    with pytest.raises(InvalidInput, match=says):
        ListActors().actors_query(query)


@pytest.mark.anyio
async def test_actors_are_shown_with_the_properties_asked_for(posthog: Loopback) -> None:
    """The first id, the chosen properties, and what was counted of each."""
    posthog.on(
        "POST",
        "/api/projects/1/query/",
        ok({"results": [[ANN, 7]], "columns": ["actor", "event_count"], "hasMore": False}),
    )
    async with assistant(posthog) as user:
        told = await user.call("list_actors", query=TREND, day="2026-03-08", properties=["plan"])
    assert (["actor", "plan", "event_count"], [["ann", "pro", 7]]) == (
        told.structured["columns"],
        told.structured["rows"],
    )
