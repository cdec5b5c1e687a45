"""Where numbers come from, in one line: each part of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.provenance import conditions, provenance
from insights_mcp.answer.results import readable
from insights_mcp.schema.query import QueryResponse
from insights_mcp.tools.insight_facts import asked, source_line

NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def line(source: dict[str, Any] | None = None, **more: Any) -> str:
    """The line of a result for the first ten days of January."""
    changes: dict[str, Any] = {name: more.pop(name) for name in ("zone", "has_more") if name in more}
    known: dict[str, Any] = {
        "source": source or {},
        "at": NOW,
        "zone": "Europe/Berlin",
        "date_from": "2026-01-01T00:00:00+01:00",
        "date_to": "2026-01-10T23:59:59.999999+01:00",
    }
    asked = Asked(**(known | changes))
    return provenance(asked, **({"computed": None, "cached": False, "now": NOW} | more))


def test_the_window_has_absolute_dates_and_its_zone() -> None:
    """As the project's clocks show them."""
    assert line().startswith("2026-01-01 to 2026-01-10 (Europe/Berlin); ")


def test_a_window_that_the_reply_does_not_tell_is_the_querys() -> None:
    """Resolved from the moment it was computed; not beyond it."""
    reply = QueryResponse(results=[], last_refresh="2026-01-10T15:00:00Z", timezone="UTC")
    query = {"kind": "StickinessQuery", "dateRange": {"date_from": "-14d"}}
    told = source_line(reply, asked(reply, query), readable([]))
    assert told.startswith("2025-12-27 to 2026-01-10 15:00 (UTC)")


@pytest.mark.parametrize(("given", "word"), [(True, "out"), (False, "in"), (None, "in")])
def test_test_accounts(given: bool | None, word: str) -> None:
    """In or out."""
    assert f"test accounts {word}" in line({"filterTestAccounts": given})


def test_sql_has_no_test_accounts() -> None:
    """Its text says what it filters."""
    assert "test accounts" not in line({"kind": "HogQLQuery"})


def test_the_age_of_what_is_cached() -> None:
    """How long ago it was computed."""
    assert "computed 3h ago (cached)" in line(computed=(NOW - timedelta(hours=3)).isoformat(), cached=True)


def test_when_it_was_computed() -> None:
    """If just now, the moment."""
    assert "computed 2026-01-10 12:00Z" in line(computed="2026-01-10T12:00:00Z")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"unfinished": True}, "last bucket partial"),
        ({"has_more": True}, "breakdown limit hit"),
        ({"link": "https://eu.posthog.com/project/1/insights/x"}, "https://eu.posthog.com/project/1/insights/x"),
        ({"source": {"breakdownFilter": {"breakdown": "$browser"}}}, "by $browser"),
        ({"source": {"breakdownFilter": {"breakdowns": [{"property": "a"}, {"property": "b"}]}}}, "by a, b"),
        ({"source": {"samplingFactor": 0.1}}, "sample of 0.1"),
        ({"source": {"series": [{"event": "x", "properties": [{"key": "k", "value": 1}]}]}}, "where x: k = 1"),
    ],
)
def test_a_part_of_the_line(given: dict[str, Any], told: str) -> None:
    """Each where there is something to tell."""
    assert told in line(**given)


@pytest.mark.parametrize(
    ("filters", "words"),
    [
        ([{"key": "$browser", "value": ["Chrome"]}], ["$browser = Chrome"]),
        ([{"key": "n", "value": 3, "operator": "gt"}], ["n > 3"]),
        ([{"key": "x", "operator": "is_set", "value": "is_set"}], ["x is set"]),
        ([{"key": "x", "operator": "is_not", "value": ["a", "b", "c", "d", "e"]}], ["x ≠ a or b or c … +2"]),
        ([{"type": "hogql", "key": "properties.a > 1"}], ["properties.a > 1"]),
        ({"type": "OR", "values": [{"key": "a", "value": 1}, {"key": "b", "value": 2}]}, ["(a = 1 or b = 2)"]),
        ({"type": "AND", "values": [{"type": "AND", "values": [{"key": "a", "value": 1}]}]}, ["a = 1"]),
        ([{"key": "x", "operator": "exact", "value": None}, {}, {"type": "empty"}], ["x (no value: passed over)"]),
        ([{"key": "x", "operator": [None], "type": {}, "value": None}], ["x (no value: passed over)"]),
        ("nonsense", []),
        ([None, 3, {"values": None}], []),
    ],
)
def test_filters_in_words(filters: Any, words: list[str]) -> None:
    """Property filters and groups of them, whatever is in them."""
    assert words == conditions(filters)
