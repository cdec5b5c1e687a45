"""Who is behind a funnel: its steps, values, points over time and correlations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights_mcp.local.events import EventStore
from insights_mcp.local.queries import QueryError
from insights_mcp.local.queries.project import Cohort
from tests.local.queries.conftest import Ask, asked_of
from tests.local.queries.small_funnels import PAGE, behind, funnel


def test_who_is_under_other(ask: Ask) -> None:
    """Those whose values are among the rarer ones."""
    query = funnel("visit", "buy", breakdown=PAGE | {"breakdown_limit": 1})
    point = {"kind": "FunnelsActorsQuery", "source": query, "funnelStep": 2, "funnelStepBreakdown": ["Other"]}
    asked = {"kind": "ActorsQuery", "source": point, "select": ["id"]}
    assert 2 == len(ask(asked)["results"])
    with pytest.raises(QueryError, match="leave matched_recordings out"):
        ask(asked | {"select": ["id", "matched_recordings"]})


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ({"funnelStep": 1}, {"ann", "bea", "cem"}),
        ({"funnelStep": 2}, {"bea"}),
        ({"funnelStep": -2}, {"ann", "cem"}),
        ({"funnelStep": 1, "funnelCustomSteps": [2]}, {"bea"}),
    ],
)
def test_who_is_behind_a_step(store: EventStore, point: dict[str, Any], expected: set[str]) -> None:
    """Who took a step, or left before it."""
    assert expected == behind(store, funnel("visit", "visit"), **point)


@pytest.mark.parametrize(
    ("step", "expected"), [(2, {"bea"}), (-2, {"ann", "cem"}), (3, {"ann", "bea", "cem"}), (-3, set())]
)
def test_who_is_behind_an_optional_step(store: EventStore, step: int, expected: set[str]) -> None:
    """Only who took it; and nobody left where all went on to the required step after it."""
    query = funnel("visit", {"event": "$identify", "optionalInFunnel": True}, "buy")
    assert expected == behind(store, query, funnelStep=step)


def test_who_is_behind_a_value(store: EventStore) -> None:
    """A value picks those who count under it."""
    query = funnel("visit", "buy", breakdown=PAGE)
    assert {"bea"} == behind(store, query, funnelStep=1, funnelStepBreakdown=["/docs"])


@pytest.mark.parametrize(("step", "expected"), [(1, list(range(1, 11))), (2, [13])])
def test_the_events_that_were_a_step(tmp_path: Path, step: int, expected: list[int]) -> None:
    """The first ten of them, each once, however many ways led there."""
    did = [("visit", minute) for minute in range(1, 13)] + [("buy", 13)]
    rows = [
        {"event": event, "timestamp": f"2026-03-08T09:{n:02}:00Z", "distinct_id": "dee"} for event, n in reversed(did)
    ]
    for asking in asked_of(rows, tmp_path):
        point = {"kind": "FunnelsActorsQuery", "source": funnel("visit", "buy"), "funnelStep": step}
        [[events]] = asking({"kind": "ActorsQuery", "source": point, "select": ["matching_events"]})["results"]
        assert expected == [int(event[0][14:16]) for event in events]


@pytest.mark.parametrize("order", ["ordered", "strict"])
@pytest.mark.parametrize("step", [1, 2, -2])
def test_events_of_a_page_are_those_of_all(ask: Ask, order: str, step: int) -> None:
    """Events that nothing is sorted by are looked for among those on the page alone, and are the same."""
    source = funnel("visit", "buy", breakdown=PAGE, funnelOrderType=order)
    point = {"kind": "FunnelsActorsQuery", "source": source, "funnelStep": step}
    asked = {"kind": "ActorsQuery", "source": point, "select": ["id", "matching_events"]}
    alone, of_all = (ask(asked | {"orderBy": by})["results"] for by in (["id"], ["length(matching_events) DESC", "id"]))
    assert sorted(alone) == sorted(of_all)


@pytest.mark.parametrize(("step", "expected"), [(1, {"ann", "bea", "cem"}), (2, {"bea"}), (-2, {"ann", "bea", "cem"})])
def test_whose_sessions_are_behind_a_step(tmp_path: Path, step: int, expected: set[str]) -> None:
    """Each person once, though two of their sessions are; also with their events."""
    did = (("ann", "s1", "visit"), ("bea", "s2", "visit"), ("bea", "s2", "buy"), ("bea", "s3", "visit"),
           ("cem", "s4", "visit"), ("cem", "s5", "visit"))  # fmt: skip
    rows = [
        {"event": event, "distinct_id": who, "timestamp": f"2026-03-08T09:{n:02}:00Z", "properties": {"$session_id": s}}
        for n, (who, s, event) in enumerate(did)
    ]
    query = funnel("visit", "buy", funnelAggregateByHogQL="properties.$session_id")
    point = {"kind": "FunnelsActorsQuery", "source": query, "funnelStep": step}
    for asking in asked_of(rows, tmp_path):
        for select in (["person"], ["person", "matching_events"]):
            found = [row[0] for row in asking({"kind": "ActorsQuery", "source": point, "select": select})["results"]]
            assert expected == {person["distinct_ids"][0] for person in found}
            assert len(expected) == len(found)


def test_who_is_behind_one_of_several_cohorts(ask: Ask) -> None:
    """Each cohort is a value by itself, also where events are kept, for recordings or exclusions."""
    pros = Cohort(7, "pros", definition={"type": "AND", "values": [{"type": "person", "key": "plan", "value": "pro"}]})
    query = funnel("visit", "buy", breakdown={"breakdown": [7, "all"], "breakdown_type": "cohort"})
    point = {"kind": "FunnelsActorsQuery", "source": query, "funnelStep": 2, "funnelStepBreakdown": 0}
    for select in (["id"], ["id", "matched_recordings"]):
        found = ask({"kind": "ActorsQuery", "source": point, "select": select}, cohorts={7: pros})
        assert 3 == len(found["results"])


@pytest.mark.parametrize("value", ["10", 10, 10.0])
def test_a_number_is_a_value(store: EventStore, value: Any) -> None:
    """However it is written."""
    query = funnel("buy", "visit", breakdown={"breakdown": "amount", "breakdown_type": "event"})
    assert {"ann"} == behind(store, query, funnelStep=1, funnelStepBreakdown=value)


@pytest.mark.parametrize(("left", "expected"), [(True, {"bea"}), (False, {"ann"})])
def test_who_is_behind_a_trend(store: EventStore, left: bool, expected: set[str]) -> None:
    """Of those who started on a day, who went on, or who did not."""
    query = funnel("visit", "buy", funnelVizType="trends", funnelWindowInterval=2, funnelWindowIntervalUnit="hour")
    point = {"funnelTrendsEntrancePeriodStart": "2026-03-08 00:00:00", "funnelTrendsDropOff": left}
    assert expected == behind(store, query, **point)


@pytest.mark.parametrize("step", [0, -1, 3, None])
def test_a_step_that_is_not(store: EventStore, step: int | None) -> None:
    """Steps count from 1; nobody can leave before the first."""
    with pytest.raises(QueryError, match="funnelStep"):
        behind(store, funnel("visit", "buy"), funnelStep=step)


@pytest.mark.parametrize(
    ("converted", "asked", "expected"),
    [
        (True, {"funnelCorrelationPersonEntity": {"kind": "EventsNode", "event": "$identify"}}, 1),
        (False, {"funnelCorrelationPersonEntity": {"kind": "EventsNode", "event": "$identify"}}, 0),
        (True, {"funnelCorrelationPropertyValues": [{"key": "page", "value": "/docs", "type": "event"}]}, 0),
        (False, {"funnelCorrelationPropertyValues": [{"key": "page", "value": "/docs", "type": "event"}]}, 1),
    ],
)
def test_who_is_behind_a_correlation(ask: Ask, converted: bool, asked: dict[str, Any], expected: int) -> None:
    """Bea was identified on the way from her visit to her purchase; of steps on the page /docs she took the first."""
    steps = {"kind": "FunnelsActorsQuery", "source": funnel("visit", "buy")}
    correlation = {"kind": "FunnelCorrelationQuery", "source": steps}
    point = {"kind": "FunnelCorrelationActorsQuery", "source": correlation, **asked}
    query = {"kind": "ActorsQuery", "source": point | {"funnelCorrelationPersonConverted": converted}, "select": ["id"]}
    assert expected == len(ask(query)["results"])


@pytest.mark.parametrize(("step", "expected"), [(None, 3), (1, 3), (2, 1)])
def test_a_correlation_is_of_those_who_took_a_step(ask: Ask, step: int | None, expected: int) -> None:
    """Of all who entered, unless a step is given."""
    steps = {"kind": "FunnelsActorsQuery", "source": funnel("visit", "visit"), "funnelStep": step}
    correlation = {"kind": "FunnelCorrelationQuery", "source": steps, "funnelCorrelationType": "properties"}
    held = [{"key": "page", "operator": "is_not", "value": "/blog", "type": "event"}]
    point = {"kind": "FunnelCorrelationActorsQuery", "source": correlation, "funnelCorrelationPropertyValues": held}
    assert expected == len(ask({"kind": "ActorsQuery", "source": point, "select": ["id"]})["results"])


OPTIONAL = {"event": "$identify", "optionalInFunnel": True}


@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["visit", "buy", OPTIONAL]), min_size=1, max_size=3),
    st.sampled_from(["ordered", "strict"]),
    st.sampled_from([None, PAGE, {"breakdown": ["page", "$session_id"], "breakdown_type": "event"}]),
    st.sampled_from(["first_touch", "last_touch", "all_events", "step"]),
)
def test_who_is_counted_is_listed(ask: Ask, steps: list[Any], order: str, by: Any, attribution: str) -> None:
    """At each step, under each value, as many are listed as are counted."""
    query = funnel("visit", *steps, breakdown=by, funnelOrderType=order, breakdownAttributionType=attribution)
    answer = ask(query)["results"]
    for line in answer if by else [answer]:
        for step in line:
            value = {"funnelStepBreakdown": line[0]["breakdown_value"]} if by else {}
            point = {"kind": "FunnelsActorsQuery", "source": query, "funnelStep": step["order"] + 1, **value}
            assert step["count"] == len(ask({"kind": "ActorsQuery", "source": point, "select": ["id"]})["results"])
