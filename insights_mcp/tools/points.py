"""Points of insights: how each kind of query is told which of its numbers is meant, and what it cannot be told."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from insights_mcp.answer.series import MARKS
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.query import IN_ALL
from insights_mcp.text import clean, quoted
from insights_mcp.tools.tool import given

if TYPE_CHECKING:
    from insights_mcp.tools.actors import ListActors

MARKED = {shown: mark for mark, shown in MARKS.items()}
Point = Callable[["ListActors", dict[str, Any]], dict[str, Any]]
STEP = re.compile(r"(\d{1,9})_")
# Which arguments say a point of each kind. The first of a list or of periods is said by leaving it out, too.
TAKEN = {
    "TrendsQuery": ("day", "series", "breakdown", "compare"),
    "FunnelsQuery": ("step", "day", "breakdown"),
    "RetentionQuery": ("interval", "breakdown"),
    "StickinessQuery": ("day", "series", "compare"),
    "LifecycleQuery": ("day", "status"),
    "PathsQuery": ("path",),
}
SAYING = ("day", "series", "breakdown", "compare", "status", "step", "interval", "path")
MEANT_ANYWAY = frozenset({("series", 0), ("interval", 0), ("compare", "current")})


def point(wanted: ListActors, source: dict[str, Any]) -> dict[str, Any]:
    """The query for who is behind a point. Raises InvalidInput where the point is not said, or cannot be."""
    kind = str(source.get("kind"))
    if kind not in POINTS:
        raise InvalidInput(f"Nobody can be listed behind a {clean(kind, 60)}.", f"Works for {', '.join(POINTS)}.")
    _check_taken(wanted, kind)
    _check_split(wanted, source)
    _check_series(wanted, source)
    return POINTS[kind](wanted, source)


def _check_taken(wanted: ListActors, kind: str) -> None:
    strange = [
        name
        for name in SAYING
        if name not in TAKEN[kind]
        and (value := getattr(wanted, name)) is not None
        and not (isinstance(value, (int, str)) and (name, value) in MEANT_ANYWAY)
    ]
    if strange:
        raise InvalidInput(
            f"A {kind} has no point that {', '.join(strange)} would say.",
            f"Say it by {', '.join(TAKEN[kind])}; leave {', '.join(strange)} out.",
        )


def _check_split(wanted: ListActors, source: dict[str, Any]) -> None:
    """A value and a period before are said only of what is split and compared."""
    split, compared = source.get("breakdownFilter") or {}, source.get("compareFilter") or {}
    if wanted.breakdown and not (split.get("breakdown") or split.get("breakdowns")):
        raise InvalidInput("The insight has no breakdown.", "Leave breakdown out, or add a breakdown to the query.")
    if wanted.compare == "previous" and not compared.get("compare"):
        raise InvalidInput(
            "The insight is compared with no other period.",
            'Leave compare out, or add compareFilter {"compare": true}.',
        )


def _check_series(wanted: ListActors, source: dict[str, Any]) -> None:
    count = len(source.get("series") or ())
    if wanted.series and count and wanted.series >= count:
        has = "one series" if count == 1 else f"{count} series"
        raise InvalidInput(f"There is no series {wanted.series}: the insight has {has}.", f"Give 0 to {count - 1}.")


# -- each kind ---------------------------------------------------------------------------------------------------------


def _value(wanted: ListActors, source: dict[str, Any]) -> Any:
    """The breakdown's value as results hold it, given as answers show it."""
    values = [MARKED.get(value, value) for value in wanted.breakdown or ()]
    split = source.get("breakdownFilter") or {}
    if split.get("breakdowns") or len(values) != 1:
        return values or None
    return int(values[0]) if split.get("breakdown_type") == "cohort" and values[0].isdigit() else values[0]


def _insight(source: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"kind": "InsightActorsQuery", "source": source, **given(**more)}


def _trend(wanted: ListActors, source: dict[str, Any]) -> dict[str, Any]:
    undated = (source.get("trendsFilter") or {}).get("display") in IN_ALL
    if undated and wanted.day is not None:
        raise InvalidInput("This insight's numbers are of its whole range.", "Leave day out.")
    if not undated and wanted.day is None:
        raise InvalidInput("Which number of the trend is not said.", "Give day: the date of its bucket.")
    seen = {"day": wanted.day, "breakdown": _value(wanted, source), "compare": wanted.compare}
    return _insight(source, series=wanted.series or 0, **seen)


