"""Hostile and broken HogQL: nothing but SELECT over known tables with known functions, and clean errors."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore

Rows = Callable[..., list[Any]]
HOSTILE = [
    "select * from read_csv('/etc/passwd')", "select * from '/etc/passwd'", "select read_text('/etc/passwd')",
    "copy events to '/tmp/x'", "select 1; drop table events", "attach ':memory:' as x", "pragma database_list",
    "select * from duckdb_settings()", "select * from information_schema.tables", "select getenv('HOME')",
    "set threads = 1", "install httpfs", "select current_setting('temp_directory')", "select query('select 1')",
    "select sleep_ms(10000)", "insert into events values (1)", "select * from event_catalogue",
    'select "p.page" from events', "select e.pid from events e", "select rowid from events",
    "select count() from events a join events b on a.event < b.event", "select file('/etc/passwd')",
]  # fmt: skip
PAIRS = pairwise("abcdefghijklmnopqrstuv")
DOUBLING = "select " + ", ".join(f"{a}+{a} as {b}" for a, b in PAIRS) + " from (select 1 as a)"
BROKEN = [
    "", "select", "select * from", "from events", "select count( from events", "select 'unterminated", "select foo(1)",
    "select evnt from events", "select * from event", "select a as a from events", "select match('a', '(')",
    "select event, count() from events", "select max(count()) from events", "select 1 limit -1", "select $1",
    "select arrayMap(x -> y, [1])", "select " + "(" * 500 + "1" + ")" * 500, "select " + "not " * 2000 + "1",
    "with a as (select * from a) select * from a", "select quantile(2)(1)",
    "select * from events order by 99", "select \x00 from events", "select '" + "\\0" + "'", "select {nobody}",
    DOUBLING,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE + BROKEN, ids=range(len(HOSTILE + BROKEN)))
def test_refused(hogql: Rows, text: str) -> None:
    """A QueryError, whatever the text."""
    with pytest.raises(queries.QueryError):
        hogql(text)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select evnt from events", "Did you mean `event`?"),
        ("select coun() from events", "Did you mean 'count'?"),
        ("select * from event", "Did you mean `events`?"),
        ("select page from events", "properties.page"),
        ("select event\nfrom events whre 1", "line 2, column 18"),
        ("select windowFunnel(1)(timestamp, 1 = 1) from events", "FunnelsQuery"),
        ("select 1 from events where properties.amount = 'abc'", "'abc' is no number"),
    ],
)
def test_errors_name_the_nearest(hogql: Rows, text: str, says: str) -> None:
    """The error says where, and what was probably meant."""
    with pytest.raises(queries.QueryError) as refused:
        hogql(text)
    assert says in refused.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "select length(repeat('x', 2000000000))",
        "select length(range(200000000))",
        "select length(repeat(repeat(repeat('x', 100000), 100000), 100000))",
        "select count() from numbers(1000000000)",
    ],
)
def test_what_grows_is_capped(hogql: Rows, text: str) -> None:
    """Functions that ignore the memory limit cannot be asked for much."""
    assert [[100_000]] == hogql(text)


WORDS = st.sampled_from(
    """select from where group by order limit events persons event properties . , ( ) [ ] { } ' " = != < > + - * / % and
    or not in like is null 1 2.5 'a' count sum x -> case when then else end as join with on over interval ::""".split()  # noqa: SIM905
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=25).map(lambda words: "select " + " ".join(words))))
def test_any_text_is_answered_or_refused(store: EventStore, text: str) -> None:
    """No text brings anything but rows or a QueryError."""
    query = {"kind": "HogQLQuery", "query": text}
    now = datetime(2026, 3, 10, tzinfo=UTC)
    with suppress(queries.QueryError):
        queries.run(query, events=store, project=queries.Project(), now=now, cancelled=threading.Event())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("select event,\n  coun() from events", "'count'? (line 2, column 3)"),
        ("select 1 from (select evnt from events)", "(line 1, column 23)"),
        ("select f'who: {evnt}' from events", "(line 1, column 16)"),
        ("select f'a{1 +}' from events", "column 15, near '}"),
        ("select 1 from event", "(line 1, column 15)"),
        ("select 1 from events where 1 = 1 and person_id in cohort 9", "(line 1, column 48)"),
        ("select person from events", "Can't select a table when a column is expected: person"),
        ("select exp(event) from events", "Function 'exp' takes a number first, not String; convert it with toFloat."),
        ("select lower(timestamp) from events", "takes text first, not DateTime"),
        ("select has(event, 'a') from events", "takes an array first, not String"),
        ("select toHour('2026-01-01 10:00:00')", "takes a time first, not String; convert it with toDateTime."),
        ("select arrayMap(x -> x, 1)", "takes an array first, not UInt8"),
        ("select sum(timestamp) from events", "Aggregate 'sum' takes numbers, not DateTime."),
        ("select [1] = 1, 2 from events", "Array(Int64) cannot be compared with Int64. (line 1, column 12)"),
        ("select cityHash64(event) from events", "use md5"),
        ("select mapKeys([1])", "takes a map"),
        ("select sum(count()) from events", "Aggregation 'count' cannot be nested inside another aggregation 'sum'"),
        ("select sumMapMerge(event) from events", "aggregate the rows themselves"),
        ("select 1 as team_id", "'team_id' cannot be an alias"),
        ("select (1, 2).1e5", "'1e5' is no place"),
    ],
)
def test_errors_say_where(hogql: Rows, text: str, says: str) -> None:
    """By line and column; and what a function takes instead."""
    with pytest.raises(queries.QueryError) as refused:
        hogql(text)
    assert says in refused.value.detail
