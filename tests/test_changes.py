"""The difference of two queries in words: nothing for the same, a line for whatever differs."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.schema.query import wrapped
from insights_mcp.text import UNSAFE
from insights_mcp.words import changes, described
from insights_mcp.words.meaning import meaning, same

GERMANS = {"key": "country", "value": ["DE"], "operator": "exact", "type": "person"}


def event(called: str | None, **more: Any) -> dict[str, Any]:
    """A series or step of an event."""
    return {"kind": "EventsNode", "event": called} | more


TREND: dict[str, Any] = {"kind": "TrendsQuery", "series": [event("signup")]}
FUNNEL: dict[str, Any] = {"kind": "FunnelsQuery", "series": [event("visit"), event("signup"), event("pay")]}
RETENTION: dict[str, Any] = {"kind": "RetentionQuery", "retentionFilter": {"totalIntervals": 8}}
SQL: dict[str, Any] = {"kind": "HogQLQuery", "query": "select count() from events limit 100"}
RICH: list[dict[str, Any]] = [
    TREND | {
        "series": [event("signup", math="sum", math_property="price", properties=[GERMANS]), event("Order Completed")],
        "interval": "week", "dateRange": {"date_from": "-30d", "date_to": "-1d", "explicitDate": True},
        "properties": {"type": "AND", "values": [
            {"type": "OR", "values": [GERMANS, {"key": "plan", "operator": "icontains", "value": "pro"}]}]},
        "breakdownFilter": {"breakdowns": [{"property": "$browser", "type": "event"}], "breakdown_limit": 10},
        "compareFilter": {"compare": True, "compare_to": "-1w"}, "filterTestAccounts": True, "samplingFactor": 0.5,
        "trendsFilter": {"formulaNodes": [{"formula": "A/B"}], "display": "ActionsTable", "smoothingIntervals": 7},
    },
    FUNNEL | {
        "breakdownFilter": {"breakdown": "plan", "breakdown_type": "person"},
        "funnelsFilter": {
            "funnelWindowInterval": 3, "funnelWindowIntervalUnit": "week", "funnelOrderType": "strict",
            "exclusions": [event("refund", funnelFromStep=0, funnelToStep=1)],
        },
    },
    {
        "kind": "RetentionQuery", "dateRange": {"date_to": "2026-01-01"}, "aggregation_group_type_index": 1,
        "retentionFilter": {
            "targetEntity": {"id": "signup", "type": "events"}, "returningEntity": {"id": 4, "type": "actions"},
            "period": "Week", "totalIntervals": 11, "retentionType": "retention_first_time", "cumulative": True,
        },
    },
    {
        "kind": "PathsQuery",
        "pathsFilter": {"startPoint": "/", "includeEventTypes": ["$pageview"], "stepLimit": 7, "excludeEvents": ["x"]},
    },
    {
        "kind": "StickinessQuery", "series": [event("visit")], "intervalCount": 2,
        "stickinessFilter": {"computedAs": "cumulative", "stickinessCriteria": {"operator": "gte", "value": 3}},
    },
    {"kind": "LifecycleQuery", "series": [{"kind": "ActionsNode", "id": 3}], "interval": "month"},
    SQL | {"filters": {"dateRange": {"date_from": "-7d"}}, "values": {"x": 1}},
    {"kind": "EventsQuery", "select": ["*", "event"], "where": ["a = 1"], "limit": 5},
    {"kind": "ActorsQuery", "source": {"kind": "FunnelsActorsQuery", "funnelStep": 2, "source": FUNNEL}},
]  # fmt: skip

SAID: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    (TREND, TREND | {"dateRange": {"date_from": "-30d"}}, ["window 7 d → 30 d"]),
    (TREND, TREND | {"dateRange": {"date_from": "mStart"}}, ["window last 7 days → this month"]),
    (
        TREND,
        TREND | {"breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event"}},
        ["breakdown + $browser"],
    ),
    (TREND, TREND | {"filterTestAccounts": True}, ["test accounts now out"]),
    (TREND | {"filterTestAccounts": True}, TREND, ["test accounts now in"]),
    (TREND, TREND | {"interval": "week"}, ["interval day → week"]),
    (TREND, TREND | {"series": [event("signup", math="dau")]}, ["series A: count → unique users"]),
    (TREND, TREND | {"series": [event("signup"), event("Paid")]}, ["series B + Paid"]),
    (TREND, TREND | {"trendsFilter": {"display": "BoldNumber"}}, ["display line chart → one number"]),
    (TREND | {"properties": [GERMANS]}, TREND, ["filter − country = DE (person)"]),
    (
        TREND | {"properties": [GERMANS]},
        TREND | {"properties": [GERMANS | {"value": ["FR"]}]},
        ["filter country = DE (person) → country = FR (person)"],
    ),
    (FUNNEL, FUNNEL | {"series": [event("visit"), event("purchase"), event("pay")]}, ["step 2: signup → purchase"]),
    (FUNNEL, FUNNEL | {"series": [event("visit"), event("pay")]}, ["step 2 − signup"]),
    (FUNNEL, FUNNEL | {"funnelsFilter": {"funnelWindowInterval": 30}}, ["conversion window: 14 d → 30 d"]),
    (RETENTION, RETENTION | {"retentionFilter": {"totalIntervals": 8, "period": "Week"}}, ["period Day → Week"]),
    (SQL, SQL | {"query": "select count() from events limit 500"}, ['SQL "limit 100" → "limit 500"']),
    (TREND, FUNNEL, [f"trend → funnel: {described(FUNNEL)}"]),
]
SAME: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (TREND, wrapped(TREND)),
    (SQL, wrapped(SQL)),
    (TREND, TREND | {"dateRange": {"date_from": "-7d", "date_to": None}, "interval": "day", "properties": []}),
    (TREND, TREND | {"series": [event("signup", name="signup", math="total")], "samplingFactor": 1, "version": 2}),
    (TREND | {"properties": [GERMANS]}, TREND | {"properties": {"type": "AND", "values": [{"values": [GERMANS]}]}}),
    (
        TREND | {"breakdownFilter": {"breakdown": "x", "breakdown_type": "event"}},
        TREND | {"breakdownFilter": {"breakdowns": [{"property": "x", "type": "event"}]}},
    ),
    (FUNNEL, FUNNEL | {"funnelsFilter": {"funnelWindowInterval": 14, "funnelOrderType": "ordered", "exclusions": []}}),
]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every part."""
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from parts(item, (*path, key))


