"""HogQL over the small world: what queries answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.local.queries.conftest import Ask

Rows = Callable[..., list[Any]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select count() from events", [[8]]),
        (
            "select event, count() c from events group by event order by c desc, event limit 2",
            [["visit", 4], ["buy", 3]],
        ),
        ("select countIf(event = 'buy'), uniq(person_id) from events", [[3, 3]]),
        ("select sum(properties.amount), avg(properties.amount) from events", [[40.5, 20.25]]),
        ("select sumIf(properties.amount, event = 'nothing'), sumIf(1, event = 'nothing') from events", [[None, 0]]),
        ("select quantile(0.5)(properties.amount) from events", [[20.25]]),
        ("select properties['page'] from events where properties.page = '/docs'", [["/docs"]]),
        (
            "select person.properties.plan from events where event = 'buy' order by timestamp",
            [["free"], ["pro"], [None]],
        ),
        ("select properties.trial from events where event = 'buy' order by timestamp", [[None], [True], [False]]),
        ("select count() from events where properties.page != '/'", [[6]]),
        (
            "select toStartOfDay(timestamp) d, count() from events group by d order by 1 limit 1",
            [["2026-03-08T00:00:00Z", 3]],
        ),
        ("select toDate(timestamp) d from events order by d limit 1", [["2026-03-08"]]),
        ("select count() from events where timestamp > now() - interval 1 day", [[2]]),
        ("select count() from persons", [[3]]),
        ("select properties.plan p from persons order by p", [["free"], ["pro"], [None]]),
        ("select if(1 = 1, 'a', 'b'), multiIf(1 = 2, 1, 2 = 2, 2, 3)", [["a", 2]]),
        ("with b as (select * from events where event = 'buy') select count() from b", [[3]]),
        ("select count() from (select distinct distinct_id from events)", [[4]]),
        (
            "select p.properties.plan, count() from events e join persons p on e.person_id = p.id"
            " group by 1 order by 2, 1 limit 1",
            [["free", 2]],
        ),
        ("select event from events group by event having count() > 3", [["visit"]]),
        ("select 1 union all select 2", [[1], [2]]),
        ("select arrayMap(x -> x * 2, [1, 2]), has([1], 1), length(range(3))", [[[2, 4], 1, 3]]),
        ("select toTimeZone(toDateTime('2026-01-01 12:00:00'), 'Asia/Tokyo')", [["2026-01-01T21:00:00Z"]]),
        (
            "select event, row_number() over (partition by event order by uuid) r from events order by r desc limit 1",
            [["visit", 4]],
        ),
        (
            "select distinct_id, event from events order by timestamp limit 1 by event limit 2",
            [["ann", "visit"], ["ann", "buy"]],
        ),
        ("select lower('A') || upper('b'), substring('abc', 2), concat('a', 1)", [["aB", "bc", "a1"]]),
        ("select properties.nowhere, properties.nowhere is null from events limit 1", [[None, 1]]),
        ("select count() from events where event in ('buy', 'visit') and event not like 'v%'", [[3]]),
        ("select dateDiff('hour', min(timestamp), max(timestamp)) from events", [[49]]),
        ("select [1, 2, 3][2], tuple(1, 'a').2", [[2, "a"]]),
    ],
)
def test_answer(hogql: Rows, text: str, expected: list[Any]) -> None:
    """One fact of the language each."""
    assert expected == hogql(text)


def test_columns_and_types(ask: Ask) -> None:
    """Columns are named as PostHog names them; types are ClickHouse's."""
    answer = ask(
        {"kind": "HogQLQuery", "query": "select event, count(), max(timestamp) as last from events group by event"}
    )
    assert [["event", "String"], ["count()", "UInt64"], ["last", "DateTime64(6, 'UTC')"]] == answer["types"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("properties.a.b", "a__b"),
        ("properties['a']", "properties.a"),
        ("properties.list.1", "properties.list.1"),
        ("properties.list[1].`an id`", "properties.list.1.`an id`"),
        ("[1, 2][1]", "[1, 2][1]"),
        ("(1, 2).1", "tuple(1, 2).1"),
        ("count(*)", "count(*)"),
        ("event is not null", "notEquals(event, NULL)"),
        ("1 not between 0 and 2", "1 NOT BETWEEN 0 AND 2"),
        ("case event when 'a' then 1 else 2 end", "transform(event, ['a'], [1], 2)"),
        ("case when event = 'a' then 1 else 2 end", "if(equals(event, 'a'), 1, 2)"),
        ("'a' || 'b' || 'c'", "concat('a', 'b', 'c')"),
        ("-length(event)", "minus(0, length(event))"),
        ("arrayMap((x, y) -> x + y, [1], [2])", "arrayMap((x, y) -> plus(x, y), [1], [2])"),
        ("sum(1) over (order by event desc)", "sum(1) OVER (ORDER BY event DESC)"),
        (
            "lag(event) over (order by event)",
            "lagInFrame(toNullable(event)) OVER (ORDER BY event ASC ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED"
            " FOLLOWING)",
        ),
        ("events.event", "event"),
        ("events.person_id", "events.person_id"),
    ],
)
def test_names_of_columns(ask: Ask, text: str, name: str) -> None:
    """What has no alias is called as PostHog prints it."""
    assert [name] == ask({"kind": "HogQLQuery", "query": f"select {text} from events"})["columns"]


