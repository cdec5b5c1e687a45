"""Which events and properties a query names, and the query with other names."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.repair import names_in, renamed

FUNNEL: dict[str, Any] = {
    "kind": "InsightVizNode",
    "source": {
        "kind": "FunnelsQuery",
        "series": [
            {"kind": "EventsNode", "event": "seen", "properties": [{"key": "plan", "value": "paid", "type": "person"}]},
            {"kind": "GroupNode", "nodes": [{"kind": "EventsNode", "event": "paid", "math_property": "price"}]},
            {"kind": "EventsNode", "event": None},
        ],
        "properties": {"type": "AND", "values": [{"type": "AND", "values": [{"key": "$browser"}]}]},
        "breakdownFilter": {"breakdown": ["$os", "$city"], "breakdown_type": "event"},
        "funnelsFilter": {"funnelAggregateByHogQL": "properties.team"},
    },
}


def said(query: Any) -> list[tuple[str, str, str | None, str | None]]:
    """The names, without their places."""
    return [(n.of, n.name, n.type, n.on) for n in names_in(query)]


def test_every_place_of_a_query() -> None:
    """Events of series and groups; properties of filters, breakdowns, maths and expressions, and on which event."""
    assert [
        ("event", "seen", None, None),
        ("property", "plan", "person", "seen"),
        ("event", "paid", None, None),
        ("property", "price", "event", "paid"),
        ("property", "$browser", "event", None),
        ("property", "$os", "event", None),
        ("property", "$city", "event", None),
        ("property", "team", "event", None),
    ] == said(FUNNEL)


def test_retention_and_paths() -> None:
    """A retention's events stand in `id`; one of an action is none."""
    entities = {"targetEntity": {"id": "signed up", "type": "events"}, "returningEntity": {"id": 4, "type": "actions"}}
    assert [("event", "signed up", None, None)] == said({"kind": "RetentionQuery", "retentionFilter": entities})


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("select count() from events where event = 'sign up' -- event = 'no'", [("sign up", None)]),
        ("select 1 from events e where e.event in ('a', 'it''s')", [("a", None), ("it's", None)]),
        ("select properties.$browser, properties['a b'] from events", [("$browser", "event"), ("a b", "event")]),
        ('select person.properties."x y", properties.`z` from events', [("x y", "person"), ("z", "event")]),
        ("select properties.email from persons", [("email", "person")]),
        ("select e.properties.a from events e join persons p on 1", [("a", None)]),
        ("event from where 'select' properties", []),
    ],
)
def test_names_in_sql(sql: str, names: list[tuple[str, str | None]]) -> None:
    """By words alone, comments left out."""
    assert names == [(n.name, n.type) for n in names_in({"kind": "HogQLQuery", "query": sql})]


def test_renaming_changes_only_the_places_named() -> None:
    """Everything else stays, the query that was given too; in SQL the quotes stay right."""
    sql = "select properties.plan, \"event\" from events where event = 'A' and event != 'B'"
    query = {"kind": "HogQLQuery", "query": sql}
    plan, first, second = names_in(query)
    changed = renamed(query, [(plan, "Plan Name"), (second, "b's"), (first, "a")])
    wanted = "select properties.\"Plan Name\", \"event\" from events where event = 'a' and event != 'b\\'s'"
    assert (wanted, sql) == (changed["query"], query["query"])


def test_renaming_everything() -> None:
    """Each name is found again under its new name, at the same place."""
    names = names_in(FUNNEL)
    after = names_in(renamed(FUNNEL, [(n, f"{n.name}2") for n in names]))
    assert [(n.of, f"{n.name}2", n.path) for n in names] == [(n.of, n.name, n.path) for n in after]
