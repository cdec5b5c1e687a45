"""A query's result as a table, for every shape PostHog's query kinds have.

Mirrors what `result` (insights) and `results` (query) hold per kind.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from insights_mcp.answer.answer import Table
from insights_mcp.answer.pieces import pieces_table

MOST_SERIES = 12
# PostHog's marks for values beyond the breakdown's limit, and for events without a value.
MARKS = {"$$_posthog_breakdown_other_$$": "(other)", "$$_posthog_breakdown_null_$$": "(none)"}


def result_table(result: Any, columns: Sequence[Any] | None = None) -> tuple[Table | None, tuple[str, ...]]:
    """The result as a table, and what of it the table leaves out. None when there is no result."""
    if result is None:
        return None, ()
    if result == []:
        return Table([str(column) for column in columns or ()], []), ()
    if columns is not None and _rows_of(result, len(columns)):
        return Table([str(column) for column in columns], result), ()
    for fits, shape in SHAPES:
        if fits(result):
            return shape(result)
    return pieces_table(result), ()


Shaped = tuple[Table, tuple[str, ...]]


def _rows_of(result: Any, width: int) -> bool:
    return isinstance(result, list) and all(isinstance(row, list) and len(row) == width for row in result)


def _objects(result: Any) -> bool:
    return isinstance(result, list) and bool(result) and all(isinstance(item, dict) for item in result)


def _series(result: Any) -> bool:
    return _objects(result) and all(isinstance(s.get("data"), list) and s["data"] for s in result)


def _totals(result: Any) -> bool:
    return _objects(result) and all("aggregated_value" in s for s in result)


def _cohorts(result: Any) -> bool:
    return _objects(result) and all(isinstance(cohort.get("values"), list) for cohort in result)


def _steps(result: Any) -> bool:
    return _objects(result) and all(_is_count(s.get("count")) and "order" in s and "data" not in s for s in result)


def _step_lists(result: Any) -> bool:
    return isinstance(result, list) and bool(result) and all(_steps(steps) for steps in result)


def _bins(result: Any) -> bool:
    bins = result.get("bins") if isinstance(result, dict) else None
    return isinstance(bins, list) and _rows_of(bins, 2)


def _is_count(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _series_table(result: list[dict[str, Any]]) -> Shaped:
    """One row per bucket, one column per series."""
    shown = result[:MOST_SERIES]
    longest = max(shown, key=lambda series: len(series["data"]))
    buckets = _buckets(longest)
    rows = [[bucket, *(_at(series["data"], i) for series in shown)] for i, bucket in enumerate(buckets)]
    rest = len(result) - len(shown)
    left_out = (f"{rest} of {len(result)} series (detail='full' has all)",) if rest else ()
    return Table(["bucket", *map(_label, shown)], rows), left_out


def _buckets(series: dict[str, Any]) -> list[Any]:
    size = len(series["data"])
    named = (series.get("days"), series.get("labels"))
    return next((n for n in named if isinstance(n, list) and len(n) == size), list(range(size)))


def _totals_table(result: list[dict[str, Any]]) -> Shaped:
    return Table(["series", "value"], [[_label(series), series["aggregated_value"]] for series in result]), ()


def _cohorts_table(result: list[dict[str, Any]]) -> Shaped:
    """One row per cohort, one column per period since."""
    widest = max(len(cohort["values"]) for cohort in result)
    rows = [[_cohort_name(c), *(_at([_count(v) for v in c["values"]], i) for i in range(widest))] for c in result]
    return Table(["cohort", *(str(period) for period in range(widest))], rows), ()


def _steps_table(result: list[dict[str, Any]]) -> Shaped:
    return Table(["step", "name", "people", "of first, %", "median seconds"], _step_rows(result)), ()


def _step_lists_table(result: list[list[dict[str, Any]]]) -> Shaped:
    rows = [[_breakdown(steps[0]), *row] for steps in result for row in _step_rows(steps)]
    return Table(["breakdown", "step", "name", "people", "of first, %", "median seconds"], rows), ()


def _step_rows(steps: list[dict[str, Any]]) -> list[list[Any]]:
    first = steps[0].get("count") or 0
    return [
        [
            place,
            step.get("custom_name") or step.get("name"),
            step.get("count"),
            round(100 * (step.get("count") or 0) / first, 2) if first else None,
            step.get("median_conversion_time"),
        ]
        for place, step in enumerate(steps, 1)
    ]


def _bins_table(result: dict[str, Any]) -> Shaped:
    return Table(["from second", "people"], result["bins"]), ()


def _objects_table(result: list[dict[str, Any]]) -> Shaped:
    """Objects of unknown kind (paths are such): their plain fields as columns."""
    names = list(dict.fromkeys(k for item in result for k, v in item.items() if not isinstance(v, dict | list)))
    kept = names[:MOST_SERIES]
    left_out = ("nested fields (detail='full' has all)",) if any(set(item) - set(kept) for item in result) else ()
    return Table(kept, [[item.get(name) for name in kept] for item in result]), left_out


def _at(values: list[Any], place: int) -> Any:
    return values[place] if place < len(values) else None


def _count(value: Any) -> Any:
    return value.get("count") if isinstance(value, dict) else value


def _label(series: dict[str, Any]) -> str:
    action = series.get("action")
    custom = action.get("custom_name") if isinstance(action, dict) else None
    label = _unmarked(str(custom or series.get("label") or "series"))
    breakdown = _breakdown(series)
    told = breakdown in ("", label) or label.endswith(f" {breakdown}")
    named = label if told else f"{label} {breakdown}"
    return f"{named} ({series['compare_label']})" if series.get("compare_label") else named


def _breakdown(item: dict[str, Any]) -> str:
    value = item.get("breakdown_value", item.get("breakdown"))
    told = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
    return _unmarked(told)


def _unmarked(text: str) -> str:
    for mark, word in MARKS.items():
        text = text.replace(mark, word)
    return text


def _cohort_name(cohort: dict[str, Any]) -> str:
    parts = (_breakdown(cohort), str(cohort.get("date") or cohort.get("label") or "")[:10])
    return " ".join(part for part in parts if part)


SHAPES: tuple[tuple[Callable[[Any], bool], Callable[[Any], Shaped]], ...] = (
    (_totals, _totals_table),
    (_series, _series_table),
    (_cohorts, _cohorts_table),
    (_steps, _steps_table),
    (_step_lists, _step_lists_table),
    (_bins, _bins_table),
    (_objects, _objects_table),
)
