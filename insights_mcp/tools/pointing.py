"""Points of insights in words: whom a list of actors holds, and whether the insight counts them at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from insights_mcp.answer.asked import Asked, after, local, moment
from insights_mcp.schema.query import IN_ALL
from insights_mcp.text import clean, quoted

if TYPE_CHECKING:
    from insights_mcp.tools.actors import ListActors

Words = Callable[["ListActors", dict[str, Any]], str]


def in_words(wanted: ListActors, source: dict[str, Any]) -> str:
    """Which of the insight's numbers they are behind, to stand after their count."""
    told = WORDS[str(source["kind"])](wanted, source)
    value = f", {' and '.join(quoted(each, 60) for each in wanted.breakdown)}" if wanted.breakdown else ""
    series = f", series {wanted.series}" if wanted.series else ""
    before = ", in the period before" if wanted.compare == "previous" else ""
    return f" {told}{value}{series}{before}" if told else f"{value}{series}{before}"


def outside(wanted: ListActors, about: Asked) -> tuple[str, ...]:
    """A note where the day is not in the insight's range: PostHog answers all the same."""
    start = moment(wanted.day)
    first, last = local(about.date_from, about.zone), local(about.date_to, about.zone)
    if start is None or not (_ends_before(start, first, about) or (last and start > last)):
        return ()
    span = f"{first:%Y-%m-%d} to {last:%Y-%m-%d}" if first and last else "its dates"
    return (f"{clean(wanted.day, 40)} is not in the insight's range ({span}): it counts none of these.",)


def _ends_before(start: datetime, first: datetime | None, about: Asked) -> bool:
    return first is not None and after(start, _interval(about.source)) <= first


def _interval(source: dict[str, Any]) -> str:
    given = source.get("interval")
    return given if given in ("minute", "hour", "day", "week", "month", "quarter", "year") else "day"


def _bucket(wanted: ListActors, source: dict[str, Any]) -> str:
    if wanted.day is None:
        return ""
    interval, day = _interval(source), clean(wanted.day, 40)
    return f"on {day}" if interval == "day" else f"in the {interval} of {day}"


def _trend(wanted: ListActors, source: dict[str, Any]) -> str:
    undated = (source.get("trendsFilter") or {}).get("display") in IN_ALL
    return "in the whole range" if undated else _bucket(wanted, source)


def _funnel(wanted: ListActors, source: dict[str, Any]) -> str:
    step = wanted.step or 0
    if wanted.day is not None:
        return f"who entered {_bucket(wanted, source)} and {'did not go' if step < 0 else 'went'} all the way"
    return f"who left before step {-step}" if step < 0 else f"who reached step {step}"


def _retention(wanted: ListActors, source: dict[str, Any]) -> str:
    period = str((source.get("retentionFilter") or {}).get("period") or "Day").lower()
    return f"who began in the cohort of row {wanted.interval or 0} (from 0, each a {clean(period, 20)})"


def _stickiness(wanted: ListActors, source: dict[str, Any]) -> str:
    return f"on {clean(wanted.day, 10)} {_interval(source)}{'' if wanted.day == '1' else 's'}" if wanted.day else ""


def _lifecycle(wanted: ListActors, source: dict[str, Any]) -> str:
    who = f"{wanted.status} " if wanted.status else ""
    return who + (_bucket(wanted, source) or f"in any {_interval(source)}")


def _path(wanted: ListActors, _: dict[str, Any]) -> str:
    ends = [quoted(key, 80) for key in wanted.path or ()]
    return f"who stopped at {ends[0]}" if len(ends) == 1 else f"who went {' → '.join(ends)}" if ends else ""


WORDS: dict[str, Words] = {
    "TrendsQuery": _trend,
    "FunnelsQuery": _funnel,
    "RetentionQuery": _retention,
    "StickinessQuery": _stickiness,
    "LifecycleQuery": _lifecycle,
    "PathsQuery": _path,
}
