"""Tables of results that are no series: funnels, retention, paths, rows of SQL, objects of unknown kind.

`whole` holds everything in order, for paging; `picked` what says most.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from insights_mcp.answer.answer import Rows, Table
from insights_mcp.answer.asked import PARTIAL
from insights_mcp.answer.digest.funnels import Funnel, between, weakest_of_all
from insights_mcp.answer.digest.retention import Cohort
from insights_mcp.answer.digest.rows import Column, ranking
from insights_mcp.answer.numbers import number

MOST_COLUMNS = 12
MANY_COLUMNS = 6
ENOUGH_COHORTS = 12
MOST_PERIODS = 8
STEPS = ("1st step", "2nd", "3rd", *(f"{n}th" for n in range(4, 13)))  # a number alone would stand in quotes
MOST_STEPS = len(STEPS)
LEAST_ROWS, MOST_ROWS, FEW_ROWS = 5, 40, 50


# funnels


STEP = ("step", "name", "people", "of first, %", "of previous, %", "median seconds")


def steps(funnel: Funnel) -> Table:
    """A row for each step."""
    columns = [funnel.whom if name == "people" else name for name in STEP]
    return Table(columns, [_step_row(funnel, place) for place in range(len(funnel.counts))])


def step_lists(found: Sequence[Funnel]) -> Table:
    """A row for each step of each breakdown value."""
    ends = list(accumulate(len(funnel.counts) for funnel in found))

    def row(place: int) -> list[Any]:
        at = bisect_right(ends, place)
        funnel = found[at]
        return [funnel.value, *_step_row(funnel, place - ends[at] + len(funnel.counts))]

    return Table(["breakdown", *STEP], Rows(range(ends[-1]), row))


def _step_row(funnel: Funnel, place: int) -> list[Any]:
    count, first, before = funnel.counts[place], funnel.counts[0], funnel.counts[max(place - 1, 0)]
    return [place + 1, funnel.names[place] or None, count, _share(count, first), _share(count, before),
            funnel.medians[place]]  # fmt: skip


def _share(part: float | None, of: float | None, digits: int = 2) -> float | None:
    return round(100 * part / of, digits) if part is not None and of else None


def funnels(found: Sequence[Funnel]) -> Table:
    """A row for each breakdown value: people at each step, conversion; where most were lost, if that differs."""
    most = max(len(funnel.counts) for funnel in found)
    if most > MOST_STEPS:
        return step_lists(found)
    differs = not weakest_of_all(found)
    rows = Rows(range(len(found)), lambda place: _funnel_row(found[place], most, differs))
    ranked = sorted(range(len(rows)), key=lambda place: -found[place].first)
    columns = ["breakdown", *STEPS[:most], "converted, %", *(["largest loss"] if differs else [])]
    names = sum(len(funnel.names) for funnel in found)
    return Table(columns, rows, ranked=ranked, sums_up=f"times of {names} steps")


def _funnel_row(funnel: Funnel, most: int, differs: bool) -> list[Any]:
    counts = [*funnel.counts, *[None] * (most - len(funnel.counts))]
    weakest = between(funnel.weakest[0]) if funnel.weakest else None
    return [funnel.value, *counts, _share(funnel.counts[-1], funnel.counts[0]), *([weakest] if differs else [])]


def bins(result: dict[str, Any]) -> Table:
    """A row for each span of time."""
    return Table(["from second", "people"], result["bins"])


# retention


def cohorts(found: Sequence[Cohort], names: Sequence[str]) -> Table:
    """A row for each cohort, a column for each period since, in people."""
    widest = max(len(cohort.counts) for cohort in found)

    def row(place: int) -> list[Any]:
        counts = found[place].counts
        return [_cohort_name(found[place]), *counts, *[None] * (widest - len(counts))]

    return Table(["cohort", *names[:widest]], Rows(range(len(found)), row))


def shares(found: Sequence[Cohort], names: Sequence[str]) -> Table:
    """Who came back, in per cent of each cohort: the periods and cohorts that say most."""
    widest = max(len(cohort.counts) for cohort in found)
    periods = _periods(widest)
    rows = [[_cohort_name(c), c.counts[0] if c.counts else None, *(_back(c, p) for p in periods)] for c in found]
    columns = ["cohort", "size", *(f"{names[period]}, %" for period in periods)]
    what = f"people of {len(found)} cohorts in {widest} periods"
    return Table(columns, rows, ranked=_cohort_ranking(found), enough=ENOUGH_COHORTS, sums_up=what)


def _cohort_name(cohort: Cohort) -> str:
    name = " ".join(part for part in (cohort.value, cohort.name) if part)
    return f"{name}{PARTIAL}" if cohort.growing and cohort.size else name


def _periods(widest: int) -> list[int]:
    """All if they are few; else ever farther apart, and the last."""
    if widest <= MOST_COLUMNS:
        return list(range(1, widest))
    marks = (1, 2, 3, 7, 14, 30, 60, 90, 180, 365)
    return [*[mark for mark in marks if mark < widest - 1][: MOST_PERIODS - 1], widest - 1]


def _back(cohort: Cohort, period: int) -> Any:
    """The share; none of an empty cohort, none before the period began, marked while it runs."""
    if period >= len(cohort.counts) or not cohort.size or period > cohort.over:
        return None
    share = _share(cohort.counts[period], cohort.size, digits=1)
    return share if period < cohort.over or share is None else f"{share:g}{PARTIAL}"


def _cohort_ranking(found: Sequence[Cohort]) -> list[int]:
    """First, last, largest, best and worst in the first period, then evenly spread."""
    places = range(len(found))
    started = [place for place in places if found[place].size]
    known = [p for p in started if min(found[p].over, len(found[p].counts)) > 1 and found[p].counts[1] is not None]
    by_share = sorted(known, key=lambda p: (found[p].counts[1] or 0) / found[p].size)
    largest = max(places, key=lambda place: found[place].size)
    spread = [len(found) * n // ENOUGH_COHORTS for n in range(ENOUGH_COHORTS)]
    return list(
        dict.fromkeys((0, len(found) - 1, *started[-1:], largest, *by_share[-1:], *by_share[:1], *spread, *places))
    )


# the rest


def totals(named: Sequence[tuple[str, Any]]) -> Table:
    """A row for each series that has one value."""
    ranked = sorted(range(len(named)), key=lambda place: -(number(named[place][1]) or 0.0))
    return Table(["series", "value"], named, ranked=ranked)


def edges(result: list[dict[str, Any]]) -> Table:
    """A row for each edge of paths, the heaviest most important."""
    rows = [
        [i.get("source"), i.get("target"), i.get("value"), _seconds(i.get("average_conversion_time"))] for i in result
    ]
    ranked = sorted(range(len(rows)), key=lambda place: -(number(rows[place][2]) or 0.0))
    return Table(["source", "target", "times", "average seconds"], rows, ranked=ranked, enough=25)


def _seconds(milliseconds: Any) -> float | None:
    value = number(milliseconds)
    return None if value is None else round(value / 1000, 1)


def objects(result: list[dict[str, Any]]) -> tuple[Table, tuple[str, ...]]:
    """Objects of unknown kind: their plain fields as columns."""
    names = list(dict.fromkeys(k for item in result for k, v in item.items() if not isinstance(v, dict | list)))
    kept = names[:MOST_COLUMNS]
    left_out = ("nested fields (detail='full' has all)",) if any(set(item) - set(kept) for item in result) else ()
    return Table([str(name) for name in kept], [[item.get(name) for name in kept] for item in result]), left_out


def informative(rows: Sequence[Sequence[Any]], columns: Sequence[str], facts: list[Column]) -> Table:
    """Rows of SQL: those that say most; of many columns, those that do not say the same in every row."""
    kept = list(range(len(columns)))
    if len(columns) > MANY_COLUMNS:
        same = {fact.place for fact in facts if fact.constant}
        kept = [place for place in kept if place not in same] or kept
    ranked = ranking(rows, facts)
    dropped = len(columns) - len(kept)
    what = f"{dropped} of {len(columns)} columns, the same in every row" if dropped else ""
    names = [columns[place] for place in kept]
    shown = _only(rows, ranked, kept) if dropped else rows
    return Table(names, shown, ranked=ranked, enough=_enough(len(rows)), sums_up=what)


def _enough(rows: int) -> int:
    """The more rows there are, the less a few of them say beside the digest."""
    return max(LEAST_ROWS, min(MOST_ROWS, MOST_ROWS * FEW_ROWS // max(rows, 1)))


def _only(rows: Sequence[Sequence[Any]], ranked: list[int], kept: list[int]) -> list[Sequence[Any]]:
    """The rows with only these columns; rows that are never shown are left as they are."""
    shown = list(rows)
    for place in ranked:
        shown[place] = [rows[place][column] for column in kept]
    return shown
