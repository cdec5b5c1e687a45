"""Answers about results of every kind, as the API returns them: inside the budget, whole, and true to the data."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights_mcp.answer import Answer, Rendered, Table, render
from insights_mcp.answer.asked import PARTIAL, Asked
from insights_mcp.answer.results import Readable, readable
from insights_mcp.text import UNSAFE
from tests.asking import assistant
from tests.loopback import Loopback, insight, ok

quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
LEAST = 500
names = st.sampled_from(
    ["visit", "a|b", "x\ny", "\u202eevil", "/a?b=1|2", "", "null", "7", '"', "n" * 300, "💥", "{offset}"]
)
counts = st.integers(0, 10**7) | st.none()
amounts = st.floats(-1e9, 1e9) | counts
NOW = datetime(2026, 1, 10, 12, tzinfo=UTC)


def days(count: int) -> list[str]:
    """Days up to the tenth of January 2026."""
    return [f"{NOW - timedelta(days=count - 1 - n):%Y-%m-%d}" for n in range(count)]


def dated(values: list[Any], **more: Any) -> dict[str, Any]:
    """A series of a reply."""
    return {"data": values, "days": days(len(values)), "count": 0} | more


maths = st.sampled_from(["total", "dau", "avg", "sum", None])
trends = st.lists(
    st.builds(
        lambda label, math, values, value: dated(values, label=label, action={"math": math}, breakdown_value=value),
        names, maths, st.lists(amounts, min_size=1, max_size=80), names,
    ), min_size=1, max_size=30,
)  # fmt: skip
lifecycles = st.lists(counts, min_size=1, max_size=60).map(
    lambda v: [dated(v, label=f"x - {s}", status=s, action={}) for s in ("new", "returning", "resurrecting", "dormant")]
)
steps = st.lists(
    st.builds(lambda n, c, m: {"name": n, "order": 0, "count": c, "median_conversion_time": m}, names, counts, amounts),
    min_size=1, max_size=9,
)  # fmt: skip
funnels = st.lists(steps, min_size=1, max_size=12).map(
    lambda several: [[s | {"breakdown_value": [str(n)]} for s in each] for n, each in enumerate(several)]
)
retentions = st.lists(st.lists(counts, min_size=1, max_size=40), min_size=1, max_size=40).map(
    lambda table: [
        {"values": [{"count": c} for c in row], "label": "Day", "date": f"{day}T00:00:00Z"}
        for row, day in zip(table, days(len(table)), strict=True)
    ]
)
edges = st.lists(
    st.builds(lambda s, t, v, m: {"source": f"1_{s}", "target": f"2_{t}", "value": v, "average_conversion_time": m},
              names, names, counts, amounts), min_size=1, max_size=60,
)  # fmt: skip
totals = st.lists(
    st.builds(lambda n, v, m: {"label": n, "data": [], "aggregated_value": v, "action": {"math": m}},
              names, amounts, maths), min_size=1, max_size=60,
)  # fmt: skip
boxes = st.lists(
    st.builds(lambda day, i, n, *v: {"day": day, "series_index": i, "series_label": n} | dict(zip(
        ("min", "p25", "median", "p75", "max", "mean"), v, strict=True)),
        st.sampled_from(days(9)), st.integers(0, 2), names, *[amounts] * 6), min_size=1, max_size=60,
)  # fmt: skip
grids = st.lists(
    st.builds(lambda label, cells, whole: {"label": label, "calendar_heatmap_data": {
        "data": [{"row": r, "column": c, "value": v} for r, c, v in cells], "allAggregations": whole,
        "rowAggregations": [{"row": r, "value": v} for r, _, v in cells],
        "columnAggregations": [{"column": c, "value": v} for _, c, v in cells]}},
        names, st.lists(st.tuples(st.integers(0, 9), st.integers(0, 23), amounts), max_size=60), amounts),
    min_size=1, max_size=4,
)  # fmt: skip
results = boxes | grids | trends | lifecycles | steps | funnels | retentions | edges | totals
askeds = st.builds(
    Asked, st.just({"interval": "day"}), st.none() | st.just(NOW), st.sampled_from(["UTC", "Asia/Tokyo", None])
)
tables = st.lists(st.lists(names | amounts, min_size=4, max_size=4), min_size=1, max_size=300)
budgets = st.sampled_from([LEAST, 800, 1_500, 3_000, 8_000])


def shown(found: Readable, table: Table | None, budget: int = 1_500) -> Rendered:
    """The answer with one of its tables."""
    answer = Answer(
        "R.", {"query": {"q": 1}}, table, found.left_out, (), "x(offset={offset})", found.digest, "now; here"
    )
    return render(answer, "project 1", budget)


@quick
@given(results, askeds, budgets)
def test_no_answer_is_over_its_budget(result: Any, asked: Asked, budget: int) -> None:
    """Of any kind, in both forms, with either table."""
    found = readable(result, None, asked)
    forms = [shown(found, table, budget) for table in (found.picked, found.whole)]
    sizes = [max(len(f.text), len(json.dumps(f.structured, separators=(",", ":"), ensure_ascii=False))) for f in forms]
    assert max(sizes) <= budget * 4


@quick
@given(results, askeds)
def test_no_table_breaks(result: Any, asked: Asked) -> None:
    """As many cells in each line as columns, and nothing that hides, whatever the names are."""
    found = readable(result, None, asked)
    for table in (found.picked, found.whole):
        both = shown(found, table)
        lines = both.text.split("\n\n")[1].split("\n") if both.structured["rows"] else []
        assert {len(both.structured["columns"])} >= {len(re.split(r"(?<!\\) \| ", line)) for line in lines}
        assert UNSAFE.search(both.text.replace("\n", "")) is None


@quick
@given(results, askeds)
def test_paging_reaches_every_row(result: Any, asked: Asked) -> None:
    """Page after page of the whole table, once each."""
    found = readable(result, None, asked)
    assert found.whole is not None
    seen, offset, pages = 0, 0, 0
    while offset < len(found.whole.rows) and pages < 400:
        page = shown(found, found.whole.after(offset), 8_000).structured
        seen, pages = seen + len(page["rows"]), pages + 1
        on = re.search(r"go on with x\(offset=(\d+)\)", " ".join(page.get("left_out", ())))
        offset = int(on[1]) if on else len(found.whole.rows)
    assert len(found.whole.rows) == seen


@quick
@given(results, askeds)
def test_what_is_left_out_is_said(result: Any, asked: Asked) -> None:
    """With the call that brings all of it, whenever the shown table is not the whole."""
    found = readable(result, None, asked)
    assert found.whole is not None
    both = shown(found, found.picked).structured
    if len(both["rows"]) < len(found.whole.rows):
        assert "offset=" in " ".join(both["left_out"])


@quick
@given(st.lists(counts, min_size=1, max_size=400), askeds)
def test_shown_buckets_are_those_of_the_data(values: list[int | None], asked: Asked) -> None:
    """Each value at its day, in order; the first, the last, the least and the most among them."""
    found = readable([dated(values, label="x", action={"math": "total"})], None, asked)
    rows = [(str(day).removesuffix(PARTIAL), value) for day, value in shown(found, found.picked).structured["rows"]]
    data = list(zip(days(len(values)), values, strict=True))
    known = [value for value in values if value is not None]
    assert [pair for pair in data if pair in set(rows)] == rows
    assert {data[0], data[-1]} <= set(rows)
    assert {max(known), min(known[:-1] or known)} <= {value for _, value in rows} if known else True


@quick
@given(st.lists(st.integers(0, 10**6), min_size=3, max_size=60))
def test_what_is_told_of_a_series_is_so(values: list[int]) -> None:
    """Last, total, low and high, computed here once more."""
    (told,) = readable([dated(values, label="x", action={"math": "total"})], None, Asked({}, NOW, "UTC")).digest
    number = re.search(r"last complete (\S+) (\d+)", told)
    assert number is not None
    assert (days(len(values))[-2], values[-2]) == (number[1], int(number[2]))
    assert f"total {sum(values)};" in told
    extremes = [int(n) for n in re.findall(r"(?:low|high|always) (\d+)", told)]
    assert extremes in ([min(values[:-1]), max(values)], [max(values)])


@quick
@given(tables)
def test_shown_rows_are_rows_of_the_result(rows: list[list[Any]]) -> None:
    """In their order, the first and the last among them, whatever was chosen."""
    many = [[n, *row] for n, row in enumerate(rows)]
    found = readable(many, ["n", "a", "b", "c", "d"])
    places = [row[0] for row in shown(found, found.picked).structured["rows"]]
    assert (sorted(set(places)), 0) == (places, places[0])


# max_tokens


async def sizes(posthog: Loopback, **given: Any) -> tuple[int, int]:
    """Of both forms of an answer about a large insight."""
    posthog.on_insights("GET", "12/", ok(insight(columns=["n", "t"], result=[[n, "x" * 90] for n in range(3_000)])))
    async with assistant(posthog) as user:
        told = await user.call("get_insight", id=12, **given)
    return len(told.text), len(json.dumps(told.structured, separators=(",", ":"), ensure_ascii=False))


@pytest.mark.anyio
@pytest.mark.parametrize("given", [{}, {"offset": 0}, {"detail": "full"}, {"detail": "full", "offset": 7}])
@pytest.mark.parametrize("tokens", [500, 1_000, 4_000, 8_000])
async def test_an_answer_has_the_size_asked_for(tokens: int, given: dict[str, Any], posthog: Loopback) -> None:
    """At most, and of pages not much less."""
    found = max(await sizes(posthog, max_tokens=tokens, **given))
    assert (True, True) == (found <= tokens * 4, found >= tokens * 1.5 if given else True)


@pytest.mark.anyio
async def test_a_larger_answer_has_more_rows(posthog: Loopback) -> None:
    """More of those that say most."""
    few, many = [(await sizes(posthog, max_tokens=tokens))[0] for tokens in (500, 8_000)]
    assert few * 4 < many


@pytest.mark.anyio
@pytest.mark.parametrize(("tokens", "taken"), [(0, 500), (499, 500), (8_001, 8_000), (10**9, 8_000)])
async def test_a_size_out_of_bounds_becomes_the_nearest(tokens: int, taken: int, posthog: Loopback) -> None:
    """Clients cut or refuse what is larger, and less holds no answer; a note says so."""
    posthog.on_insights("GET", "12/", ok(insight(columns=["n"], result=[["x" * 90]] * 3_000)))
    async with assistant(posthog) as user:
        told = await user.call("get_insight", id=12, max_tokens=tokens, offset=0)
    assert (False, f"max_tokens is 500 to 8,000: {taken:,} taken." in told.text) == (told.failed, True)
    assert len(told.text) <= taken * 4


@pytest.mark.anyio
async def test_an_answer_says_where_its_numbers_come_from(posthog: Loopback) -> None:
    """Behind the project, and alike in both forms."""
    posthog.on_insights("GET", "12/", ok(insight()))
    async with assistant(posthog) as user:
        told = await user.call("get_insight", id=12)
    line = told.structured["provenance"]
    assert line.startswith("2026-01-01 to 2026-01-03 (UTC); test accounts in; computed ")
    assert f"({told.structured['project']}; {line})" in told.text
