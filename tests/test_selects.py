"""A caller's SELECT over tables of values: values whole, nothing else within reach, whatever is asked."""

from __future__ import annotations

import re
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights_mcp.answer.flat import Flat, flat
from insights_mcp.box.boxes import BOXES
from insights_mcp.box.program import Failed, Interrupted, TooBig, TookTooLong
from insights_mcp.box.selects import Refused, select
from tests.test_boxes import BOMBS

CALM = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
TABLE = Flat(
    ("series", "date", "at", "value", "share", "partial", 'we"ird'),
    ("text", "date", "time", "integer", "number", "boolean", "text"),
    [
        ["signed up", "2026-01-01", "2026-01-01 10:00:00.500000", 3, 0.5, False, "\x00\u202e\n💥"],
        ["paid", None, None, None, None, None, None],
    ],
)
TABLES = {"r1": TABLE, "r2": Flat(("series", "n"), ("text", "integer"), [["paid", 7]])}
ESCAPES = """select * from '/etc/passwd'
select * from read_csv('/etc/passwd'); select * from read_text('/etc/passwd')
select * from glob('/*'); select * from read_parquet('x'); select * from sniff_csv('x')
select * from read_blob('/etc/*'); select * from 'https://example.com/x.csv'; copy r1 to '/tmp/escaped.csv'
export database '/tmp/escaped'
attach '/tmp/escaped.db'; install httpfs; load httpfs; set threads = 1; reset threads
pragma database_list; call range(3); select * from duckdb_settings()
select current_setting('temp_directory'); select getvariable('x'); select version()
select system.main.current_setting('threads'); select 'threads'.current_setting()
select list_transform(['threads'], x -> current_setting(x))
select list_transform(['threads'], lambda x: current_setting(x))
select * from duckdb_tables; select * from information_schema.tables; select * from sqlite_master
select * from pg_class; select * from main.r1
select * from memory.main.r1; select * from temp.r1; from pragma_table_info('r1')
with duckdb_settings as (select 1) select * from duckdb_settings
with duckdb_tables as (select 1) select * from (with x as (select * from duckdb_tables) select * from x), duckdb_tables
select * from query('select 1'); select * from query_table('r1'); select json_serialize_sql('select 1')
select * from json_execute_serialized_sql('{}'); select * from which_secret('x', 'y'); select * from duckdb_secrets()
select write_log('x'); select nextval('x'); select pg_sleep(1); select sleep_ms(1000); select setseed(0.1)
drop table r1; insert into r1 select * from r1; update r1 set value = 1; delete from r1; create table x as select 1
with a as (insert into r1 select * from r1 returning *) select * from a; with a as (delete from r1 returning *) from a
create macro f() as 1; create secret (type s3); checkpoint; vacuum; show tables; show databases; show all tables
select * from (show databases); describe; explain select 1; prepare p as select 1; execute p; begin; use main
pivot r1 on series using sum(value); select 1 union all select * from duckdb_settings()
select (select current_setting('threads')); select * from r1 where exists (from duckdb_logs())
select * from r1 order by current_setting('threads')
select count(*) filter (current_setting('threads') = '1') from r1
select sum(value) over (order by current_setting('threads')) from r1; select case when version() = '' then 1 end
select * replace (version() as value) from r1; select * from r1 join read_text('x') on true; select $1; select ?
select * from r1 asof join duckdb_settings() s on r1.series >= s.name; values (current_setting('threads'))
select * from unnest((select list(name) from duckdb_settings())); select unnest(query('select 1'))"""


def escapes() -> list[str]:
    return [part.strip() for line in ESCAPES.split("\n") for part in line.split(";") if part.strip()]


def rows(sql: str, tables: Any = TABLES) -> list[tuple[Any, ...]]:
    return select(tables, sql).rows


def test_values_are_whole() -> None:
    """Each with the type that its column has; null is null."""
    first, second = rows("select * from r1")
    moment = datetime(2026, 1, 1, 10, 0, 0, 500_000)
    assert ("signed up", date(2026, 1, 1), moment, 3, 0.5, False, "\x00\u202e\n💥") == first
    assert ("paid", *[None] * 6) == second