def test_hundred_rows_by_default(ask: Ask) -> None:
    """Without LIMIT there are 100 rows, and more are said to be there."""
    answer = ask({"kind": "HogQLQuery", "query": "select number from numbers(1000)"})
    assert (100, True) == (len(answer["results"]), answer["hasMore"])


def test_fifty_thousand_rows_at_most(ask: Ask) -> None:
    """A larger LIMIT is cut."""
    answer = ask({"kind": "HogQLQuery", "query": "select number from numbers(90000) limit 80000"})
    assert (50_000, True) == (len(answer["results"]), answer["hasMore"])


def test_placeholders(ask: Ask) -> None:
    """`{name}` and `{variables.name}` take given values, never text of the query."""
    variables = {"1": {"code_name": "what", "value": "buy' or 1=1 --"}}
    query = "select count() from events where event = {e} or event = {variables.what}"
    answer = ask({"kind": "HogQLQuery", "query": query, "values": {"e": "buy"}, "variables": variables})
    assert [[3]] == answer["results"]


def test_filters_placeholder(ask: Ask) -> None:
    """`{filters}` stands for the query's property filters and dates."""
    filters = {"properties": [{"key": "page", "value": "/"}], "dateRange": {"date_from": "2026-03-09"}}
    answer = ask({"kind": "HogQLQuery", "query": "select count() from events where {filters}", "filters": filters})
    assert [[1]] == answer["results"]


@pytest.mark.parametrize(
    ("dates", "count"),
    [
        ({}, 8),
        ({"date_from": "2026-03-09"}, 5),
        ({"date_to": "2026-03-09"}, 3),
        ({"date_from": "-1d"}, 2),
        ({"date_from": "2026-03-09", "date_to": "2026-03-10 09:00:00"}, 3),
    ],
)
def test_dates_of_filters(ask: Ask, dates: dict[str, str], count: int) -> None:
    """A range begins and ends exactly where it says, so a last day is not in it; what has no bound is all."""
    bounds = "timestamp >= {filters.dateRange.from} and timestamp < {filters.dateRange.to}"
    for condition in ("{filters}", bounds):
        query = {"kind": "HogQLQuery", "query": f"select count() from events where {condition}"}
        assert [[count]] == ask({**query, "filters": {"dateRange": dates}})["results"]


def test_project_zone(hogql: Rows) -> None:
    """Times are in the project's zone, through summer time."""
    rows = hogql("select timestamp from events order by timestamp limit 2", timezone="US/Eastern")
    assert ["2026-03-08T05:00:00-04:00"] == rows[0]
