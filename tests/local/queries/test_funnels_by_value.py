"""Funnels by value: whose value counts, which values there are, and what is shown of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from insights_mcp.local.events import EventStore
from tests.local.queries.conftest import Ask, asking, store_of
from tests.local.queries.small_funnels import PAGE, behind, funnel, values


def test_first_touch(ask: Ask) -> None:
    """A person counts under the first value they had; who had none counts under the empty one."""
    assert {"/": [1, 1], "/docs": [1, 1], "": [1, 1]} == values(ask(funnel("visit", "buy", breakdown=PAGE)))


def test_last_touch(ask: Ask) -> None:
    """Bea's last page was the start page."""
    answer = ask(funnel("visit", "buy", breakdown=PAGE, breakdownAttributionType="last_touch"))
    assert {"/": [2, 2], "": [1, 1]} == values(answer)


def test_all_events(ask: Ask) -> None:
    """Steps must have the same value; purchases have no page."""
    answer = ask(funnel("visit", "buy", breakdown=PAGE, breakdownAttributionType="all_events"))
    assert {"": [1, 1], "/": [2, 0], "/docs": [1, 0]} == values(answer)


def test_value_at_a_step(ask: Ask) -> None:
    """Bea counts under each page she visited."""
    answer = ask(
        funnel("visit", "buy", breakdown=PAGE, breakdownAttributionType="step", breakdownAttributionValue=0)
    )  # fmt: skip
    assert {"/": [2, 2], "/docs": [1, 1], "": [1, 1]} == values(answer)


def test_several_properties(ask: Ask) -> None:
    """Several properties make one value."""
    answer = ask(funnel("visit", "buy", breakdown={"breakdown": ["page", "$session_id"], "breakdown_type": "event"}))
    assert [["/", "s1"], ["/docs", "s2"], ["", "s4"]] == sorted(
        (steps[0]["breakdown_value"] for steps in answer["results"]), key=lambda value: str(value[1])
    )


def test_rare_values_are_other(ask: Ask) -> None:
    """Beyond the limit values fall together."""
    answer = ask(funnel("visit", "buy", breakdown=PAGE | {"breakdown_limit": 1}))
    assert [2, 2] == values(answer)["Other"]


@pytest.mark.parametrize(
    ("breakdown", "expected"),
    [
        ({"breakdown": "plan", "breakdown_type": "person"}, {"free": [1, 1], "pro": [1, 1], "": [1, 1]}),
        ({"breakdown": "upper(event)", "breakdown_type": "hogql"}, {"VISIT": [3, 3]}),
        ({"breakdown": "event", "breakdown_type": "event_metadata"}, {"visit": [3, 3]}),
        ({"breakdown": "$group_0", "breakdown_type": "event_metadata"}, {"": [3, 3]}),
        ({"breakdowns": [{"property": "plan", "type": "person"}]}, {"free": [1, 1], "pro": [1, 1], "": [1, 1]}),
    ],
)
def test_types_of_breakdown(ask: Ask, breakdown: dict[str, Any], expected: dict[str, list[int]]) -> None:
    """Values may be of persons, expressions, and fields of events."""
    assert expected == values(ask(funnel("visit", "buy", breakdown=breakdown)))


@pytest.mark.parametrize(("attribution", "none"), [("first_touch", ""), ("all_events", None), ("step", None)])
def test_an_expression_of_no_value(store: EventStore, ask: Ask, attribution: str, none: str | None) -> None:
    """As in PostHog, NULL is a value of its own, over time called None; but who never had a value has an empty one."""
    by = {"breakdown": "nullIf(properties.page, '')", "breakdown_type": "hogql"}
    query = funnel("buy", "visit", breakdown=by, breakdownAttributionType=attribution, funnelOrderType="unordered")
    assert none in [steps[0]["breakdown_value"][0] for steps in ask(query)["results"]]
    assert "cem" in behind(store, query, funnelStep=1, funnelStepBreakdown=[none])
    over_time = query | {"funnelsFilter": query["funnelsFilter"] | {"funnelVizType": "trends"}}
    assert ["None" if none is None else none] in [line["breakdown_value"] for line in ask(over_time)["results"]]


def test_values_are_of_the_type(tmp_path: Path) -> None:
    """Texts of a property that holds numbers are one value however they are written; others are none."""
    rows = [
        {"event": name, "distinct_id": who, "timestamp": f"2026-03-10T1{hour}:00:00Z", "properties": {"n": n} | more}
        for who, n in (("ann", "10.50"), ("bea", 10.5), ("cem", "ten"))
        for hour, (name, more) in enumerate((("visit", {}), ("buy", {"n": None})))
    ]
    store = store_of(rows, tmp_path)
    with duckdb.connect(str(store.path)) as con:
        con.execute("update property_catalogue set property_type = 'Numeric' where name = 'n'")
    answer = asking(store)(funnel("visit", "buy", breakdown={"breakdown": "n", "breakdown_type": "event"}))
    assert {"10.5": [2, 2], "": [1, 1]} == values(answer)


def test_trend_by_value(ask: Ask) -> None:
    """One series for each value, in their order."""
    results = ask(funnel("visit", "buy", breakdown=PAGE, funnelVizType="trends"))["results"]
    assert [[""], ["/"], ["/docs"]] == [series["breakdown_value"] for series in results]