def test_tables_are_joined() -> None:
    """By the names they were given; also one without rows, and one without columns."""
    tables = TABLES | {"none": Flat(("a",), ("date",), []), "nothing": Flat((), (), [])}
    counts = "(select count(*) from none), (select count(*) from nothing)"
    sql = f"select r1.series, n, {counts} from r1 join r2 using (series)"
    assert [("paid", 7, 0, 0)] == rows(sql, tables)


@pytest.mark.parametrize(
    "sql",
    [
        "with a as (select * from r1), b as (from a) select count(*) from b",
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < 3) select max(i) from n",
        "from r1", "table r1", "values (1, 2)", "describe r1", "summarize r1", "select * from range(3), unnest([1, 2])",
        "select * exclude (series) from r1 qualify row_number() over (order by value) = 1",
        "select date_trunc('month', date), sum(value) from R1 group by all order by all",
        "select typeof(value), regexp_extract(series, '^.'), strftime(date, '%Y') from r1 union all select 1, 2, 3",
        "select columns('s.*') from r1 limit 1 offset 1", "select median(value), quantile_cont(share, 0.9) from r1",
    ],
)  # fmt: skip
def test_what_analysts_write_is_run(sql: str) -> None:
    """All of a SELECT that reaches no further than the tables."""
    assert rows(sql) is not None


@pytest.mark.parametrize("sql", escapes())
def test_nothing_else_is_within_reach(sql: str) -> None:
    """No file, network, extension, setting, catalogue or change."""
    with pytest.raises(Failed) as refused:
        rows(sql)
    assert tempfile.gettempdir() not in str(refused.value)
    assert not Path("/tmp/escaped.csv").exists()


def test_two_statements_are_refused() -> None:
    """One is run; of two, none."""
    with pytest.raises(Refused, match="one statement"):
        rows("select 1; select 2")


DEEP = ["select " + "(" * 900 + "1" + ")" * 900, "select " + "1+" * 6_000 + "1", "select " + "[" * 400 + "]" * 400,
        "select 1" + " union all select 1" * 900]  # fmt: skip


@pytest.mark.parametrize("sql", DEEP, ids=["brackets", "sums", "lists", "unions"])
def test_deep_sql_ends(sql: str) -> None:
    """It is answered or refused; the process may die over it, this one does not."""
    with suppress(Failed):
        rows(sql)
    assert [(1,)] == rows("select 1")


@pytest.mark.parametrize("name", ["repeat", "lists", "cross", "doubling", "long rows", "many rows"])
def test_it_ends_within_its_limits(name: str) -> None:
    """Time or memory runs out, and the next query is answered."""
    start = time.monotonic()
    with pytest.raises((TookTooLong, TooBig)):
        select(TABLES, BOMBS[name], seconds=1)
    assert time.monotonic() - start < 6
    assert [(2,)] == rows("select count(*) from r1")


def test_cancelled() -> None:
    """Soon after it is cancelled it has ended."""
    cancelled = threading.Event()
    threading.Timer(0.4, cancelled.set).start()
    start = time.monotonic()
    with pytest.raises(Interrupted):
        select(TABLES, BOMBS["cross"], cancelled=cancelled)
    assert time.monotonic() - start < 4


def test_nothing_stays_behind() -> None:
    """No file of the values, no table in a process that waits."""
    before = {path.name for path in Path(tempfile.gettempdir()).glob("insights-mcp-*")}
    rows("select 1")
    after = {path.name for path in Path(tempfile.gettempdir()).glob("insights-mcp-*")}
    assert {box.spill.rsplit("/", 1)[-1] for box in BOXES._idle} >= after - before
    with pytest.raises(Refused):
        select({}, "select * from r1")


