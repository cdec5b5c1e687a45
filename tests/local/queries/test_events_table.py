"""EventsQuery over the small world."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from tests.local.queries.conftest import Ask, asking


def rows(ask: Ask, *select: str, **rest: Any) -> list[Any]:
    return list(ask({"kind": "EventsQuery", "select": list(select), "after": "all", **rest})["results"])


def test_order(ask: Ask) -> None:
    """Without an order: the latest where times are shown, else by the first column; and the last day only."""
    answer = ask({"kind": "EventsQuery", "select": ["distinct_id", "event"], "after": "-3d"})
    people = [row[0] for row in answer["results"]]
    assert people == sorted(people)
    assert (["distinct_id", "event"], ["String", "String"]) == (answer["columns"], answer["types"])
    times = rows(ask, "event", "timestamp")
    assert times == sorted(times, key=lambda row: str(row[1]), reverse=True)
    assert [["buy"], ["visit"]] == [row[:1] for row in rows(ask, "event", "timestamp", after="-24h")]


def test_called(ask: Ask) -> None:
    """A person is called by what is known, also in an order; an alias names a column and can be sorted by."""
    named = {"kind": "EventsQuery", "select": ["person_display_name -- Person", "count() as c"], "after": "all"}
    answer = ask({**named, "orderBy": ["person_display_name -- Person DESC"]})
    assert ["person_display_name -- Person", "c"] == answer["columns"]
    shown = [row[0]["display_name"] for row in answer["results"]]
    assert shown == sorted(shown, reverse=True)
    assert "ann" in shown
    counted = [row[1] for row in ask({**named, "orderBy": ["c"]})["results"]]
    assert counted == sorted(counted)
    assert counted[::-1] == [row[1] for row in ask(named)["results"]]


def test_objects(ask: Ask) -> None:
    """`*` is the event, `person` the person, their properties as objects."""
    [[event, person]] = rows(ask, "*", "person", where=["properties.amount = 10"])
    assert ("buy", {"amount": 10, "$set": {"plan": "free", "age": 41}}) == (event["event"], event["properties"])
    assert ({"plan": "free", "age": 41}, "ann") == (person["properties"], person["distinct_id"])
    assert (1, "full") == (event["team_id"], event["person_mode"])


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ({"event": "buy"}, 3),
        ({"events": ["buy", "$identify"]}, 4),
        ({"properties": [{"key": "page", "value": "/"}]}, 2),
        ({"where": ["event = 'visit'", "properties.page != '/'"]}, 2),
        ({"after": "2026-03-09", "before": "2026-03-10"}, 3),
        ({"after": "-30h", "event": "visit"}, 2),
    ],
)
def test_conditions(ask: Ask, rest: dict[str, Any], expected: int) -> None:
    """All of them must hold."""
    assert [[expected]] == rows(ask, "count()", **rest)


def test_grouped(ask: Ask) -> None:
    """With an aggregate among them, the other columns are what it is grouped by."""
    assert [["visit", 4], ["buy", 3]] == rows(ask, "event", "count() as c", orderBy=["count() DESC"], limit=2)
    assert [["buy", 3], ["visit", 4]] == rows(ask, "event", "count()", where=["count() > 2"], orderBy=["event"])


def test_future(store: EventStore) -> None:
    """Events still to come are shown only where `before` reaches there."""
    then = asking(store, datetime(2026, 3, 9, tzinfo=UTC))
    assert [[3]] == rows(then, "count()")
    assert [[8]] == rows(then, "count()", before="2026-03-12")


def test_pages(ask: Ask) -> None:
    """Limit, offset and whether there is more."""
    answer = ask(
        {"kind": "EventsQuery", "select": ["event"], "after": "all", "limit": 2, "offset": 5, "orderBy": ["timestamp"]}
    )
    assert ([["buy"], ["visit"]], True) == (answer["results"], answer["hasMore"])


@pytest.mark.parametrize("select", [["nowhere"], ["event as"], ["(select 1", "event"], ["count(", "*"]])
def test_refused(ask: Ask, select: list[str]) -> None:
    """Broken expressions are told."""
    with pytest.raises(queries.QueryError):
        rows(ask, *select)


def test_steps(ask: Ask) -> None:
    """Steps of an action that is not there are refused, not left out."""
    with pytest.raises(queries.QueryError, match="actionId"):
        rows(ask, "event", actionSteps=[{"event": "buy"}])
