"""Functions of HogQL: each answers as ClickHouse does, or is refused by name."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries

Rows = Callable[..., list[Any]]
# What ClickHouse 26.9 answers, by subject: `expression ==> JSON`.
RECORDED = (Path(__file__).parent / "clickhouse.txt").read_text(encoding="utf-8")
SUBJECTS = {part.split("\n", 1)[0]: part.split("\n")[1:] for part in RECORDED.strip().removeprefix("# ").split("\n# ")}
ROWS = "(select number + 1 as x, ['a', 'b', 'a', 'c'][number + 1] as s, [number, 5] as l from numbers(4))"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_as_clickhouse_answers(hogql: Rows, subject: str) -> None:
    """All functions of a subject, in one query."""
    facts = {text: json.loads(value) for text, _, value in (line.partition(" ==> ") for line in SUBJECTS[subject])}
    [row] = hogql(f"select {', '.join(facts)}")
    assert [(text, pytest.approx(value, rel=1e-9)) for text, value in facts.items() if _flat(value)] == [
        (text, found) for text, found in zip(facts, row, strict=True) if _flat(facts[text])
    ]
    assert {text: value for text, value in facts.items() if not _flat(value)} == {
        text: found for text, found in zip(facts, row, strict=True) if not _flat(facts[text])
    }


def _flat(value: Any) -> bool:
    return isinstance(value, (int, float))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sumIf(x, s = 'a'), sumOrNullIf(x, s = 'z'), avgOrDefaultIf(x, s = 'z')", [4, None, 0]),
        ("minIf(x, s = 'z'), maxIf(s, s = 'z')", [0, ""]),
        ("avgWeightedIf(x, x, s = 'a'), countDistinctIf(s, x > 1)", [2.5, 3]),
        ("groupArrayIf(s, x > 2), groupArray(2)(x), string_agg(s, '-')", [["a", "c"], [1, 2], "a-b-a-c"]),
        ("sumArray(l), sumForEach(l), maxForEach(l)", [26, [6, 20], [3, 5]]),
        ("sumMap(map(s, x)), maxMap(map(s, x))", [{"a": 4, "b": 2, "c": 4}, {"a": 3, "b": 2, "c": 4}]),
        ("sumArgMax(x, s), quantileExact(0.5)(x), medianExactLow(x)", [4, 3, 2]),
        ("groupArrayMovingSum(2)(x), deltaSum(x), simpleLinearRegression(x, x)", [[1, 3, 5, 7], 3, [1.0, 0.0]]),
        ("percentile_cont(0.5) within group (order by x)", [2.5]),
    ],
)
def test_aggregates(hogql: Rows, text: str, expected: list[Any]) -> None:
    """Suffixes, and what goes over arrays and maps."""
    assert [expected] == hogql(f"select {text} from {ROWS}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("array_agg(x), json_agg(x), array_agg(null), json_agg(null)", [[1, 2], "[1,2]", None, None]),
        (
            "toFloatOrZero(null), toFloatOrDefault('bla', 7.), toFloatOrDefault(null), toIntOrZero('')",
            [None, 7, None, 0],
        ),
        (
            "languageCodeToName('en'), languageCodeToName('es'), languageCodeToName('x'), languageCodeToName(NULL)",
            ["English", "Spanish", "Unknown", "Unknown"],
        ),
        ("toTimeZone(toDateTime('2026-01-01 10:00:00'))", ["2026-01-01T10:00:00Z"]),
        ("map(), make_timestamptz(2023, 1, 1, 12, 34, 56, 'UTC')", [{}, "2023-01-01T12:34:56Z"]),
        (
            "toStartOfInterval(toDateTime('2023-01-01 13:45:32'), toIntervalHour(1), toDateTime('2023-01-01 13:15'))",
            ["2023-01-01T13:15:00Z"],
        ),
    ],
)
def test_as_posthog_answers(hogql: Rows, text: str, expected: list[Any]) -> None:
    """What PostHog makes of functions that ClickHouse has otherwise, or has not."""
    assert [expected] == hogql(
        f"select {text} from (select arrayJoin([1, 2]) as x)" if "(x)" in text else f"select {text}"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(x), sum(y), sumIf(x, x > 9), sumIf(y, y > 9)", [3, 3, 0, None]),
        ("any(y), anyLast(y), first_value(y), last_value(y), argMax(y, x)", [1, 2, 1, 2, 2]),
        ("argMax(x, if(x > 9, y, null)), argMin(x, y)", [None, 1]),
        ("groupConcat(x), groupConcat('-')(x)", ["012", "0-1-2"]),
    ],
)
def test_null_among_values(hogql: Rows, text: str, expected: list[Any]) -> None:
    """Aggregates leave NULL out, and give it where nothing else was there."""
    rows = "(select number as x, if(number = 0, null, number) as y from numbers(3))"
    assert [expected] == hogql(f"select {text} from {rows}")


def test_neighbours(hogql: Rows) -> None:
    """Nothing stands before the first row; leadInFrame sees what its frame holds."""
    text = "lag(n) over (order by n), lagInFrame(n) over (order by n), leadInFrame(n) over (order by n)"
    assert [[None, 0, 0], [5, 5, 0]] == hogql(f"select {text} from (select number + 5 as n from numbers(2))")


def test_states(hogql: Rows) -> None:
    """States gathered by one query are merged by the one around it."""
    inner = f"(select s, uniqState(x) as u, avgState(x) as a from {ROWS} group by s)"
    assert [[4, 2.5]] == hogql(f"select uniqMerge(u), avgMerge(a) from {inner}")


def test_names_in_lambdas_are_the_callers_own(hogql: Rows) -> None:
    """A lambda's argument may be called as an argument within a function's own SQL."""
    assert [[[1, 0]]] == hogql("select arrayMap(z -> countEqual([1, 3], z), [1, 2])")


@pytest.mark.parametrize(
    "name", ["geohashEncode", "convertCurrency", "cramersV", "windowFunnel", "reinterpretAsUInt8", "isLikelyBot"]
)
def test_not_supported(hogql: Rows, name: str) -> None:
    """Refused by name."""
    with pytest.raises(queries.QueryError, match=name):
        hogql(f"select {name}('a')")