cells = st.text(max_size=20) | st.integers(-(2**80), 2**80) | st.floats(allow_nan=False) | st.booleans() | st.none()
dates = st.dates().map(date.isoformat) | st.none()
moments = st.datetimes().map(lambda moment: moment.isoformat()) | st.none()
made = st.lists(st.tuples(cells, dates, moments, st.integers() | st.none(), st.floats(allow_nan=False)), max_size=8)


@settings(CALM, max_examples=40)
@given(made)
def test_what_goes_in_comes_out(values: list[Any]) -> None:
    """Any value a result can have, through the process and back."""
    table = flat([list(row) for row in values] or [], ["a", "b", "c", "d", "e"])
    found = rows("select * from t", {"t": table})
    assert [list(map(told, row, table.types)) for row in found] == [
        [
            None if cell is None else str(cell) if kind == "time" else cell
            for cell, kind in zip(row, table.types, strict=True)
        ]
        for row in (map(safe, row) for row in table.rows)
    ]


def safe(cell: Any) -> Any:
    """Half characters cannot be sent."""
    return cell.encode("utf-8", "replace").decode() if isinstance(cell, str) else cell


def told(cell: Any, kind: str) -> Any:
    return cell.isoformat(" ") if kind == "time" and cell else cell.isoformat() if kind == "date" and cell else cell


# -- fuzz --------------------------------------------------------------------------------------------------------------

ATOMS = st.sampled_from(
    "1 null 'a' value date series r1.value r1 partial * $1 ? [] {'a':1} now() current_user x".split()  # noqa: SIM905
)
NAMES = st.sampled_from(
    """sum count max list_transform current_setting getenv read_text query version duckdb_settings coalesce date_trunc
    pg_sleep range unnest json_serialize_sql sleep_ms struct_pack lag nonsense upper abs min first list""".split()  # noqa: SIM905
)
EXPRESSIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.tuples(NAMES, st.lists(inner, max_size=3).map(", ".join)).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, st.sampled_from(["+", "||", "=", "in", "::", "."]), inner).map(" ".join),
        st.tuples(inner, inner).map(lambda t: f"list_transform([{t[0]}], lambda x: {t[1]})"),
        inner.map(lambda text: f"(select {text} from r1)"),
        inner.map(lambda text: f"sum({text}) over (order by {text})"),
    ), max_leaves=6,
)  # fmt: skip
SOURCES = st.just("r1") | st.sampled_from(
    ["r1", "r1, r2", "duckdb_tables", "read_csv('/etc/passwd')", "'/etc/passwd'", "range(3) t(x)", "sqlite_master",
     "(show tables)", "(from r1)", "main.r1", "query('select 1')", "r1 join r2 using (series)",
     "information_schema.tables", "(values (1)) v(x)", "duckdb_settings()", "pg_class", "unnest([1])"]
)  # fmt: skip
STARTS = st.just("select") | st.sampled_from(
    ["select", "with r3 as (from r1) select", "with duckdb_tables as (select 1) select", "explain select",
     "create table x as select", "describe select"]
)  # fmt: skip
ENDS = st.just("") | st.sampled_from(
    ["", "where {}", "group by {}", "order by {}", "limit {}", "qualify {}", "; select {}"]
)
STATEMENTS = st.tuples(STARTS, EXPRESSIONS, SOURCES, ENDS, EXPRESSIONS).map(
    lambda t: f"{t[0]} {t[1]} from {t[2]} {t[3].replace('{}', t[4])}"
)
LEAKS = re.compile(r"temp_directory|/tmp|root:|memory_limit|CREATE TABLE|insights-mcp-")


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    BOXES.close()


@CALM
@given(STATEMENTS | st.text(max_size=60))
def test_any_sql(sql: str) -> None:
    """Rows or a refusal, and no word of this machine in either."""
    try:
        said = str(select(TABLES, sql, limit=20, seconds=5).rows)
    except (Failed, TookTooLong) as error:
        said = str(error).split("LINE 1:")[0].replace("/etc/passwd", "")  # the caller's own word
    assert not LEAKS.search(said), (sql, said)
