"""What a query measures, in one or two sentences."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insights_mcp.schema.query import wrapped
from insights_mcp.text import UNSAFE
from insights_mcp.words import described
from tests.test_changes import FUNNEL, GERMANS, RETENTION, RICH, SQL, TREND, altered, event, json_values, parts

MOST = 400
SAID: list[tuple[dict[str, Any], str]] = [
    (TREND, "Count of signup per day, last 7 days."),
    (
        TREND | {"series": [event("Order Completed", math="sum", math_property="price")], "interval": "week"},
        'Sum of price of "Order Completed" per week, last 7 days.',
    ),
    (
        TREND | {"trendsFilter": {"display": "CalendarHeatmap"}},
        "Count of signup by weekday and hour, last 7 days. Shown as calendar heatmap.",
    ),
    (
        TREND
        | {
            "series": [{"kind": "EventsNode", "event": "pay", "math": "avg", "math_property": "price"}],
            "trendsFilter": {"display": "BoxPlot"},
        },
        "Spread of price of pay per day, last 7 days. Shown as box plot.",
    ),
    (
        TREND | {"series": [event("pay", math="dau"), event(None)], "trendsFilter": {"formula": "A/B"}},
        "A: unique users of pay and B: count of any event per day, last 7 days. Formula A/B.",
    ),
    (
        TREND | {"filterTestAccounts": True, "properties": [GERMANS], "trendsFilter": {"display": "BoldNumber"}},
        "Count of signup in all, last 7 days, where country = DE, test accounts out. Shown as one number.",
    ),
    (
        TREND
        | {"breakdownFilter": {"breakdown": "plan", "breakdown_type": "person"}, "compareFilter": {"compare": True}},
        "Count of signup per day, last 7 days, split by plan (person). Compared with the period before.",
    ),
    (FUNNEL, "How many people go visit → signup → pay in this order within 14 days, last 7 days."),
    (
        FUNNEL | {"funnelsFilter": {
            "funnelWindowInterval": 1, "funnelWindowIntervalUnit": "hour", "funnelOrderType": "strict",
            "exclusions": [event("refund", funnelFromStep=0, funnelToStep=2)]}},
        "How many people go visit → signup → pay with nothing in between within 1 hour, last 7 days. "
        "Without those who did refund between steps 1 and 3.",
    ),
    (RETENTION, "Of the people who did $pageview, how many did $pageview in the next 7 days."),
    (
        RICH[4],
        "On how many days people did visit, last 7 days. Counted on that many or more, a day counts with at least 3.",
    ),
    (RICH[5], "People doing action 3 per month: new, returning, resurrecting, dormant, last 7 days."),
    (RICH[3], "Which way people go through pages, from /, 7 steps at most, last 7 days. Without x."),
    (SQL, 'SQL over events, at most 100 rows. It begins "select count() from events limit 100".'),
    (SQL | {"query": "select 1"}, 'SQL without a table, 100 rows, as it has no LIMIT. It begins "select 1".'),
    (RICH[7], "A list of events, with \"*\", event, at most 5 rows."),
    (
        {"kind": "ActorsQuery", "source": {"kind": "InsightActorsQuery", "day": "2026-01-05", "source": TREND}},
        "The people behind a point of an insight (day 2026-01-05): Count of signup per day, last 7 days.",
    ),
    (
        {"kind": "FunnelCorrelationQuery", "funnelCorrelationType": "properties", "source": {"source": TREND}},
        "Which properties of people go along with converting: Count of signup per day, last 7 days.",
    ),
    ({"kind": "NewQuery", "depth": 3}, "A query of kind NewQuery with depth."),
]  # fmt: skip


@pytest.mark.parametrize(("query", "said"), SAID, ids=lambda value: str(value)[:50])
def test_what_is_said(query: dict[str, Any], said: str) -> None:
    """Bare or wrapped."""
    assert (said, said) == (described(query), described(wrapped(query)))


WINDOWS = {
    "last 30 days": {"date_from": "-30d"},
    "last day": {"date_from": "-1d"},
    "last 24 hours": {"date_from": "-24h"},
    "today": {"date_from": "dStart"},
    "yesterday": {"date_from": "-1dStart", "date_to": "-1dEnd"},
    "this month": {"date_from": "mStart"},
    "all time": {"date_from": "all"},
    "since 2026-01-01": {"date_from": "2026-01-01"},
    "2026-01-01 to 2026-02-01": {"date_from": "2026-01-01", "date_to": "2026-02-01"},
    "14 days ago to 7 days ago": {"date_from": "-14d", "date_to": "-7d"},
    "since the start of the month 2 months ago": {"date_from": "-2mStart"},
}


@pytest.mark.parametrize("said", WINDOWS)
def test_windows(said: str) -> None:
    """A window as a person would say it."""
    assert f"Count of signup per day, {said}." == described(TREND | {"dateRange": WINDOWS[said]})


@settings(max_examples=200)
@given(st.data())
def test_any_query_is_described(data: st.DataObject) -> None:
    """One line of at most 400 characters, without JSON in it, whatever stands in the query."""
    query = data.draw(st.sampled_from(RICH))
    told = described(altered(query, data.draw(st.sampled_from(list(parts(query)))), data.draw(json_values)))
    assert len(told) <= MOST
    assert UNSAFE.search(told) is None


@given(json_values)
def test_any_json_is_described(value: Any) -> None:
    """Also what is no query."""
    assert 0 < len(described(value)) <= MOST


@pytest.mark.parametrize("query", RICH, ids=lambda query: query["kind"])
def test_no_json_is_shown(query: dict[str, Any]) -> None:
    """The sentence is one for people."""
    assert not set("{}[]") & set(described(query)), json.dumps(query)
