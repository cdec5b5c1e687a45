"""list_actors: how each kind of query is told which point is meant, and what is shown of who is there."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.answer.asked import Asked
from insights_mcp.errors import InvalidInput
from insights_mcp.tools.actors import ListActors
from insights_mcp.tools.pointing import in_words, outside
from tests.asking import assistant
from tests.loopback import Loopback, ok

TREND = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "$pageview"}]}
BY_BROWSER = TREND | {"breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event"}}
BY_TWO = TREND | {"breakdownFilter": {"breakdowns": [{"property": "$browser"}, {"property": "$os"}]}}
BY_COHORT = TREND | {"breakdownFilter": {"breakdown": [3], "breakdown_type": "cohort"}}
COMPARED = TREND | {"compareFilter": {"compare": True}}
ONE_NUMBER = TREND | {"trendsFilter": {"display": "BoldNumber"}}
STEPS = [{"kind": "EventsNode", "event": "$pageview"}, {"kind": "EventsNode", "event": "signed up"}]
FUNNEL = {"kind": "FunnelsQuery", "series": STEPS}
FUNNEL_TRENDS = FUNNEL | {"funnelsFilter": {"funnelVizType": "trends"}}
RETENTION = {"kind": "RetentionQuery", "retentionFilter": {"totalIntervals": 3}}
RETENTION_BY_BROWSER = RETENTION | {"breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event"}}
DAY = {"day": "2026-03-08"}
STICKINESS = {"kind": "StickinessQuery", "series": []}
LIFECYCLE = {"kind": "LifecycleQuery", "series": []}
PATHS = {"kind": "PathsQuery", "pathsFilter": {"stepLimit": 3}}
ANN = {"id": "0a", "distinct_ids": ["ann", "anon-1"], "properties": {"email": "ann@example.com", "plan": "pro"}}


@pytest.mark.parametrize(
    ("query", "asked", "point"),
    [
        (TREND, DAY, {"day": "2026-03-08", "series": 0}),
        (ONE_NUMBER, {}, {"kind": "InsightActorsQuery", "series": 0}),
        (COMPARED, DAY | {"compare": "previous"}, {"compare": "previous"}),
        (TREND, DAY | {"compare": "current", "interval": 0}, {"compare": "current"}),
        (BY_BROWSER, DAY | {"breakdown": "Chrome"}, {"breakdown": "Chrome"}),
        (BY_BROWSER, DAY | {"breakdown": "(none)"}, {"breakdown": "$$_posthog_breakdown_null_$$"}),
        (BY_TWO, DAY | {"breakdown": ["Chrome", "Mac"]}, {"breakdown": ["Chrome", "Mac"]}),
        (BY_COHORT, DAY | {"breakdown": 3}, {"breakdown": 3}),
        (FUNNEL, {"step": -2}, {"kind": "FunnelsActorsQuery", "funnelStep": -2}),
        (FUNNEL_TRENDS, DAY, {"funnelTrendsEntrancePeriodStart": "2026-03-08 00:00:00", "funnelTrendsDropOff": False}),
        (FUNNEL_TRENDS, DAY | {"step": -2}, {"funnelTrendsDropOff": True}),
        (RETENTION, {"interval": 2}, {"kind": "InsightActorsQuery", "interval": 2}),
        (RETENTION | {"dateRange": {"date_from": "-30d"}}, {"interval": 20}, {"interval": 20}),
        (RETENTION_BY_BROWSER, {"breakdown": "Chrome"}, {"breakdown": ["Chrome"]}),
        (RETENTION_BY_BROWSER, {"breakdown": "(none)"}, {"breakdown": [""]}),
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
    ("query", "asked", "says"),
    [
        ({"kind": "HogQLQuery"}, {}, "Nobody can be listed behind a HogQLQuery"),
        (TREND, {}, "Give day: the date of its bucket"),
        (ONE_NUMBER, DAY, "Leave day out"),
        (TREND, DAY | {"series": 2}, "There is no series 2: the insight has one series"),
        (TREND, DAY | {"breakdown": "Chrome"}, "has no breakdown"),
        (TREND, DAY | {"compare": "previous"}, "compared with no other period"),
        (TREND, DAY | {"step": 2, "status": "new"}, "no point that status, step would say. Say it by day, series"),
        (FUNNEL, {}, "Give step: 2 reached step 2"),
        (FUNNEL, {"step": 9}, "the funnel has 2. Give 1 to 2; or, for who left before a step, -2 to -2"),
        (FUNNEL, {"step": -1}, "No step -1"),
        (FUNNEL, DAY, "Leave day out"),
        (FUNNEL_TRENDS, {"step": 2}, "Give day: when they entered"),
        (RETENTION, {"interval": 3}, "There is no cohort 3"),
        (RETENTION, DAY, "Say it by interval, breakdown; leave day out"),
        (STICKINESS, {"day": "2026-03-08"}, "Give day as 1, 2, 3"),
        (STICKINESS, {"day": 0}, "Give day as 1, 2, 3"),
        (PATHS, {"path": ["/pricing"]}, "Write each step with its number"),
        (PATHS, {"path": ["2_/b", "1_/a"]}, "Write each step with its number"),
    ],
)
def test_what_can_be_no_point_is_refused(query: dict[str, Any], asked: dict[str, Any], says: str) -> None:
    """Nothing is sent when it cannot be meant; the refusal says what to give."""
    with pytest.raises(InvalidInput, match=says):
        ListActors.model_validate(asked).actors_query(query)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"offset": 40}, "No actor after the first 40"),
        ({"search": "nobody at all"}, 'contains "nobody at all"'),
    ],
)
async def test_an_empty_page_says_why(posthog: Loopback, asked: dict[str, Any], says: str) -> None:
    """What was searched for, or that there are fewer."""
    posthog.on("POST", "/api/projects/1/query/", ok({"results": [], "columns": ["actor"], "hasMore": False}))
    async with assistant(posthog) as user:
        told = await user.call("list_actors", query=TREND, **DAY, **asked)
    assert says in told.text


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


@pytest.mark.anyio
@pytest.mark.parametrize("results", [[None], [[]], ["x"], None])
async def test_rows_that_are_none_are_nobody(results: Any, posthog: Loopback) -> None:
    """A reply of another shape is no mistake of the server."""
    posthog.on("POST", "/api/projects/1/query/", ok({"results": results, "columns": ["actor"]}))
    async with assistant(posthog) as user:
        assert "made a mistake" not in (await user.call("list_actors", query=TREND, **DAY)).text


@pytest.mark.anyio
async def test_a_query_beside_an_insight_is_refused(posthog: Loopback) -> None:
    """Which of the two is meant is not guessed, and nothing is sent."""
    async with assistant(posthog) as user:
        told = await user.call("list_actors", query=TREND, id="7", **DAY)
    assert told.failed
    assert "not both" in told.text


@pytest.mark.parametrize(
    ("query", "asked", "words"),
    [
        (TREND, DAY, "on 2026-03-08"),
        (TREND | {"interval": "week"}, DAY, "in the week of 2026-03-08"),
        (ONE_NUMBER, {}, "in the whole range"),
        (BY_BROWSER, DAY | {"breakdown": "Chrome"}, 'on 2026-03-08, "Chrome"'),
        (COMPARED, DAY | {"compare": "previous"}, "on 2026-03-08, in the period before"),
        (FUNNEL, {"step": -2}, "who left before step 2"),
        (FUNNEL_TRENDS, DAY | {"step": -2}, "who entered on 2026-03-08 and did not go all the way"),
        (RETENTION, {"interval": 2}, "who began in the cohort of row 2 (from 0, each a day)"),
        (STICKINESS, {"day": 3}, "on 3 days"),
        (LIFECYCLE, DAY | {"status": "new"}, "new on 2026-03-08"),
        (LIFECYCLE, {}, "in any day"),
        (PATHS, {"path": ["1_/a", "2_/b\u202e"]}, 'who went "1_/a" → "2_/b"'),
        (PATHS, {"path": ["2_/b"]}, 'who stopped at "2_/b"'),
    ],
)
def test_the_point_is_told_in_words(query: dict[str, Any], asked: dict[str, Any], words: str) -> None:
    """The range below the answer is the whole insight's: who is listed is said above it."""
    assert f" {words}" == in_words(ListActors.model_validate(asked), query)


