"""Answers: pieces rebuild the whole, both forms agree, nothing is over the budget, tables never break."""

from __future__ import annotations

import json
import re
from datetime import UTC
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from insights_mcp.answer import FULL, SUMMARY, Answer, Rendered, Table, render
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.pieces import dumps, pieces, pieces_table
from insights_mcp.answer.rendering import SPECIAL
from insights_mcp.answer.results import readable
from insights_mcp.schema.query import slim
from insights_mcp.text import UNSAFE

LEAST = 500
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
NASTY = st.sampled_from(
    ["a|b", "\\|", "x\ny", "\x1b[31mred\x1b[0m", "\u202eevil", "\u200b", "a.b[0]", "]", '"', "\\", "{0}", "{offset}",
     "💥", "\ud83d", "", " ", " | ", "phx_0123456789abcdefghij", "<script>", "é" * 50, "long " * 300, "k" * 500]
)  # fmt: skip
texts = st.text(max_size=30) | NASTY
numbers = st.integers() | st.floats() | st.booleans() | st.none() | st.just(10**400)
finite = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans() | st.none()
json_values = st.recursive(
    finite | texts,
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(texts, inner, max_size=8),
    max_leaves=40,
)
any_values = st.recursive(
    numbers | texts,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(texts, inner, max_size=6),
    max_leaves=25,
)
STEP = re.compile(r"\[(\d+):(\d+)\]|\[(\d+)\]|\{(\d+)\}|(\[\"(?:[^\"\\]|\\.)*\"\])|\.?([A-Za-z_$][A-Za-z0-9_$-]*)")


# pieces


class Entry(str):
    """The place of an entry that is told as [key, value]."""


def steps_of(path: str) -> list[Any]:
    """A path as steps: str is a key, int a place, Entry a place among entries, (start, end) a run."""
    steps: list[Any] = []
    place = 0
    while path != "." and place < len(path):
        found = STEP.match(path, place)
        assert found, path
        start, end, item, entry, quoted, word = found.groups()
        if start is not None:
            steps.append((int(start), int(end)))
        elif item is not None:
            steps.append(int(item))
        elif entry is not None:
            steps.append(Entry(entry))
        else:
            steps.append(json.loads(quoted)[0] if quoted is not None else word)
        place = found.end()
    return steps


def rebuilt(parts: list[tuple[str, str]]) -> Any:
    """The value that pieces were cut from: the inverse of `pieces`."""
    tree: dict[str, Any] = {}
    for path, text in parts:
        node = tree
        steps = steps_of(path)
        value = json.loads(text)
        if steps and isinstance(steps[-1], tuple):
            start, _ = steps.pop()
        else:
            start = None
        for step in steps:
            node = node.setdefault("below", {}).setdefault((type(step).__name__, step), {})
        node.setdefault("parts", []).append((start, value))
    return grown(tree)


def grown(node: dict[str, Any]) -> Any:
    """The value at a node of the tree."""
    below = {key: grown(inner) for key, inner in node.get("below", {}).items()}
    parts = node.get("parts", [])
    if parts and not below and all(start is None for start, _ in parts) and not isinstance(parts[0][1], dict):
        assert len(parts) == 1
        return parts[0][1]
    if any(isinstance(value, str) for start, value in parts if start is not None):
        return "".join(value for _, value in parts)
    if any(start is not None for start, _ in parts) or any(kind == "int" for kind, _ in below):
        items = {start + i: item for start, run in parts for i, item in enumerate(run)}
        items |= {place: value for (_, place), value in below.items()}
        return [items[place] for place in range(len(items))]
    whole: dict[str, Any] = {}
    for _, part in parts:
        whole |= part
    for (kind, key), value in below.items():
        whole |= dict([value]) if kind == "Entry" else {key: value}
    return whole


@quick
@given(json_values, st.sampled_from([12, 30, 80, 2000]))
@example({"a": {"b.c": "x" * 100}}, 30)
@example({"k" * 500: ["v" * 50]}, 80)
@example([[["x" * 90]] * 3, {"": "y" * 90}], 30)
def test_pieces_rebuild_the_whole_value(value: Any, size: int) -> None:
    """Whatever the value, its pieces hold all of it, each at its place."""
    assert value == rebuilt(list(pieces(value, size=size)))


