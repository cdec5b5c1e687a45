"""Whole results: of every kind, page by page, by any copy of the server; and handles cut, changed or forged."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import MCPError
from mcp_types import CallToolResult, ResourceLink

from insights_mcp import handles
from insights_mcp.answer.flat import BLOCKS, Flat, flat
from insights_mcp.answer.pages import FORMULA, csv_cell, csv_page, joined, json_page
from insights_mcp.answer.results import SHAPES, shape_of
from insights_mcp.errors import InvalidInput
from insights_mcp.handles import Handle, handle_of, token
from insights_mcp.recent import MOST_ENTRIES, SECONDS, Recent, weight_of
from insights_mcp.resources import META, TEMPLATES
from insights_mcp.scopes import Scopes
from tests.asking import Assistant, assistant
from tests.loopback import Loopback, insight, ok
from tests.test_answer_truth import quick, results

pytestmark = pytest.mark.anyio

DAYS = [f"2026-01-{day:02}" for day in range(1, 31)]
SQL = {"kind": "HogQLQuery", "query": "select event, count() from events group by event"}
NASTY = ["=1+1", "+x", "-5", "-x", "@a", "'=x", "'tis", "a,b", 'say "hi"', "two\nlines", "", " padded ", "\u202eevil",
         None, True, 3, 2.5, -7, "2026-01-01", "phx_SomebodyElsesKey0123456789", "ü💥"]  # fmt: skip


def series(label: str, start: int, **more: Any) -> dict[str, Any]:
    """A month of a trend."""
    return {"label": label, "data": list(range(start, start + 30)), "days": DAYS, "count": 0, "action": {}} | more


def steps(*counts: int, **more: Any) -> list[dict[str, Any]]:
    """A funnel."""
    return [{"name": f"s{n}", "order": n, "count": c, "average_conversion_time": n * 1.5} | more
            for n, c in enumerate(counts)]  # fmt: skip


# One of each shape, and what of it is told as a number in the table.
EACH: dict[str, Any] = {
    "series": [series("a", 100, compare_label="current", breakdown_value=["x", "y"]), series("a", 500)],
    "lifecycle": [series(f"a - {s}", n * 100, status=s) for n, s in enumerate(("new", "dormant"))],
    "stickiness": [series("a", 100) | {"days": list(range(1, 31))}],
    "percentages": [{"data": [1.5] * 30, "days": DAYS, "count": 30, "breakdown_value": ["x"]}],
    "totals": [{"label": str(n), "data": [], "aggregated_value": n * 11, "action": {}} for n in range(40)],
    "cohorts": [
        {"values": [{"count": n * 10 + p, "aggregation_value": 0.5} for p in range(8)], "date": f"{day}T00:00:00Z"}
        for n, day in enumerate(DAYS)
    ],
    "steps": steps(100, 50, 25),
    "step lists": [steps(n, n // 2, breakdown_value=[str(n)]) for n in range(10, 40)],
    "bins": {"bins": [[n * 60, n] for n in range(30)], "average_conversion_time": 5.5, "median_conversion_time": 4.5},
    "edges": [{"source": f"1_{n}", "target": "2_x", "value": n, "average_conversion_time": 500.0} for n in range(60)],
    "boxes": [{"day": day, "series_label": "a", "series_index": 0, "min": 1, "p25": 2, "median": n, "p75": 4, "max": 5}
              for n, day in enumerate(DAYS)],
    "grids": [{"label": "a", "calendar_heatmap_data":
              {"data": [{"row": 1, "column": h, "value": h} for h in range(24)]}}],
    "correlations": {"skewed": False, "events": [
        {"event": {"event": f"e{n}"}, "success_count": n, "failure_count": 50 - n, "odds_ratio": 2.0**n,
         "correlation_type": "success"} for n in range(20)]},
    "objects": [{"any": n, "of": "next week", "nested": {"deep": n}} for n in range(30)],
    "": {"a": {"shape": ["nobody", "knows"]}},
    "rows": [[cell, n] for n, cell in enumerate(NASTY)],
}  # fmt: skip
OWN = ("data", "bins", "count", "success_count", "value", "aggregated_value", "median", "any")
MEASURED = ("value", "percent", "people", "times", "median", "any", "column2", "converted")


def columns_of(name: str) -> list[str] | None:
    return ["cell", "column2"] if name == "rows" else None


def reply(name: str) -> dict[str, Any]:
    computed = {"last_refresh": "2026-03-01T00:00:00Z", "resolved_date_range": None}
    return insight(1, result=EACH[name], columns=columns_of(name), types=None, **computed)


def measured(value: Any, key: str = "") -> Iterator[float]:
    """Every number in a result that was measured; not the sums that PostHog adds."""
    if isinstance(value, dict):
        sums = {"count"} if "data" in value and "count" in value else set()
        kept = {k: v for k, v in value.items() if k not in sums and not k.endswith("Aggregations")}
        yield from (n for k, v in kept.items() for n in measured(v, k if k in OWN else ""))
    elif isinstance(value, list):
        yield from (n for item in value for n in measured(item[1] if key == "bins" else item, key))
    elif key and isinstance(value, int | float) and not isinstance(value, bool):
        yield value


def told(table: Flat) -> list[float]:
    """Every measured number in a table."""
    places = [place for place, column in enumerate(table.columns) if column in MEASURED]
    return [row[place] for row in table.rows for place in places if row[place] is not None]


async def pages(user: Assistant, uri: str) -> list[Any]:
    """The contents of a resource, page after page to the end."""
    found, following = [], uri
    while following:
        page = (await user.mcp.read_resource(following)).contents[0]
        found.append(page)
        following = (page.meta or {}).get(f"{META}next", "")
    return found


def whole_link(result: CallToolResult) -> str:
    """The address of the whole result that an answer is linked to."""
    (uri,) = [b.uri for b in result.content if isinstance(b, ResourceLink) and b.uri.startswith("insight:")]
    return uri


async def refused(user: Assistant, uri: str) -> MCPError:
    with pytest.raises(MCPError) as raised:
        await user.mcp.read_resource(uri)
    return raised.value


# every kind


def test_every_shape_is_flat() -> None:
    """A new shape of results needs rows, and a sample here."""
    assert set(SHAPES) == set(BLOCKS)
    assert {*SHAPES, "rows", ""} == set(EACH)
    for name, result in EACH.items():
        assert name == shape_of(result, columns_of(name))


@pytest.mark.parametrize("name", EACH)
async def test_pages_add_up_to_the_whole_result(name: str, posthog: Loopback) -> None:
    """In both formats, in pages of seven rows: nothing missing, nothing twice, the order kept."""
    posthog.on_insights("GET", "1/", ok(reply(name)))
    whole = flat(EACH[name], columns_of(name))
    async with assistant(posthog) as user:
        as_json = await pages(user, "insight://1/result?format=json&limit=7")
        as_csv = await pages(user, "insight://1/result?limit=7")
    rows = [row for page in as_json for row in json.loads(page.text)["rows"]]
    assert [[csv_cell(cell) for cell in row] for row in whole.rows] == [[csv_cell(cell) for cell in r] for r in rows]
    assert max(1, -(-len(whole.rows) // 7)) == len(as_json) == len(as_csv)
    read = list(csv.reader(io.StringIO(joined([page.text for page in as_csv], "text/csv"), newline="")))
    assert [list(whole.columns), *([csv_cell(cell) for cell in row] for row in whole.rows)] == read


@pytest.mark.parametrize("name", sorted({*EACH} - {"", "rows"}))
def test_no_number_of_a_result_is_lost(name: str) -> None:
    """What was measured stands in the table as often as in the result."""
    assert Counter(measured(EACH[name])) == Counter(told(flat(EACH[name])))


@quick
@given(results)
def test_no_number_of_any_result_is_lost(result: Any) -> None:
    """Also of results nobody thought of."""
    assert Counter(measured(result)) == Counter(told(flat(result)))


def test_types_are_what_the_values_are() -> None:
    """Dates and times by how they look, unless the type says text; what is mixed is text."""
    rows = [["2026-01-01", "2026-01-01", "2026-01-01T10:00:00Z", 1, 1.5, True, 2**70, [1], None]] * 2
    kinds = [["a", "String"], *([name, "?"] for name in "bcdefghi")]
    found = flat(rows, list("abcdefghi"), kinds)
    assert ("text", "date", "time", "integer", "number", "boolean", "text", "text", "text") == found.types
    assert "2026-01-01 10:00:00" == found.rows[0][2]


def test_compared_periods_keep_their_own_dates() -> None:
    """A value of the period before stands at its own date."""
    before = series("a", 1, compare_label="previous") | {"days": [f"2025-12-{d:02}" for d in range(1, 31)]}
    found = flat([series("a", 1, compare_label="current"), before])
    place = found.columns.index("date")
    assert ("2026-01-01", "2025-12-01") == (found.rows[0][place], found.rows[30][place])


# files

cells = st.text(max_size=12) | st.sampled_from(NASTY) | st.integers() | st.floats(allow_nan=False) | st.none()
tables = st.lists(st.lists(cells, min_size=2, max_size=2), max_size=20).map(
    lambda rows: Flat(("a", 'b "\n,'), ("text", "text"), rows)
)


@settings(max_examples=150, deadline=None)
@given(tables)
def test_csv_is_read_as_it_was_written(table: Flat) -> None:
    """By any reader of RFC 4180, and no cell begins a formula."""
    text = csv_page(table, 0, 100).text
    read = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    assert [list(table.columns), *([csv_cell(cell) for cell in row] for row in table.rows)] == read
    texts = [csv_cell(cell) for row in table.rows for cell in row if isinstance(cell, str)]
    assert [] == [t for t in texts if t[:1] in tuple("=+-@\t\r\n") and not re.fullmatch(r"[+-]?\d+(\.\d+)?", t)]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="'=+-@ab1.", max_size=6))
def test_the_apostrophe_can_be_taken_back(text: str) -> None:
    """What is guarded is found again: one apostrophe less where a formula would begin."""
    guarded = csv_cell(text)
    assert text == (guarded[1:] if guarded != text else guarded)
    assert guarded == text or (guarded[0] == "'" and FORMULA.match(guarded))


def test_null_and_empty_text_differ() -> None:
    """An empty field is null; empty text is in quotes."""
    assert 'a,b\r\n,""\r\n' == csv_page(Flat(("a", "b"), ("text", "text"), [[None, ""]]), 0, 9).text


def test_long_rows_make_short_pages() -> None:
    """A page ends before it grows large, but has one row at least."""
    table = Flat(("a",), ("text",), [["x" * 150_000]] * 3)
    assert [1, 2, 3] == [csv_page(table, n, 100).end for n in range(3)]
    assert 1 == json_page(table, 0, 100, lambda end: {}).end


@settings(max_examples=50, deadline=None)
@given(tables, st.integers(1, 5))
def test_joined_pages_are_the_whole(table: Flat, size: int) -> None:
    """One header, every row."""
    parts = [csv_page(table, at, size).text for at in range(0, max(1, len(table.rows)), size)]
    assert csv_page(table, 0, 100).text == joined(parts, "text/csv")


# handles

queries = st.recursive(
    st.text(max_size=8) | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=12,
).map(lambda value: {"kind": "TrendsQuery", "any": value})  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(queries, st.integers(1, 10**9))
def test_a_handle_holds_the_query(query: dict[str, Any], project: int) -> None:
    """Whatever it is; the same query always has the same handle."""
    made = token(project, query)
    assert Handle(query=query) == handle_of(made, project)
    assert made == token(project, json.loads(json.dumps(query)))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_handle_that_was_cut_or_changed_is_refused(data: st.DataObject) -> None:
    """Whatever character it is."""
    made = token(1, SQL)
    place = data.draw(st.integers(2, len(made) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_"))
    changed = data.draw(st.sampled_from([made[:place], made[:place] + other + made[place + 1 :], made + other]))
    if changed == made or not re.fullmatch(r"q\.[A-Za-z0-9_-]{12,}", changed):
        return
    with pytest.raises(InvalidInput, match="handle"):
        handle_of(changed, 1)


def forged(content: bytes, version: bytes = handles.VERSION) -> str:
    """A token with a right checksum."""
    deflating = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=handles.COMMON)
    body = version + deflating.compress(content) + deflating.flush()
    return "q." + base64.urlsafe_b64encode(handles._digest(body) + body).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (forged(b"[" * 100_000), "no query"),
        (forged(b"not json"), "no query"),
        (forged(b'{"project":1,"query":7}'), "no query"),
        (forged(b'{"project":1,"query":{}}', b"\x02"), "another version"),
        (forged(b'{"project":2,"query":{}}'), "project 2"),
        ("q." + "A" * 5_000, "5,002 characters"),
    ],
    ids=["deep", "text", "number", "version", "project", "long"],
)
def test_a_forged_handle_is_refused(made: str, why: str) -> None:
    """It takes no memory, and the error says what is wrong."""
    with pytest.raises(InvalidInput, match=why):
        handle_of(made, 1)


def test_a_bomb_is_not_unpacked() -> None:
    """A token within the limit that would unpack to megabytes."""
    made = forged(b'{"project":1,"query":{"kind":"' + b"x" * 2_500_000 + b'"}}')
    assert len(made) < handles.LONGEST_TOKEN
    with pytest.raises(InvalidInput, match="no query"):
        handle_of(made, 1)


def test_a_large_query_has_no_handle() -> None:
    """It is not cut; there is none."""
    values = [base64.b85encode(bytes([n % 251, n // 251, n % 7, n % 13])).decode() for n in range(4_000)]
    assert Handle(query=SQL | {"values": values}).uri(1) is None


def test_ordinary_handles_are_short() -> None:
    """A trend with a breakdown takes some twenty tokens."""
    series = [{"kind": "EventsNode", "event": "signed_up", "math": "dau"}]
    split = {"breakdown": "plan", "breakdown_type": "event"}
    query = {"kind": "TrendsQuery", "series": series, "breakdownFilter": split, "dateRange": {"date_from": "-90d"}}
    assert len(Handle(query=query).uri(1) or "") < 100


# over MCP


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_another_copy_serves_the_link_of_an_answer(mode: str, posthog: Loopback) -> None:
    """A server that never saw the query reads what the first one linked to, in either protocol era."""
    rows = [[f"e{n}", n] for n in range(200)]
    posthog.on("POST", ".*/query/", ok({"results": rows, "columns": ["event", "count()"]}))
    async with assistant(posthog, mode=mode) as user:
        result = await user.mcp.call_tool("run_query", {"query": SQL})
        link = whole_link(result)
    assert link in json.dumps(result.structured_content)
    async with assistant(posthog, mode=mode) as other:
        assert [link] == [str(c.uri) for c in (await other.mcp.read_resource(link)).contents]
        text = (await pages(other, link + "?format=json"))[0].text
    assert rows == json.loads(text)["rows"]
    assert SQL == posthog.received[-1].json["query"]


async def test_templates_are_listed(posthog: Loopback) -> None:
    """Each with words; a key that can read none of them sees none."""
    async with assistant(posthog) as user:
        listed = (await user.mcp.list_resource_templates()).resource_templates
    assert [template.uri for template in TEMPLATES] == [template.uri_template for template in listed]
    assert all(template.description and template.title for template in listed)
    async with assistant(posthog, scopes=Scopes(["dashboard:read"])) as user:
        assert [] == (await user.mcp.list_resource_templates()).resource_templates


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("insight://nobody/result", "no insight"),
        ("insight://1/result?limt=3", "did you mean 'limit'"),
        ("insight://1/result?limit=0", "limit: input should be greater"),
        ("insight://1/result?limit=20000", "limit: input should be less"),
        ("insight://1/result?format=xml", "'csv' or 'json'"),
        ("insight://1/result?offset=-1", "offset"),
        ("insight://1/nothing", "no resource"),
        ("http://example.com/", "no resource"),
        ("insight://q.AAAAAAAAAAAAAAAA/result", "cut off or changed"),
    ],
)
async def test_what_cannot_be_read_is_explained(uri: str, words: str, posthog: Loopback) -> None:
    """As the protocol wants it: invalid parameters, with the address and our words."""
    posthog.on_insights("GET", "", ok({"count": 0, "next": None, "results": []}))
    posthog.on_insights("GET", "1/", ok(reply("steps")))
    async with assistant(posthog) as user:
        error = await refused(user, uri)
    assert (-32602, uri) == (error.code, error.data["uri"])
    assert words in error.message


async def test_no_request_leaves_without_the_scope(posthog: Loopback) -> None:
    """The scope is named."""
    async with assistant(posthog, scopes=Scopes(["query:read"])) as user:
        error = await refused(user, "insight://1/result")
    assert "insight:read" in error.message
    assert [] == posthog.received


async def test_pages_are_of_one_result(posthog: Loopback) -> None:
    """When it was computed anew between two pages and differs, the second is refused; when it is the same, served."""
    posthog.on_insights("GET", "1/", ok(reply("totals")))
    async with assistant(posthog) as user:
        first, note = (await user.mcp.read_resource("insight://1/result?limit=7")).contents
    following = str((first.meta or {})[f"{META}next"])
    assert following in getattr(note, "text", "")
    async with assistant(posthog) as user:
        assert "7,77" in (await pages(user, following))[0].text
    changed = [*EACH["totals"][:-1], EACH["totals"][0]]
    posthog.on_insights("GET", "1/", ok(insight(1, result=changed)))
    async with assistant(posthog) as user:
        assert "computed anew" in (await refused(user, following)).message


async def test_a_dashboards_filters_stay_in_the_link(posthog: Loopback) -> None:
    """The whole is that of the dashboard, too."""
    posthog.on_insights("GET", "1/", ok(reply("edges")))
    async with assistant(posthog) as user:
        result = await user.mcp.call_tool("get_insight", {"id": "1", "from_dashboard": 3})
    link = whole_link(result)
    async with assistant(posthog) as other:
        await other.mcp.read_resource(link.replace("AaVQ0001", "1"))
    assert ["3"] == posthog.received[-1].query["from_dashboard"]


# what is remembered


def test_memory_is_bounded() -> None:
    """By bytes, by number and by time."""
    now = [0.0]
    recent = Recent(1_000_000, clock=lambda: now[0])
    for n in range(100):
        recent.keep(str(n), n, 100_000)
        assert recent.weight <= 1_000_000
    assert (99, None) == (recent.get("99"), recent.get("0"))
    recent.keep("huge", "x", 2_000_000)
    assert recent.get("huge") is None
    for n in range(100):
        recent.keep(str(n), n, 1)
    assert recent.weight <= MOST_ENTRIES
    now[0] = SECONDS + 1
    assert recent.get("99") is None


@settings(max_examples=60, deadline=None)
@given(queries)
def test_weight_is_not_less_than_the_text(value: dict[str, Any]) -> None:
    """Of what is weighed as a whole, it is more than its JSON."""
    assert weight_of(value) >= len(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


async def test_a_change_is_not_hidden_by_memory(posthog: Loopback) -> None:
    """After anything was written, results are fetched again."""
    posthog.on_insights("GET", "1/", ok(reply("totals")))
    posthog.on_insights("PATCH", "1/", ok(reply("totals")))
    async with assistant(posthog) as user:
        await user.mcp.read_resource("insight://1/result?limit=7")
        before = len(posthog.received)
        await user.mcp.read_resource("insight://1/result?limit=9")
        assert before == len(posthog.received)
        assert not (await user.call("update_insight", id="1", name="new")).failed
        before = len(posthog.received)
        await user.mcp.read_resource("insight://1/result?limit=8")
        assert before < len(posthog.received)