@pytest.mark.parametrize(
    ("day", "interval", "found"),
    [
        ("2026-02-28", "day", True),
        ("2026-03-01", "day", False),
        ("2026-02-27", "week", False),  # its week may end in the range
        ("2026-02-20", "week", True),
        ("2026-02-10", "month", True),
        ("2026-04-01", "month", True),
        ("2026-03-31 23:00:00", "hour", False),
        ("any", "day", False),
    ],
)
def test_a_day_that_the_insight_does_not_count(day: str, interval: str, found: bool) -> None:
    """PostHog lists who came then; a note says that they are in none of its numbers."""
    about = Asked({"interval": interval}, date_from="2026-03-01T00:00:00Z", date_to="2026-03-31T23:59:59Z")
    assert found == bool(outside(ListActors(day=day), about))


@pytest.mark.anyio
async def test_properties_that_nobody_has_take_no_room(posthog: Loopback) -> None:
    """Of the usual ones; those that were asked for are shown as empty."""
    nameless = ANN | {"properties": {"email": "ann@example.com", "name": None}}
    posthog.on("POST", "/api/projects/1/query/", ok({"results": [[nameless, 7]], "columns": ["actor", "event_count"]}))
    async with assistant(posthog) as user:
        told = [await user.call("list_actors", query=TREND, **DAY, **more) for more in ({}, {"properties": ["name"]})]
    assert [["actor", "email", "event_count"], ["actor", "name", "event_count"]] == [
        each.structured["columns"] for each in told
    ]
