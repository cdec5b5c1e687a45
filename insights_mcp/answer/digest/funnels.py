"""Funnels: who got through, where most were lost, how long it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.course import NAME, course
from insights_mcp.answer.numbers import duration, number, percent, told
from insights_mcp.answer.series import breakdown_of, series_of
from insights_mcp.text import quoted

MOST_VALUES = 3


@dataclass(frozen=True)
class Funnel:
    """People at each step, or `whom` it counts; None where the reply does not say."""

    value: str
    names: list[str]
    counts: list[float | None]
    medians: list[float | None]
    whom: str = "people"

    @property
    def first(self) -> float:
        """Who entered."""
        return self.counts[0] or 0.0

    @property
    def last(self) -> float:
        """Who got through."""
        return self.counts[-1] or 0.0

    @property
    def weakest(self) -> tuple[int, float, float] | None:
        """The step after which most people were lost: its place, who was there, who went on."""
        pairs = enumerate(zip(self.counts, self.counts[1:], strict=False))
        known = [(at, here, on) for at, (here, on) in pairs if here is not None and on is not None and here > on]
        return max(known, key=lambda pair: pair[1] - pair[2], default=None)

    @property
    def steepest(self) -> tuple[int, float, float] | None:
        """The step after which the smallest share went on."""
        pairs = enumerate(zip(self.counts, self.counts[1:], strict=False))
        known = [(at, here, on) for at, (here, on) in pairs if here and on is not None and here > on]
        return min(known, key=lambda pair: pair[2] / pair[1], default=None)


def whom(source: dict[str, Any]) -> str:
    """What a funnel counts."""
    if source.get("aggregation_group_type_index") is not None:
        return "groups"
    shape = source.get("funnelsFilter")
    by = shape.get("funnelAggregateByHogQL") if isinstance(shape, dict) else None
    return "people" if by in (None, "", "person_id") else COUNTED_BY.get(str(by), "values")


COUNTED_BY = {"properties.$session_id": "sessions", "$session_id": "sessions", "distinct_id": "distinct ids"}


def funnel_of(steps: list[dict[str, Any]], counted: str = "people") -> Funnel:
    """A funnel of a reply's steps."""
    return Funnel(
        breakdown_of(steps[0]),
        [str(step.get("custom_name") or step.get("name") or step.get("action_id") or "") for step in steps],
        [number(step.get("count")) for step in steps],
        [number(step.get("median_conversion_time")) for step in steps],
        counted,
    )


def told_of(funnel: Funnel) -> list[str]:
    """Conversion, where most were lost, and how long it took."""
    if not funnel.first:
        return [f"nobody entered the funnel of {len(funnel.counts)} steps"]
    return [line for line in (_through(funnel), weakest(funnel), _times(funnel)) if line]


def _through(funnel: Funnel) -> str:
    if len(funnel.counts) == 1:
        return f"{told(funnel.first)} {funnel.whom} took the one step"
    if funnel.counts[-1] is None:
        return f"{told(funnel.first)} {funnel.whom} entered"
    share = percent(funnel.last, funnel.first)
    through = f"{told(funnel.last)} of {told(funnel.first)} {funnel.whom} converted"
    return f"{through} ({share}) in {len(funnel.counts)} steps"


def weakest(funnel: Funnel) -> str:
    """Where most were lost; and where the smallest share went on, if that is another step."""
    if not funnel.weakest:
        return ""
    lost = f"largest loss {between(funnel.weakest[0])}: {_lost(funnel, f' {funnel.whom} lost')}"
    at, here, on = funnel.steepest or funnel.weakest
    return lost if at == funnel.weakest[0] else f"{lost}; smallest share going on {between(at)}: {percent(on, here)}"


def _lost(funnel: Funnel, word: str = "") -> str:
    """From which step to which, and how many."""
    at, here, on = funnel.weakest or (0, 0, 0)
    names = f"{quoted(funnel.names[at], NAME)} → {quoted(funnel.names[at + 1], NAME)}"
    return f"{names}, {told(here - on)} of {told(here)}{word} ({percent(here - on, here)})"