def _lifecycle(wanted: ListActors, source: dict[str, Any]) -> dict[str, Any]:
    return _insight(source, day=wanted.day, status=wanted.status)


def _retention(wanted: ListActors, source: dict[str, Any]) -> dict[str, Any]:
    # A date range that says where it starts has as many cohorts as periods.
    dated = (source.get("dateRange") or {}).get("date_from")
    rows = None if dated else (source.get("retentionFilter") or {}).get("totalIntervals")
    if wanted.interval and isinstance(rows, int) and wanted.interval >= rows:
        raise InvalidInput(f"There is no cohort {wanted.interval}: the insight has {rows}.", f"Give 0 to {rows - 1}.")
    # However it was asked for, PostHog takes a list here, and "" is what has no value.
    values = ["" if value == "(none)" else value for value in wanted.breakdown or ()]
    return _insight(source, interval=wanted.interval or 0, breakdown=values or None)


def _stickiness(wanted: ListActors, source: dict[str, Any]) -> dict[str, Any]:
    if wanted.day is not None and not (wanted.day.isdecimal() and int(wanted.day)):
        raise InvalidInput(f"{quoted(wanted.day)} is no number of intervals.", "Give day as 1, 2, 3 …")
    seen = given(day=wanted.day, compare=wanted.compare)
    return {"kind": "StickinessActorsQuery", "source": source, "series": wanted.series or 0, **seen}


def _funnel(wanted: ListActors, source: dict[str, Any]) -> dict[str, Any]:
    query = {"kind": "FunnelsActorsQuery", "source": source, **given(funnelStepBreakdown=_value(wanted, source))}
    if (source.get("funnelsFilter") or {}).get("funnelVizType") == "trends":
        return query | _entered(wanted)
    if wanted.day is not None:
        raise InvalidInput("This funnel counts its whole range.", "Leave day out, or use funnelVizType 'trends'.")
    if wanted.step is None:
        raise InvalidInput("Which step of the funnel is not said.", "Give step: 2 reached step 2, -2 left before it.")
    count = len(source.get("series") or ())
    if wanted.step in (0, -1) or (count and abs(wanted.step) > count):
        raise InvalidInput(
            f"No step {wanted.step}: the funnel has {count}.",
            f"Give 1 to {count}; or, for who left before a step, -2 to -{count}.",
        )
    return query | {"funnelStep": wanted.step}


def _entered(wanted: ListActors) -> dict[str, Any]:
    if wanted.day is None:
        raise InvalidInput(
            "Which day of the funnel is not said.", "Give day: when they entered; and step -2 for who did not go on."
        )
    start = wanted.day if len(wanted.day) > len("2026-01-31") else f"{wanted.day} 00:00:00"
    left = wanted.step is not None and wanted.step < 0
    return {"funnelTrendsEntrancePeriodStart": start, "funnelTrendsDropOff": left}


def _path(wanted: ListActors, source: dict[str, Any]) -> dict[str, Any]:
    path = wanted.path or []
    places = [int(match[1]) if (match := STEP.match(key)) else None for key in path]
    if None in places or (len(places) == 2 and places[1] != (places[0] or 0) + 1):
        raise InvalidInput(
            "That is no edge of a path.",
            'Write each step with its number, as answers show it: ["1_/a","2_/b"], or ["2_/b"].',
        )
    keys = ("pathDropoffKey",) if len(path) == 1 else ("pathStartKey", "pathEndKey")
    ends = dict(zip(keys, path, strict=False))
    return _insight(source | {"pathsFilter": (source.get("pathsFilter") or {}) | ends})


POINTS: dict[str, Point] = {
    "TrendsQuery": _trend,
    "FunnelsQuery": _funnel,
    "RetentionQuery": _retention,
    "StickinessQuery": _stickiness,
    "LifecycleQuery": _lifecycle,
    "PathsQuery": _path,
}
