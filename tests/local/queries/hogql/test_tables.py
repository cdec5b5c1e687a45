"""HogQL over the small world: tables beside events and persons, arrays, and functions that take a lambda."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from insights_mcp.local.load import load
from insights_mcp.local.queries.project import Action, Cohort
from tests.local.queries.conftest import Ask, asking, store_of

Rows = Callable[..., list[Any]]
PRO = {"type": "AND", "values": [{"key": "plan", "type": "person", "value": "pro"}]}
COHORTS = {7: Cohort(7, "paying", definition=PRO)}
ACTIONS = {3: Action(3, "Bought", [{"event": "buy"}])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select session_id, distinct_id, $session_duration from sessions order by 1 limit 1", [["s1", "ann", 0]]),
        ("select session.session_id, event from events where session.session_id = 's3'", [["s3", "visit"]]),
        ("select x from events array join ['a', 'b'] as x where event = '$identify'", [["a"], ["b"]]),
        ("select distinct_id, x from events left array join [] as x where event = '$identify'", [["bea", None]]),
        ("select arrayMap((x, y) -> x + y, [1, 2], [3, 4])", [[[4, 6]]]),
        ("select arraySort(x -> -x, [1, 3, 2]), arrayFold((a, x) -> a + x, [1, 2], 0)", [[[3, 2, 1], 3]]),
        ("select topK(1)(event), sumMap(['a', 'b'], [1, 2]) from events", [[["visit"], [["a", "b"], [8, 16]]]]),
        ("select arrayZip([1, 2], ['a', 'b'])", [[[[1, "a"], [2, "b"]]]]),
        ("select map('a', 1), map('a', 1)['a']", [[{"a": 1}, 1]]),
        ("select count() filter (where event = 'buy') from events", [[3]]),
        ("select distinct on (event) event from events order by event limit 2", [["$identify"], ["buy"]]),
        ("select toHour(toDateTime('2026-01-01 12:00:00'), 'Europe/Berlin')", [[13]]),
        ("select event from events where properties.trial = 'true'", [["buy"]]),
        ("select properties.amount::text from events where properties.amount > 0 order by 1", [["10"], ["30.5"]]),
        ("select session.duration from events where event = '$identify'", [[0]]),
        (
            "select p.team_id, e.team_id, count() from events e join persons p on p.id = e.person_id group by 1, 2",
            [[1, 1, 8]],
        ),
        (
            "select team_id, person_mode, count() from events where team_id = 1 group by team_id, person_mode",
            [[1, "full", 8]],
        ),
    ],
)
def test_answer(hogql: Rows, text: str, expected: list[Any]) -> None:
    """One fact of the language each."""
    assert expected == hogql(text)


@pytest.mark.parametrize("cohort", ["7", "'paying'"])
def test_cohorts(hogql: Rows, cohort: str) -> None:
    """Who is in a cohort, by its number or its name; and as a table."""
    counted = f"select count() from events where person_id in cohort {cohort}"
    assert [[4]] == hogql(counted, cohorts=COHORTS)
    assert [[4]] == hogql(counted.replace(" in ", " not in "), cohorts=COHORTS)
    assert [[7, 1]] == hogql("select cohort_id, count() from cohort_people group by 1", cohorts=COHORTS)


def test_actions(hogql: Rows) -> None:
    """Events of an action, by its number or its name."""
    texts = [f"select count() from events where matchesAction({name})" for name in ("3", "'Bought'")]
    assert [[[3]], [[3]]] == [hogql(text, actions=ACTIONS) for text in texts]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select session_id from raw_session_replay_events where events.event = 'seen'", [["s1"]]),
        (
            "select session_id, person.properties.plan from session_replay_events order by 1",
            [["s1", "pro"], ["s2", None]],
        ),
        ("select r.session_id from session_replay_events r where r.pdi.distinct_id = 'bea'", [["s2"]]),
        (
            "select session_id, session.$entry_current_url from session_replay_events order by 1",
            [["s1", "/a"], ["s2", None]],
        ),
    ],
)
def test_beside_recordings(tmp_path: Path, text: str, expected: list[Any]) -> None:
    """The person of a recording, its session, and the events of that."""
    rows = [
        {"event": event, "timestamp": "2026-03-08T09:00:00Z", "distinct_id": who, "properties": properties}
        for event, who, properties in (
            ("$snapshot_items", "ann", {"$session_id": "s1", "$set": {"plan": "pro"}}),
            ("$snapshot_items", "bea", {"$session_id": "s2"}),
            ("seen", "ann", {"$session_id": "s1", "$current_url": "/a"}),
        )
    ]
    store = store_of(rows, tmp_path)
    found = asking(store)({"kind": "HogQLQuery", "query": text})["results"]
    store.close()
    assert expected == found


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, [["acme"], ["hedge"]]),
        (
            {"properties": [{"key": "size", "type": "group", "group_type_index": 0, "operator": "gt", "value": 9}]},
            [["hedge"]],
        ),
        ({"dateRange": {"date_from": "2026-03-09"}}, [["hedge"]]),
    ],
)
def test_filters_of_groups(tmp_path: Path, filters: dict[str, Any], expected: list[Any]) -> None:
    """`{filters}` narrows the table of groups by their own properties, and by when they came to be."""
    rows = [
        {"event": "$groupidentify", "timestamp": f"2026-03-{day}T09:00:00Z", "distinct_id": "ann",
         "properties": {"$group_type": "company", "$group_key": key, "$group_set": {"size": size}}}
        for key, day, size in (("acme", "08", 5), ("hedge", "09", 50))
    ]  # fmt: skip
    store = store_of(rows, tmp_path)
    query = {"kind": "HogQLQuery", "query": "select key from groups where {filters} order by key", "filters": filters}
    found = asking(store)(query)["results"]
    store.close()
    assert expected == found


def test_persons_as_they_were(tmp_path: Path) -> None:
    """`poe` is the person at the event, `person` as it is now; the first is the second where events do not say."""
    who = {"distinct_id": "ann", "person_id": "00000000-0000-4000-8000-000000000001"}
    rows: list[dict[str, Any]] = [
        {**who, "event": event, "timestamp": "2026-03-08T09:00:00Z", "person_properties": then}
        for event, then in (("a", {"plan": "free"}), ("b", None))
    ]
    rows.append({**who, "person_version": 1, "properties": {"plan": "pro"}})
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    load([tmp_path / "rows.jsonl"], tmp_path, persons_on_events=True)
    store = EventStore(tmp_path / "events.duckdb")
    text = "select poe.properties.plan, poe.properties, person.properties.plan from events order by event"
    found = asking(store)({"kind": "HogQLQuery", "query": text})["results"]
    store.close()
    assert [["free", '{"plan":"free"}', "pro"], ["pro", '{"plan":"pro"}', "pro"]] == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select 1 from events where person_id in cohort 9", "Cohort 9 does not exist"),
        ("select lower(event) over () from events", "no window function"),
        ("select event, count() from events", "'event' must stand in GROUP BY"),
        ("select 1 /* never ends", "comment does not end"),
        ("select " + "1, " * 60_000 + "1", "more than"),
    ],
)
def test_refused(hogql: Rows, text: str, says: str) -> None:
    """In words that say what to do."""
    with pytest.raises(queries.QueryError) as refused:
        hogql(text)
    assert says in refused.value.detail


def test_columns_of_events(ask: Ask) -> None:
    """`*` stands for PostHog's columns; those that are read out of properties are never NULL."""
    text = "select * from events where event = '$identify'"
    answer = ask({"kind": "HogQLQuery", "query": text})
    row = dict(zip(answer["columns"], answer["results"][0], strict=True))
    assert ("", "", "full") == (row["$session_id"], row["$group_0"], row["person_mode"])
    names = ["uuid", "event", "properties", "timestamp", "distinct_id", "elements_chain", "created_at"]
    assert names == answer["columns"][:7]


def test_chains_of_elements(tmp_path: Path) -> None:
    """What a chain of elements holds can be asked for by name."""
    chain = 'a.link:href="/docs"nth-child="1"text="Docs";div:attr_id="menu"text="Docs";button:text="Go"'
    row = {"event": "$autocapture", "timestamp": "2026-03-08T09:00:00Z", "distinct_id": "ann"}
    store = store_of([{**row, "elements_chain": chain}], tmp_path)
    names = ", ".join(f"elements_chain_{each}" for each in ("href", "texts", "ids", "elements"))
    found = asking(store)({"kind": "HogQLQuery", "query": f"select {names} from events"})["results"]
    store.close()
    assert [["/docs", ["Docs", "Go"], ["menu"], ["a", "button"]]] == found
