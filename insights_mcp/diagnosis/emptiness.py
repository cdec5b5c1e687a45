"""Which parts of a result are empty: whole results, series that are zero throughout, steps nobody reached.

A part is told by its place among what the query counts: the series, the steps, the two entities of a retention.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from insights_mcp.schema.query import source_of

Places = tuple[int, ...]


def empty_places(query: dict[str, Any], result: Any) -> Places:
    """The places of what has nothing to show, in order; none when every part says something, or none can tell."""
    source = source_of(query)
    find = EMPTY.get(str(source.get("kind")))
    if find is None or result is None:
        return ()
    try:
        return find(source, result)
    except (KeyError, TypeError, AttributeError, ValueError):  # a shape no version has: nothing is claimed of it
        return ()


def _all(source: dict[str, Any]) -> Places:
    return tuple(range(max(1, len(source.get("series") or ()))))


def _of_series(source: dict[str, Any], result: list[dict[str, Any]]) -> Places:
    """Series of which every value, over all breakdown values, is zero; the period compared with says nothing."""
    current = [item for item in result if item.get("compare_label") != "previous"]
    if all(map(_is_zero, current)):
        return _all(source)
    if has_formula(source):
        return ()
    by_place: dict[int, bool] = {}
    for number, item in enumerate(current):
        place = (item.get("action") or {}).get("order", item.get("order", number))
        by_place[place] = by_place.get(place, True) and _is_zero(item)
    return tuple(sorted(place for place, zero in by_place.items() if zero and place in _all(source)))


def has_formula(source: dict[str, Any]) -> bool:
    """Whether a trend shows what a formula makes of its series."""
    given = source.get("trendsFilter") or {}
    return any(given.get(name) for name in ("formula", "formulas", "formulaNodes"))


def _is_zero(item: dict[str, Any]) -> bool:
    if "data" not in item and "aggregated_value" not in item:
        return False  # a shape of its own, such as a box plot
    return not any(item.get("data") or ()) and not item.get("aggregated_value")


def _of_lifecycle(source: dict[str, Any], result: list[dict[str, Any]]) -> Places:
    return _all(source) if all(map(_is_zero, result)) else ()


def _of_funnel(source: dict[str, Any], result: Any) -> Places:
    """The first step nobody reached; every step, when a time or a share does not tell which."""
    if isinstance(result, dict):
        return () if any(count for _, count in result.get("bins") or ()) else _all(source)
    if not result:
        return (0,)
    if isinstance(result[0], dict) and "data" in result[0]:
        return _all(source) if all(map(_is_zero, result)) else ()
    reached: dict[int, int] = {}
    for steps in result if isinstance(result[0], list) else [result]:
        for number, step in enumerate(steps):
            reached[number] = max(reached.get(number, 0), step.get("count") or 0)
    return next(((number,) for number, count in sorted(reached.items()) if not count), ())


def _of_retention(_: dict[str, Any], result: list[dict[str, Any]]) -> Places:
    """0: nobody did the first thing. 1: nobody came back, although there was time to."""
    counts = [[value.get("count") or 0 for value in cohort["values"]] for cohort in result]
    if not any(row[0] for row in counts if row):
        return (0,)
    later = [count for row in counts if row and row[0] for count in row[1:]]
    return (1,) if later and not any(later) else ()


def _of_rows(source: dict[str, Any], result: list[Any]) -> Places:
    """No row; or one, of nothing but zeros and nulls, as counts and sums of nothing are."""
    if len(result) > 1 or "from" not in str(source.get("query")).casefold():
        return ()
    cells = result[0] if result else []
    return () if any(cell not in (None, 0) for cell in cells) else (0,)


def _of_edges(_: dict[str, Any], result: list[Any]) -> Places:
    return () if result else (0,)


EMPTY: dict[str, Callable[[dict[str, Any], Any], Places]] = {
    "TrendsQuery": _of_series,
    "StickinessQuery": _of_series,
    "LifecycleQuery": _of_lifecycle,
    "FunnelsQuery": _of_funnel,
    "RetentionQuery": _of_retention,
    "PathsQuery": _of_edges,
    "HogQLQuery": _of_rows,
    "EventsQuery": _of_edges,
}
