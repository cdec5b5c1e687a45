"""What a result gives away about its query: unfinished periods, values left together, events that stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.retention import cohorts_of
from insights_mcp.answer.numbers import known, number, percent, told
from insights_mcp.answer.series import MARKS, Series, breakdown_of, series_of
from insights_mcp.schema.query import IN_ALL
from insights_mcp.text import clean, counted
from insights_mcp.words.terms import RELATIVE, breakdowns, items, named, part, window

Query = dict[str, Any]
OTHER = next(iter(MARKS.values()))
DOMINATES = 0.4
LEAST_VALUES = 10  # of a breakdown without a limit of its own, before some are put together
LEAST_SILENCE = 3  # buckets
BUSY = 0.8  # of the buckets before the silence
CUMULATIVE = "ActionsLineGraphCumulative"


def revealed(query: Query, result: Any, asked: Asked) -> Iterator[str]:
    """The findings, with their numbers. `query` in the one form of its meaning."""
    rows = [row for row in items(result) if isinstance(row, dict)]
    if query.get("kind") == "TrendsQuery":
        found = [series_of(row, asked) for row in rows if items(row.get("data"))]
        yield from _unfinished(query, found)
        yield from _other(query, rows)
        yield from _stopped(query, found)
    if query.get("kind") == "FunnelsQuery":
        yield from _other_in_funnel(query, [each for each in items(result) if isinstance(each, list)])
    if query.get("kind") == "RetentionQuery":
        yield from _too_young([row for row in rows if isinstance(row.get("values"), list)], asked)
    if asked.has_more and breakdowns(query.get("breakdownFilter")):
        yield "there are more breakdown values than the limit; the rest is in one, or not shown"


def _unfinished(query: Query, found: list[Series]) -> Iterator[str]:
    """The present period compared with a whole one; without a result, if the window goes on."""
    given, interval = part(query, "dateRange"), clean(query.get("interval") or "day", 20)
    goes_on = not given.get("date_to") and RELATIVE.fullmatch(str(given.get("date_from") or ""))
    current = next((series for series in found if series.period == "current"), None)
    if not part(query, "compareFilter").get("compare") or not (current.unfinished if current else goes_on):
        return
    so_far = f" ({told(current.values[-1])} so far on {current.buckets[-1]})" if current else ""
    yield (
        f"the comparison is with a whole period, but the present {interval} is not over{so_far}: "
        "end the window before it (date_to) to compare like with like"
    )


def _other(query: Query, rows: list[Query]) -> Iterator[str]:
    """The values beyond the limit, together, against all; where numbers do not add up, against the largest."""
    drawn = part(query, "trendsFilter")
    adds_up = all(
        entity.get("math") in (None, "total", "sum")
        for entity in items(query.get("series"))
        if isinstance(entity, dict)
    )
    if not drawn.get("formulas") and drawn.get("display") != CUMULATIVE:
        weights = [(breakdown_of(row), abs(_weight(row) or 0.0)) for row in rows]
        yield from _dominated(weights, adds_up=adds_up)


def _other_in_funnel(query: Query, rows: list[list[Any]]) -> Iterator[str]:
    """The people who began, of each value."""
    limit = number(part(query, "breakdownFilter").get("breakdown_limit")) or LEAST_VALUES
    first = [row[0] for row in rows if row and isinstance(row[0], dict)]
    if len(first) >= limit:  # else it is a value of this name
        people = [(breakdown_of(step), number(step.get("count")) or 0.0) for step in first]
        yield from _dominated([(OTHER if value == "Other" else value, n) for value, n in people], adds_up=True)


def _dominated(weights: list[tuple[str, float]], *, adds_up: bool) -> Iterator[str]:
    whole = sum(weight for _, weight in weights)
    other = sum(weight for value, weight in weights if OTHER in value)
    named_most = max((weight for value, weight in weights if OTHER not in value), default=0.0)
    remedy = "raise breakdownFilter.breakdown_limit, or split by something with fewer values"
    if adds_up and other > DOMINATES * whole:
        yield f"{OTHER} holds {percent(other, whole)} of all: {remedy}"
    elif not adds_up and other > named_most:
        yield f"{OTHER} is larger than any value that is named: {remedy}"


def _weight(row: Query) -> float | None:
    total = number(row.get("aggregated_value"))
    return total if total is not None else sum(known([number(value) for value in items(row.get("data"))]))


def _stopped(query: Query, found: list[Series]) -> Iterator[str]:
    """A steady event that is not there any more, long before the window ends."""
    drawn = part(query, "trendsFilter")
    if drawn.get("formulas") or drawn.get("display") in (CUMULATIVE, *IN_ALL) or drawn.get("smoothingIntervals"):
        return
    if breakdowns(query.get("breakdownFilter")):
        return  # a value may well be over
    for series in found:
        if series.period != "previous" and (silent := _silence(series.complete)):
            last = series.buckets[len(series.complete) - silent - 1]
            yield f"{named(series.label)} stopped: nothing after {last}, {counted(silent, 'bucket')} to the end"


def _silence(values: list[float | None]) -> int:
    """Zeros at the end, if they are long and no such silence was there before; else 0."""
    silent = next((at for at, value in enumerate(reversed(values)) if value), len(values))
    before = values[: len(values) - silent]
    longest = run = 0
    for value in before:
        run = 0 if value else run + 1
        longest = max(longest, run)
    busy = sum(1 for value in before if value) >= max(BUSY * len(before), LEAST_SILENCE)
    return silent if busy and silent >= max(LEAST_SILENCE, 3 * longest, 0.1 * len(values)) else 0


def _too_young(rows: list[Query], asked: Asked) -> Iterator[str]:
    """Periods that no cohort has reached."""
    cohorts = cohorts_of(rows, asked)
    periods = max((len(cohort.counts) for cohort in cohorts), default=0)
    reached = max((cohort.over for cohort in cohorts), default=0)
    if cohorts and 0 < reached < periods - 1:
        yield (
            f"no cohort is old enough for the last {periods - reached} of {periods} periods: "
            f"lengthen the window ({window(asked.part('dateRange')) or 'none given'}) or ask for fewer"
        )