def altered(query: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    """The query with another value at one place."""
    found = copy.deepcopy(query)
    inner: Any = found
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return found


@pytest.mark.parametrize(("before", "after", "said"), SAID, ids=lambda value: str(value)[:60])
def test_what_is_said(before: dict[str, Any], after: dict[str, Any], said: list[str]) -> None:
    """One change, one line."""
    assert said == changes(before, after)


@pytest.mark.parametrize(("before", "after"), SAME)
def test_what_means_the_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Wrappers, defaults and other forms of the same are no change, in either direction."""
    assert ([], []) == (changes(before, after), changes(after, before))


@pytest.mark.parametrize("query", RICH, ids=lambda query: query["kind"])
def test_no_part_can_be_taken_away_unnoticed(query: dict[str, Any]) -> None:
    """Every part of a query matters: without it there is a line, there and back."""
    for path in parts(query):
        without = altered(query, path, None)
        if not same(meaning(query), meaning(without)):
            assert all((changes(query, without), changes(without, query))), path


@settings(max_examples=300)
@given(st.data())
def test_no_part_can_change_unnoticed(data: st.DataObject) -> None:
    """Any value at any place: a line if it means something else, none if not; each line is one line."""
    query = data.draw(st.sampled_from(RICH))
    other = altered(query, data.draw(st.sampled_from(list(parts(query)))), data.draw(json_values))
    before = json.dumps([query, other])
    lines = changes(query, other)
    assert same(meaning(query), meaning(other)) == (not lines)
    assert [] == [line for line in lines if UNSAFE.search(line) or not line or len(line) > 300]
    assert before == json.dumps([query, other])


@settings(max_examples=150)
@given(json_values, json_values)
def test_any_json_is_compared(before: Any, after: Any) -> None:
    """Whatever the activity log holds; what is the same has no difference."""
    assert [] == changes(before, copy.deepcopy(before))
    assert same(meaning(before), meaning(after)) == (not changes(before, after))


def test_long_values_that_differ_late() -> None:
    """What is too long to show is shown where it begins to differ."""
    long = {"key": "url", "value": "https://example.com/" + "x" * 200}
    (line,) = changes(TREND | {"properties": [long]}, TREND | {"properties": [long | {"value": long["value"] + "y"}]})
    assert (True, True) == (line.startswith("filter url value"), "xy" in line)


def test_many_changes_stay_few_lines() -> None:
    """A thousand values more are one line."""
    many = [str(number) for number in range(1000)]
    one = [{"key": "id", "operator": "exact", "value": ["a", "b"]}]
    lines = changes(TREND | {"properties": one}, TREND | {"properties": [one[0] | {"value": many}]})
    assert ["filter id value − a, b", "filter id value + 0, 1, 10, 100 and 996 more"] == lines
