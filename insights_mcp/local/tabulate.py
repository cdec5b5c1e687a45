"""A query's result as a plain table: one way per shape of result, told by the result itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from insights_mcp.local.queries.breakdowns import NONE, OTHER

Table = tuple[list[str], list[list[str]]]

MOST_ROWS = 1000
MARKS = {OTHER: "(other)", NONE: "(none)"}


def tabulated(results: Any, columns: list[Any] | None) -> Table:
    """Header and rows, all text, at most a thousand rows."""
    if isinstance(results, dict):
        results = [results]
    if not isinstance(results, list) or not results:
        return [], []
    for fits, draw in SHAPES:
        if fits(results):
            header, rows = draw(results, columns)
            return [_text(cell) for cell in header], [[_text(cell) for cell in row] for row in rows[:MOST_ROWS]]
    return ["value"], [[_text(item)] for item in results[:MOST_ROWS]]


def _series(results: list[Any], _: object) -> tuple[list[Any], list[list[Any]]]:
    labels = max((item.get("labels") or item.get("days") or [] for item in results), key=len)
    if not labels:
        return ["", "total"], [[_label(item), item.get("aggregated_value", item.get("count"))] for item in results]
    return ["", *labels], [[_label(item), *item["data"]] for item in results]


def _label(item: dict[str, Any]) -> str:
    compared = f" ({item['compare_label']})" if item.get("compare_label") else ""
    return f"{item.get('label', '')}{compared}"


def _funnel(results: list[Any], _: object) -> tuple[list[Any], list[list[Any]]]:
    if isinstance(results[0], list):
        steps = [step for group in results for step in group]
        return ["breakdown", "step", "people"], [[s.get("breakdown"), s["name"], s["count"]] for s in steps]
    return ["step", "people"], [[step["name"], step["count"]] for step in results]


def _retention(results: list[Any], _: object) -> tuple[list[Any], list[list[Any]]]:
    width = max(len(cohort["values"]) for cohort in results)
    rows = [[c.get("date") or c.get("label"), *(value["count"] for value in c["values"])] for c in results]
    if all(cohort.get("breakdown_value") is None for cohort in results):
        return ["cohort", *range(width)], rows
    split = [[cohort["breakdown_value"], *row] for cohort, row in zip(results, rows, strict=True)]
    return ["breakdown", "cohort", *range(width)], split


def _bins(results: list[Any], _: object) -> tuple[list[Any], list[list[Any]]]:
    return ["from second", "people"], results[0]["bins"]


def _rows(results: list[Any], columns: list[Any] | None) -> tuple[list[Any], list[list[Any]]]:
    return columns or list(range(1, len(results[0]) + 1)), results


def _records(results: list[Any], _: object) -> tuple[list[Any], list[list[Any]]]:
    names = list(results[0])
    return names, [[item.get(name) for name in names] for item in results]


def _has(*names: str) -> Callable[[list[Any]], bool]:
    return lambda results: all(isinstance(item, dict) and all(name in item for name in names) for item in results)


def _is_broken_down_funnel(results: list[Any]) -> bool:
    is_steps = _has("action_id", "count")
    return all(isinstance(group, list) and group and is_steps(group) for group in results)


SHAPES: tuple[tuple[Callable[[list[Any]], bool], Callable[..., tuple[list[Any], list[list[Any]]]]], ...] = (
    (_has("values"), _retention),
    (_has("bins"), _bins),
    (_has("data"), _series),
    (_has("action_id", "count"), _funnel),
    (_is_broken_down_funnel, _funnel),
    (lambda results: all(isinstance(row, list) for row in results), _rows),
    (lambda results: all(isinstance(item, dict) for item in results), _records),
)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list):
        return ", ".join(map(_text, value))
    said = f"{value:.2f}" if isinstance(value, float) else "" if value is None else str(value)
    for mark, words in MARKS.items():
        said = said.replace(mark, words)
    return said