@quick
@given(any_values, st.sampled_from([12, 80, 2000]))
def test_pieces_are_valid_and_safe(value: Any, size: int) -> None:
    """No piece is invalid JSON, nor holds a character that hides; also when the value is none JSON can hold."""
    for path, text in pieces(value, size=size):
        json.loads(text, parse_constant=pytest.fail)
        assert not UNSAFE.search(path + text)


@quick
@given(json_values)
def test_pieces_are_small(value: Any) -> None:
    """A piece is at most the size asked for."""
    assert all(len(text) <= 2000 for _, text in pieces(value))


def test_paging_through_a_large_value_shows_all_of_it() -> None:
    """Following `more` from page to page brings every piece, once."""
    value = {"result": [{"label": f"series {n}", "data": list(range(300))} for n in range(200)]}
    table, offset, seen = pieces_table(value), 0, list[tuple[str, str]]()
    while offset is not None:
        shown = render(Answer("All.", table=table.after(offset), more="more({offset})"), "p", FULL).structured
        seen += [(row[0], row[1]) for row in shown["rows"]]
        found = re.search(r"more\((\d+)\)", " ".join(shown.get("left_out", ())))
        offset = int(found[1]) if found else None  # type: ignore[assignment]
    assert value == rebuilt(seen)


# render

columns = st.lists(texts, min_size=1, max_size=60)
answers = st.builds(
    Answer,
    said=texts | st.just("said " * 1000),
    facts=st.dictionaries(
        st.sampled_from([f"fact_{n}" for n in range(40)]), any_values | st.just('"' * 5000), max_size=40
    ),
    table=st.none()
    | columns.flatmap(
        lambda names: st.builds(
            Table,
            st.just(names),
            st.lists(st.lists(any_values, min_size=len(names), max_size=len(names)), max_size=6).map(lambda r: r * 20),
            first=st.sampled_from([0, 0, 7, 10**30]),
            sums_up=texts,
            held=st.none() | st.integers(0, 10**6),
        )
    ),
    left_out=st.lists(texts | st.just('"' * 900), max_size=30).map(tuple),
    next=st.lists(texts | st.just("n" * 900), max_size=30).map(tuple),
    more=st.sampled_from(["", "tool(…, offset={offset})", "tool(id='{{x}}', offset={offset})"]),
    digest=st.lists(texts | st.just('"' * 500), max_size=12).map(tuple),
    provenance=texts | st.just('"' * 900),
)


