"""SQL over results: asked here, of what was fetched a moment ago; typed, joined, explained when it is wrong."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from mcp_types import ImageContent, ResourceLink, TextResourceContents

from insights_mcp.box.boxes import BOXES
from insights_mcp.handles import Handle
from insights_mcp.tools import selected
from insights_mcp.tools.selected import KIND, query_of
from tests.asking import Assistant, Told, assistant
from tests.loopback import Loopback, insight, ok, page

pytestmark = pytest.mark.anyio

DAYS = ["2026-01-01", "2026-01-02", "2026-01-03"]
TREND = [{"label": "signed up", "data": [1, 2, 3.5], "days": DAYS, "count": 6.5, "action": {"id": "signed up"}}]
COHORTS = [{"date": f"{day}T00:00:00Z", "values": [{"count": 4}, {"count": 2}]} for day in DAYS]
SQL = {"kind": "HogQLQuery", "query": "select event, count() as c from events group by event"}
TYPES = [["event", "String"], ["c", "UInt64"]]
ROWS = {"results": [["paid", 5], ["signed up", 7]], "columns": ["event", "c"], "types": TYPES}


@pytest.fixture(autouse=True, scope="module")
def _closed() -> Iterator[None]:
    yield
    BOXES.close()


@pytest.fixture
def both(posthog: Loopback) -> Loopback:
    """A trend, a retention table, and any query."""
    first, second = insight(1, result=TREND, name="Sign-ups"), insight(2, result=COHORTS, name="Back again")
    posthog.on_insights("GET", "", page(first, second))
    posthog.on_insights("GET", "1/", ok(first))
    posthog.on_insights("GET", "2/", ok(second))
    posthog.on("POST", ".*/query/", ok(ROWS))
    return posthog


async def ask(user: Assistant, results: Any, sql: str, **more: Any) -> Told:
    return await user.call("query_result", results=results, sql=sql, **more)


async def test_results_are_joined(both: Loopback) -> None:
    """A trend and a retention table by their dates, each by a name."""
    sql = """select date, value, 100 * b.people / a.people as back from t join c a on a.cohort = t.date and a.period = 0
             join c b on b.cohort = a.cohort and b.period = 1 order by date"""
    async with assistant(both) as user:
        told = await ask(user, {"t": "1", "c": "Back again"}, sql)
    assert [["2026-01-01", 1, 50], ["2026-01-02", 2, 50], ["2026-01-03", 3.5, 50]] == told.structured["rows"]
    assert ("Sign-ups", "Back again") == tuple(told.structured["tables"][name].split(":")[0] for name in "tc")


@pytest.mark.parametrize("given", [["1"], "1", {"r1": "1"}, [1], ["insight://1/result?format=csv"], ["insight://1"],
                                   ["Sign-ups"], ["AaVQ0001"]], ids=str)  # fmt: skip
async def test_a_result_is_named_in_any_way(given: Any, both: Loopback) -> None:
    """By number, short_id, name or address; one or a list."""
    async with assistant(both) as user:
        told = await ask(user, given, "select sum(value) from r1")
    assert [[6.5]] == told.structured["rows"]


@pytest.mark.parametrize("given", [[SQL], SQL, [Handle(query=SQL).uri(1)], [str(Handle(query=SQL).uri(1))[10:-7]]])
async def test_a_query_is_named_by_itself_or_its_handle(given: Any, both: Loopback) -> None:
    """As an object, by the address of its result, by the handle in it."""
    async with assistant(both) as user:
        told = await ask(user, given, "select event from r1 order by c desc limit 1")
    assert [["signed up"]] == told.structured["rows"]


async def test_what_was_fetched_is_not_fetched_again(both: Loopback) -> None:
    """An insight read and a query run a moment ago cost no call, and the answer says so."""
    async with assistant(both) as user:
        await user.call("get_insight", id="1")
        await user.call("run_query", query=SQL)
        before = len(both.received)
        told = await ask(user, ["1", SQL], "select count(*) from r1, r2")
        assert before == len(both.received)
        assert "fetched for this" not in told.text
    async with assistant(both) as user:
        assert "fetched for this" in (await ask(user, ["1"], "select 1")).text


async def test_columns_have_types(both: Loopback) -> None:
    """Dates are dates, numbers are numbers, text stays text."""
    async with assistant(both) as user:
        told = await ask(
            user, ["1", SQL], "select typeof(date), typeof(value), typeof(event), typeof(c) from r1, r2 limit 1"
        )
    assert [["DATE", "DOUBLE", "VARCHAR", "BIGINT"]] == told.structured["rows"]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select vlaue from r1", ['"value"', '"date" date', '"value" number']),
        ("select * from signups", ["no table signups", "r1 ("]),
        ("selec 1", ["syntax error", "r1 ("]),
        ("drop table r1", ["Only a SELECT"]),
        ("select * from read_csv('/etc/passwd')", ["cannot be used as a table"]),
        ("select 1; select 2", ["one statement"]),
    ],
)
async def test_wrong_sql_is_explained(sql: str, words: list[str], both: Loopback) -> None:
    """What is wrong, what is near, and which tables, columns and types there are."""
    async with assistant(both) as user:
        told = await ask(user, ["1"], sql)
    assert told.failed
    assert [] == [word for word in words if word not in told.text]
    assert "LINE 1" not in told.text


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], "1 to 8"),
        (["1"] * 9, "1 to 8"),
        ({"a b": "1"}, "no name of a table"),
        ({"a": "1", "A": "2"}, "same name"),
        ([True], "references"),
        ([{"kind": "Nonsense"}], "Nonsense"),
        (["nobody"], 'no insight "nobody"'),
        (["q.AAAAAAAAAAAAAAAA"], "cut off or changed"),
        ([Handle(query=SQL).uri(2)], "project 2"),
    ],
    ids=str,
)
async def test_wrong_references_are_explained(given: Any, words: str, both: Loopback) -> None:
    """Each in our words."""
    async with assistant(both) as user:
        told = await ask(user, given, "select 1")
    assert (True, True) == (told.failed, words in told.text), told.text


async def test_unfinished_buckets_are_pointed_out(both: Loopback) -> None:
    """Unless the SQL takes care of them."""
    running = insight(1, result=TREND, last_refresh="2026-01-03T12:00:00Z", resolved_date_range=None)
    both.on_insights("GET", "1/", ok(running))
    async with assistant(both) as user:
        assert "had not ended" in (await ask(user, ["1"], "select sum(value) from r1")).text
        careful = await ask(user, ["1"], "select sum(value) from r1 where not partial")
    assert "had not ended" not in careful.text
    assert [[3]] == careful.structured["rows"]


async def test_many_rows_stay_within_the_budget(both: Loopback) -> None:
    """In the order of the SQL; how many there are is said."""
    async with assistant(both) as user:
        few = await ask(
            user, ["1"], "select i, repeat('x', 50) from range(20000) t(i), r1 where r1.value = 1 order by i desc"
        )
        more = await ask(user, ["1"], "select i from range(3000) t(i) order by i", max_tokens=8000)
    assert [[19999, "x" * 50], [19998, "x" * 50]] == few.structured["rows"][:2]
    assert ("10,000 rows at least" in few.text, "of 10000 shown" in few.text) == (True, True)
    assert len(few.structured["rows"]) < len(more.structured["rows"])


async def test_what_it_gives_has_a_handle_of_its_own(both: Loopback) -> None:
    """Any copy of the server asks again what it asked; a table made of results can be a result in the next SQL."""
    async with assistant(both) as user:
        told = await user.mcp.call_tool(
            "query_result", {"results": {"t": "1"}, "sql": "select i, value from range(100) r(i), t order by i, value"}
        )
        (uri,) = [content.uri for content in told.content if isinstance(content, ResourceLink)]
    async with assistant(both) as copy:
        page = (await copy.mcp.read_resource(uri)).contents[0]
        again = await ask(copy, [uri], "select count(*) as n, max(value) as most from r1")
    assert isinstance(page, TextResourceContents)
    assert (301, "i,value") == (len(page.text.splitlines()), page.text.splitlines()[0])
    assert [[300, 3.5]] == again.structured["rows"]


async def test_it_says_where_its_tables_come_from(both: Loopback) -> None:
    """Window, zone, filters and when they were computed; and how to go on where not all rows fit."""
    first = insight(1, result=TREND, name="Sign-ups", last_refresh="2026-01-09T12:00:00Z", timezone="UTC")
    both.on_insights("GET", "1/", ok(first))
    async with assistant(both) as user:
        told = await ask(user, ["1"], "select i from range(2000) t(i) order by i", max_tokens=500)
    assert "2026-01-01 to 2026-01-03 (UTC); test accounts in; computed" in told.structured["tables"]["r1"]
    assert f"sql='… OFFSET {len(told.structured['rows'])}')" in told.text


@pytest.mark.parametrize("query", [
    {"results": {"r1": {"ref": 5}}, "sql": "select 1"}, {"results": [], "sql": "select 1"}, {"results": {}, "sql": 3},
    query_of({"r1": Handle(query=query_of({"r1": Handle(query=query_of({"r1": Handle(query=query_of(
        {"r1": Handle(query=query_of({}, "select 1"))}, "select 1"))}, "select 1"))}, "select 1"))}, "select 1"),
], ids=str)  # fmt: skip
async def test_a_forged_handle_asks_nothing(query: dict[str, Any], both: Loopback) -> None:
    """Neither of what is no result, nor of results of results without end."""
    uri = Handle(query={"kind": KIND} | query).uri(1)
    async with assistant(both) as user:
        told = await ask(user, [uri], "select 1")
    assert (True, True) == (told.failed, "holds no SQL over results" in told.text)


async def test_a_query_too_long_for_an_address_says_so(both: Loopback) -> None:
    """Instead of leaving the link out without a word."""
    dice = random.Random(1)
    many = {"kind": "HogQLQuery", "query": f"select '{''.join(dice.choices(string.ascii_letters, k=9_000))}'"}
    rows = [[n, "x"] for n in range(100)]
    both.on("POST", ".*/query/", ok(ROWS | {"results": rows}))
    async with assistant(both) as user:
        told = await user.call("run_query", query=many)
    assert "an address of the whole result: what was asked is too long for one" in told.text


async def test_rows_are_drawn(both: Loopback) -> None:
    """Beside the answer."""
    async with assistant(both) as user:
        told = await user.mcp.call_tool(
            "query_result", {"results": ["1"], "sql": "select date, value from r1", "chart": "png"}
        )
    assert any(isinstance(content, ImageContent) for content in told.content)


async def test_values_of_every_kind_are_shown(both: Loopback) -> None:
    """As JSON has them."""
    sql = """select date '2026-01-01', timestamp '2026-01-01 10:00:00', 1.50::decimal(9,2), [1, null],
             {'a': date '2026-01-01'}, 'x'::blob, interval 3 day,
             uuid '00000000-0000-4000-8000-000000000000', 'nan'::double, null, true"""
    async with assistant(both) as user:
        told = await ask(user, ["1"], sql)
    assert [["2026-01-01", "2026-01-01 10:00:00", 1.5, "[1,null]", '{"a":"2026-01-01"}', "78", "3 days, 0:00:00",
             "00000000-0000-4000-8000-000000000000", None, None, True]] == told.structured["rows"]  # fmt: skip


async def test_cancelling_kills_the_process(both: Loopback) -> None:
    """When the client cancels its call, nothing goes on computing."""
    async with assistant(both) as user:
        with anyio.move_on_after(1):
            await ask(user, ["1"], "select count(*) from range(100000000000) a, range(1000) b, r1")
        with anyio.fail_after(5):
            while BOXES._busy:  # noqa: ASYNC110 (nobody tells)
                await anyio.sleep(0.05)
        assert not (await ask(user, ["1"], "select 1")).failed


async def test_without_duckdb_the_command_is_named(both: Loopback, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an optional extra."""
    monkeypatch.setattr(selected, "find_spec", lambda name: None)
    async with assistant(both) as user:
        told = await ask(user, ["1"], "select 1")
    assert told.failed
    assert "pip install 'insights-mcp[local]'" in told.text
