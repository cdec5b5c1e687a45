"""HogQL beyond the plain SELECT: tags, recursion, samples, places inside properties, expressions over values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from insights_mcp.local import queries
from tests.local.queries.conftest import Ask

Rows = Callable[..., list[Any]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "with recursive t as (select 1 as n union all select n + 1 from t where n < 3) select n from t",
            [[1], [2], [3]],
        ),
        ("select number % 2 as m from numbers(4) order by m limit 1 with ties", [[0], [0]]),
        (
            "select a.number, b.number from numbers(3) a asof join numbers(4) b on a.number = b.number"
            " and a.number >= b.number order by 1 limit 1",
            [[0, 0]],
        ),
        ("select count() from events sample 0.000001", [[0]]),
        ("select distinct person.properties.plan from person_distinct_ids where distinct_id = 'bea'", [["pro"]]),
        (
            "select * from <ActorsQuery select={['properties.plan as p']} orderBy={['p']} /> limit 1",
            [["free"]],
        ),
        ("select x.a from (<HogQLQuery query='select 7 as a' />) x", [[7]]),
        ("select <Sparkline data={[1, 2]} />", [[["__hx_tag", "Sparkline", "data", [1, 2]]]]),
        ("select count() from session_replay_events", [[0]]),
        ("select * from (select 1 as a) x left join (select 2 as a, 'b' as b) y on x.a = y.a", [[1, 0, ""]]),
        ("select count() from events where (event, distinct_id) in (select event, distinct_id from events)", [[8]]),
        ("select pdi.distinct_id from persons where properties.plan = 'pro' order by 1", [["anon-1"], ["bea"]]),
        (
            "select toString(max(timestamp)), toString(toStartOfDay(timestamp)) from events group by 2"
            " order by 2 limit 1",
            [["2026-03-08 23:30:00.000000", "2026-03-08 00:00:00"]],
        ),
        ("select session.id, session.$pageview_count from events where event = '$identify'", [["", 0]]),
        ("select uniqMerge(pageview_uniq) from raw_sessions", [[0]]),
        ("select number from numbers(4) order by number limit 1 offset 1 by number % 2", [[2], [3]]),
        ("select f'{event} \\{{1 + 1}}!' from events where event = '$identify'", [["$identify {2}!"]]),
        (
            "select substring('abcd' from 2 for 2), trim(both 'x' from 'xax'), trim(leading 'x' from 'xa')",
            [["bc", "a", "a"]],
        ),
        ("select null ?? 1 and 0, [1, 2,], try_cast('a' as int)", [[0, [1, 2], None]]),
        ("select toDateTime('nope'), toDate('2026/03/05'), 1 / 0", [[None, "2026-03-05", None]]),
        ("select toDate('2026-01-02T03:04:05Z'), toDate('2026-1-2 03:04:05')", [[None, "2026-01-02"]]),
        (
            "select toDateTime('2026'), toDateTime('Fri, 02 Jan 2026 03:04:05 GMT')",
            [["2026-01-01T00:00:00Z", "2026-01-02T03:04:05Z"]],
        ),
    ],
)
def test_answer(hogql: Rows, text: str, expected: list[Any]) -> None:
    """One fact of the language each."""
    assert expected == hogql(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "select number * 2 as n, number as v from numbers(2) order by n with fill from 0 to 4",
            [[0, 0], [1, 0], [2, 1], [3, 0]],
        ),
        (
            "select number * 2 as n, number + 5 as v from numbers(2) order by n with fill to 4 interpolate (v)",
            [[0, 5], [1, 5], [2, 6], [3, 6]],
        ),
        ("select number / 2 as n from numbers(2) order by n desc with fill step -0.25", [[0.5], [0.25], [0]]),
        (
            "select toDate('2026-01-31') + number * 2 as day from numbers(2) order by day with fill",
            [["2026-01-31"], ["2026-02-01"], ["2026-02-02"]],
        ),
        (
            "select toStartOfDay(timestamp) as d, count() from events where event = '$identify' group by d order by d"
            " with fill from toDateTime('2026-03-08') to toDateTime('2026-03-10') step toIntervalDay(1)",
            [["2026-03-08T00:00:00Z", 0], ["2026-03-09T00:00:00Z", 1]],
        ),
        ("select number from numbers(5) order by number with fill to 1000000000000 limit 1 offset 7", [[7]]),
    ],
)
def test_gaps_are_filled(hogql: Rows, text: str, expected: list[Any]) -> None:
    """WITH FILL has a row for each value that is not there, before rows are cut off."""
    assert expected == hogql(text)


@pytest.mark.parametrize(
    ("asked", "groups", "expected"),
    [
        ("a, b", "rollup(a, b)", [[0, "", 3], [0, "", 3], [0, "x", 2], [0, "y", 1]]),
        ("b", "cube(b)", [["", 3], ["x", 2], ["y", 1]]),
        ("b", "b with totals", [["x", 2], ["y", 1]]),
        ("b", "b with rollup", [["x", 2], ["y", 1]]),
        ("b", "all", [["x", 2], ["y", 1]]),
        ("b", "grouping sets ((b), ())", [["", 3], ["x", 2], ["y", 1]]),
    ],
)
def test_totals_of_groups(hogql: Rows, asked: str, groups: str, expected: list[Any]) -> None:
    """A total has the default of what it is not grouped by, as in ClickHouse; WITH … says nothing to PostHog."""
    made = "(select 0 as a, ['x', 'y', 'x'][number + 1] as b from numbers(3))"
    assert expected == hogql(f"select {asked}, count() from {made} group by {groups} order by b")


def test_qualify(hogql: Rows) -> None:
    """A condition on what windows compute."""
    text = "select event from events qualify row_number() over (partition by event order by uuid) = 1 order by event"
    assert [["$identify"], ["buy"], ["visit"]] == hogql(text)


def test_places_inside_properties(hogql: Rows) -> None:
    """`.1` and `[1]` are the first element of an array inside a property."""
    made = 'select \'{"list": [{"id": [5]}]}\' as properties'
    texts = ["properties.list.1.id.1", "properties.list[1].id[1]", "properties.list[1]['id'][1]"]
    assert [["5", "5", "5"]] == hogql(f"select {', '.join(texts)} from ({made})")


@pytest.mark.parametrize(("value", "count"), [(True, 3), (False, 4)])
def test_expressions_over_variables(ask: Ask, value: bool, count: int) -> None:
    """`{variables.x ? sql(…) : sql(…)}` is settled before the query is."""
    text = "select count() from events where {variables.x ? sql(event = 'buy') : sql(event = 'visit')}"
    variables = {"1": {"code_name": "x", "value": value}}
    assert [[count]] == ask({"kind": "HogQLQuery", "query": text, "variables": variables})["results"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select properties.a[0] from events", "indexes start from one"),
        ("select number from numbers", "requires arguments"),
        ("select number from numbers(1, 2, 3)", "at most 2 arguments"),
        ("select * from events(1)", "does not accept arguments"),
        ("select * from <TrendsQuery series={[]} />", "<ActorsQuery>"),
        ("select * from <ActorsQuery limit='x' />", "limit"),
        ("select * from <ActorsQuery select={[]}></HogQLQuery>", "</ActorsQuery>"),
        ("select " + "<a>" * 100, "nested"),
        ("select * from " + "<a b=" * 100, "nested"),
        ("select event from events order by event with fill", "numbers and times"),
        ("select f'{1 2}'", "should end"),
        ("select 1 group by cube(" + ", ".join("abcdefgh") + ")", "sets of groups"),
        ("select 1 settings max_threads = 1", "SETTINGS"),
        ("select event from events sample 10", "share"),
        ("select arrayReduce('system', [1])", "does not go over arrays"),
        ("select format('{9}', 'a')", "asks for more"),
    ],
)
def test_refused(hogql: Rows, text: str, says: str) -> None:
    """In words that say what to do."""
    with pytest.raises(queries.QueryError) as refused:
        hogql(text)
    assert says in refused.value.detail