def compact(structured: dict[str, Any]) -> str:
    """As a host hands it to its model."""
    return json.dumps(structured, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@quick
@given(answers, texts | st.just('"' * 3000), st.sampled_from([LEAST, 700, SUMMARY, 4_000, FULL]))
def test_neither_form_is_over_the_budget(answer: Answer, place: str, budget: int) -> None:
    """Whatever there is to say, both forms fit."""
    shown = render(answer, place, budget)
    assert (True, True) == (len(shown.text) <= budget * 4, len(compact(shown.structured)) <= budget * 4)


@quick
@given(answers)
def test_nothing_unsafe_passes_through(answer: Answer) -> None:
    """Control, direction and hidden characters and keys appear in neither form; lines are ours."""
    shown = render(answer, "p")
    plain = shown.text.replace("\n", "") + "".join(strings(shown.structured))
    assert (None, False) == (UNSAFE.search(plain), "phx_0123456789" in plain)


def strings(value: Any) -> list[str]:
    """Every text in a value."""
    if isinstance(value, dict):
        return [text for item in value.items() for part in item for text in strings(part)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


@quick
@given(answers)
def test_the_forms_agree(answer: Answer) -> None:
    """The text says what the structured content says: every fact, every row, every note."""
    both = render(answer, "p")
    assert told_by(both.structured) == both.text


def told_by(structured: dict[str, Any]) -> str:
    """The text that structured content stands for."""
    said = dict(structured)
    answer, digest = said.pop("answer"), said.pop("digest", [])
    where = "; ".join(said.pop(name) for name in ("project", "provenance") if name in said)
    names, rows = said.pop("columns", []), said.pop("rows", [])
    left_out, following = said.pop("left_out", []), said.pop("next", [])
    facts = [f"{name}: {value if isinstance(value, str) else dumps(value)}" for name, value in said.items()]
    parts = ["\n".join([answer, *(f"- {line}" for line in digest), *facts, f"({where})"])]
    if rows:
        parts.append("\n".join(" | ".join(map(cell_text, row)) for row in [names, *rows]))
    parts += ["Left out: " + "; ".join(left_out)] if left_out else []
    parts += ["Next: " + " ".join(following)] if following else []
    return "\n\n".join(parts)


def test_a_backslash_before_a_bar_does_not_free_it() -> None:
    """Read as Markdown reads it: what follows a backslash is itself, a bar that is left ends the cell."""
    table = Table(["a", "b"], [["x\\|y", "z\\\\|"]])
    line = render(Answer("R.", table=table), "p").text.splitlines()[-1]
    cells = re.findall(r"(?:\\[\\|]|[^|])+", line)
    assert ["x\\|y", "z\\\\|"] == [re.sub(r"\\([\\|])", r"\1", cell).strip() for cell in cells]


def cell_text(cell: Any) -> str:
    """A cell in the text."""
    if not isinstance(cell, str):
        return json.dumps(cell)
    return f'"{cell}"' if SPECIAL.fullmatch(cell) else re.sub(r"(\\*)\|", r"\1\1\|", cell)


@quick
@given(answers)
def test_tables_never_break(answer: Answer) -> None:
    """Every line of a table splits into as many cells as there are columns."""
    shown = render(answer, "p").structured
    rows = shown.get("rows", [])
    lines = told_by({"project": "", "answer": "", "columns": shown.get("columns", []), "rows": rows}).split("\n")[3:]
    assert [len(shown.get("columns", []))] * len(lines) == [len(line.split(" | ")) for line in lines]


@quick
@given(answers.filter(lambda a: a.table is not None and a.table.rows and a.more != "" and a.table.first < 99))
def test_paging_always_gets_on(answer: Answer) -> None:
    """The next page never begins where this one did, however large a row is."""
    shown = render(answer, "p").structured
    found = [int(n) for note in shown.get("left_out", ()) for n in re.findall(r"go on with tool.*offset=(\d+)", note)]
    assert answer.table is not None
    assert [] == [offset for offset in found if offset <= answer.table.first]


def shown(answer: Answer, budget: int = SUMMARY) -> Rendered:
    """The answer, rendered."""
    return render(answer, "project 1", budget)


def test_a_wide_row_is_shown_with_shorter_cells() -> None:
    """A row that would not fit is shown all the same."""
    table = Table([f"c{n}" for n in range(60)], [["x" * 200] * 60])
    assert 1 == len(shown(Answer("Wide.", table=table)).structured["rows"])


def test_columns_that_do_not_fit_are_told() -> None:
    """Too many columns: as many as fit, and how many are missing."""
    table = Table([f"column number {n}" for n in range(1000)], [[1] * 1000])
    found = shown(Answer("Wider.", table=table)).structured
    assert f"{1000 - len(found['columns'])} of 1000 columns" in found["left_out"]


@pytest.mark.parametrize(
    ("number", "told"),
    [(1234567.891, "1234567.89"), (0.123456789, "0.123457"), (3.0, "3"), (float("nan"), "null"), (1e20, "1e+20")],
)
def test_numbers_keep_what_matters(number: float, told: str) -> None:
    """All digits before the point, and six in all."""
    assert told == shown(Answer("N.", table=Table(["n"], [[number]]))).text.split("\n")[-1]


def test_an_offset_past_the_end_is_told() -> None:
    """Nothing is shown, and how many there are."""
    table = Table(["n"], [[1], [2]]).after(10**40)
    assert ["no row shown of 2"] == shown(Answer("N.", table=table, more="x({offset})")).structured["left_out"]


def test_a_long_fact_says_where_it_is() -> None:
    """A fact too long to show is named, with its size and the way to it."""
    found = shown(Answer("A.", {"query": {"q": "x" * 3000}}, more="get({offset})")).structured["left_out"][0]
    assert "query (3,0" in found
    assert "detail='full' has it" in found


# results


@quick
@given(any_values | st.lists(st.dictionaries(
    st.sampled_from(["data", "days", "labels", "label", "count", "order", "values", "aggregated_value", "action",
                     "breakdown_value", "compare_label", "name", "date", "bins", "status", "source", "target",
                     "value", "median_conversion_time", "average_conversion_time",
                     "calendar_heatmap_data", "median", "p25", "p75", "series_index"]),
    any_values, max_size=8), max_size=4), st.none() | st.lists(texts, max_size=3), st.builds(
        Asked, st.dictionaries(st.sampled_from(["interval", "trendsFilter", "retentionFilter"]), any_values),
        st.none() | st.datetimes(timezones=st.just(UTC)), st.none() | texts, st.none() | texts,
        st.none() | texts | st.just("9999-12-31T23:59:59Z")))  # fmt: skip
def test_any_result_can_be_shown(result: Any, names: list[str] | None, asked: Asked) -> None:
    """A result of a shape nobody foresaw becomes some table, never an error."""
    found = readable(result, names, asked)
    for table in (found.picked, found.whole):
        assert render(Answer("R.", table=table, left_out=found.left_out, digest=found.digest), "p").text


def test_a_breakdown_is_told_though_its_letters_are_in_the_label() -> None:
    """`a` is part of `$pageview`, and still says which series it is."""
    series = [{"label": "$pageview", "breakdown_value": v, "data": [1], "days": ["d"]} for v in ("a", "view")]
    table = readable(series).whole
    assert table is not None
    assert ["bucket", "$pageview a", "$pageview view"] == list(table.columns)


def test_a_breakdown_the_label_ends_with_is_told_once() -> None:
    """PostHog writes it into the label itself."""
    series = [{"label": "$pageview - Chrome", "breakdown_value": "Chrome", "data": [1], "days": ["d"]}]
    table = readable(series).whole
    assert table is not None
    assert ["bucket", "$pageview - Chrome"] == list(table.columns)


# slim


@pytest.mark.parametrize(
    "query",
    [
        {
            "kind": "HogQLQuery",
            "query": "select {interval}",
            "values": {"interval": "day", "tags": "x", "math": "total"},
        },
        {
            "kind": "DataVisualizationNode",
            "display": "ActionsLineGraph",
            "source": {"kind": "HogQLQuery", "query": "q"},
        },
        {"kind": "TrendsQuery", "series": [], "modifiers": {"personsOnEventsMode": "disabled"}},
        {"kind": "TrendsQuery", "series": [{"properties": [{"key": "tags", "value": [0, False, ""]}]}]},
        {
            "kind": "HogQLQuery",
            "query": "q",
            "variables": {"v1": {"value": 0, "code_name": "version"}},
        },
    ],
)
def test_slim_keeps_what_says_something(query: dict[str, Any]) -> None:
    """Names a user chose are no noise, even where they look like it."""
    assert json.dumps(without_empty(query)) == json.dumps(slim(query))


def without_empty(value: Any) -> Any:
    """A value without nulls and empty parts."""
    if isinstance(value, dict):
        return {k: without_empty(v) for k, v in value.items() if v not in (None, [], {})}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def test_slim_drops_what_says_nothing() -> None:
    """Nulls, empty parts, defaults and the noise of replies."""
    query = {
        "kind": "TrendsQuery", "version": 2, "series": [{"kind": "EventsNode", "event": "x", "math": "total"}],
        "name": None, "interval": "day", "properties": [],
        "trendsFilter": {"display": "ActionsLineGraph"}, "tags": {"scene": "x"},
    }  # fmt: skip
    assert {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "x"}]} == slim(query)
