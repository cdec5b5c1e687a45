"""EventsQuery over the small world."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.local import queries
from tests.local.queries.conftest import Ask


def rows(ask: Ask, *select: str, **rest: Any) -> list[Any]:
    return list(ask({"kind": "EventsQuery", "select": list(select), "after": "all", **rest})["results"])


def test_latest_first(ask: Ask) -> None:
    """Without an order the latest come first, and of the last day only."""
    answer = ask({"kind": "EventsQuery", "select": ["event", "distinct_id"]})
    assert [["buy", "cem"], ["visit", "cem"]] == answer["results"]
    assert (["event", "distinct_id"], ["String", "String"]) == (answer["columns"], answer["types"])


def test_objects(ask: Ask) -> None:
    """`*` is the event, `person` the person, their properties as objects."""
    [[event, person]] = rows(ask, "*", "person", where=["properties.amount = 10"])
    assert ("buy", {"amount": 10, "$set": {"plan": "free", "age": 41}}) == (event["event"], event["properties"])
    assert ({"plan": "free", "age": 41}, "ann") == (person["properties"], person["distinct_id"])


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
