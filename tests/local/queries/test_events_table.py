"""EventsQuery over the small world."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from tests.local.queries.conftest import Ask, asking, store_of


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


def test_constants(ask: Ask) -> None:
    """A number among the columns is no place of one."""
    assert [[7, "visit", 4], [7, "buy", 3]] == rows(ask, "7", "event", "count()", limit=2)
    assert [[9, 8]] == rows(ask, "9", "count()")
    assert [[5]] == rows(ask, "5", limit=1)


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
    """An action can be described by its steps: events that match one of them."""
    steps = [{"event": "buy", "properties": [{"key": "amount", "value": 10, "operator": "gt"}]}, {"event": "$identify"}]
    assert [["$identify"], ["buy"]] == rows(ask, "event", actionSteps=steps)


def test_next_page(ask: Ask) -> None:
    """Where rows are in the order of time, the last one's says where the next page begins."""
    asked = {"kind": "EventsQuery", "select": ["event", "timestamp"], "after": "all", "limit": 3}
    seen: list[Any] = []
    page = ask(asked)
    while page["nextCursor"]:
        seen += page["results"]
        page = ask(asked | {"before": page["nextCursor"]})
    assert 8 == len(seen + page["results"])
    assert (
        "2026-03-08T10:00:00+00:00"
        == ask(asked | {"select": ["*"], "orderBy": ["timestamp"], "limit": 2})["nextCursor"]
    )
    assert ask(asked | {"orderBy": ["event"]})["nextCursor"] is None


def test_whole_events(tmp_path: Path) -> None:
    """With what was clicked, and whether there is a recording; no columns at all mean these."""
    chain = 'a.btn.big:attr__data-x="1;2"href="/buy"nth-child="2"text="Buy: now";div:attr_id="top"nth-of-type="1"'
    events = [
        {
            "event": event,
            "timestamp": "2026-03-10T09:00:00Z",
            "distinct_id": "ann",
            "properties": {"$session_id": session},
        }
        | {"elements_chain": chain if event == "$autocapture" else ""}
        for event, session in (("$autocapture", "s1"), ("visit", "s2"), ("$snapshot", "s1"))
    ]
    store = store_of(events, tmp_path)
    asked = {"kind": "EventsQuery", "select": [], "where": ["event != '$snapshot'"], "orderBy": ["event"]}
    answer = asking(store)(asked)
    [[clicked], [visit]] = answer["results"]
    store.close()
    assert [True, False] == [each["properties"]["$has_recording"] for each in (clicked, visit)]
    nothing = dict.fromkeys(("text", "tag_name", "attr_class", "href", "attr_id", "nth_child", "nth_of_type"))
    inner = {"tag_name": "a", "attr_class": ["btn", "big"], "href": "/buy", "text": "Buy: now", "nth_child": 2}
    assert [
        nothing | inner | {"attributes": {"attr__data-x": "1;2"}, "order": 0},
        nothing | {"tag_name": "div", "attr_id": "top", "nth_of_type": 1, "attributes": {}, "order": 1},
    ] == clicked["elements"]
    assert "elements" not in visit