def _times(funnel: Funnel, longest: str = "median time from step to step: longest") -> str:
    known = [(seconds, at) for at, seconds in enumerate(funnel.medians) if seconds is not None and at]
    if not known:
        return ""
    if len(funnel.counts) == 2:
        return f"median time to convert {duration(known[0][0])}"
    slowest, at = max(known)
    last = funnel.medians[-1]
    to_last = f", to the last step {duration(last)}" if last is not None and at != len(funnel.medians) - 1 else ""
    return f"{longest} {duration(slowest)} ({at} → {at + 1}){to_last}"


def by_value(found: list[Funnel]) -> list[str]:
    """Lines about a funnel for each breakdown value: the best and the worst, and all of the one with most people."""
    entered = sorted((f for f in found if f.first), key=lambda f: -f.first)
    if not entered:
        return [f"nobody entered any of {len(found)} funnels"]
    return [
        f"{len(found)} values{_best_and_worst(entered)}",
        _largest(entered[0], everywhere=bool(weakest_of_all(found))),
    ]


def weakest_of_all(found: Sequence[Funnel]) -> str:
    """The step after which every funnel that anybody entered lost most; '' if that differs."""
    places = {between(f.weakest[0]) if f.weakest else "" for f in found if f.first}
    return places.pop() if len(found) > 1 and len(places) == 1 else ""


def between(place: int) -> str:
    """From a step to the next, in numbers."""
    return f"{place + 1} → {place + 2}"


def _best_and_worst(entered: list[Funnel]) -> str:
    if len(entered) < 2:
        return ""
    ranked = sorted(entered, key=lambda f: f.last / f.first)
    if ranked[0].last / ranked[0].first == ranked[-1].last / ranked[-1].first:
        return f": conversion {percent(ranked[0].last, ranked[0].first)} in each"
    pairs = (("best", ranked[-1]), ("worst", ranked[0]))
    return ": conversion " + ", ".join(
        f"{word} {quoted(f.value, NAME)} {percent(f.last, f.first)}" for word, f in pairs
    )


def _largest(funnel: Funnel, *, everywhere: bool) -> str:
    """All that is told of the value with most people; where most were lost may be the same step `everywhere`."""
    through = f"{told(funnel.last)} of {told(funnel.first)} converted ({percent(funnel.last, funnel.first)})"
    where = f"largest loss {between(funnel.weakest[0])}{' in each' if everywhere else ''}" if funnel.weakest else ""
    parts = [through, f"{where}: {_lost(funnel)}" if where else "", _times(funnel, "longest median")]
    return f"largest {quoted(funnel.value, NAME)}: {'; '.join(filter(None, parts))}"


def trend(result: list[dict[str, Any]], asked: Asked) -> list[str]:
    """Lines about conversion over time, in per cent."""
    return [course(series_of(item, asked), "%") for item in result[:MOST_VALUES]]


def times(result: dict[str, Any], _: Asked) -> list[str]:
    """Lines about how long it took."""
    named = (("median", "median_conversion_time"), ("average", "average_conversion_time"))
    spans = [f"{word} {duration(value)}" for word, key in named if (value := number(result.get(key))) is not None]
    bins = [
        (start, count) for start, count in (map(number, row) for row in result["bins"]) if start is not None and count
    ]
    spans_told = ", ".join(spans)
    lines = [f"time to convert: {spans_told}"] if spans else []
    if bins:
        start, count = max(bins, key=lambda b: b[1])
        whole = sum(count for _, count in bins)
        middle = "" if "median" in spans_told else f"; the median in that from {duration(_middle(bins, whole))}"
        lines.append(f"{told(whole)} people converted; most, {told(count)}, in the bin from {duration(start)}{middle}")
    return lines


def _middle(bins: list[tuple[float, float]], whole: float) -> float:
    """Where the bin begins by whose end half of them had converted."""
    reached = 0.0
    for start, count in bins:
        if (reached := reached + count) >= whole / 2:
            return start
    return bins[-1][0]
