"""Lifecycle: who is new, back, still there or gone, and whether more come than go."""

from __future__ import annotations

from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import known, rough, told
from insights_mcp.answer.series import Series, series_of

STATUSES = ("new", "returning", "resurrecting", "dormant")


def digest(result: list[dict[str, Any]], asked: Asked) -> list[str]:
    """The last complete bucket, and the quick ratio of it and of all complete ones."""
    by_status = {series.status: series for series in (series_of(item, asked) for item in result)}
    return [line for line in (_last(by_status), _ratios(by_status)) if line]


def _last(by_status: dict[str, Series]) -> str:
    found = next((s for s in by_status.values() if s.last is not None), None)
    if found is None or found.last is None:
        return "no complete bucket"
    at = found.last
    parts = [f"{name} {told(_at(by_status[name], at))}" for name in STATUSES if name in by_status]
    return f"last complete {found.buckets[at]}: {', '.join(parts)}"


def _at(series: Series, place: int) -> float | None:
    return series.values[place] if place < len(series.complete) else None


def _ratios(by_status: dict[str, Series]) -> str:
    """(new + resurrecting) / dormant: above 1, more come than go."""
    if not {"new", "resurrecting", "dormant"} <= set(by_status):
        return ""
    whole = quick_ratio(*(sum(known(by_status[s].complete)) for s in ("new", "resurrecting", "dormant")))
    last = by_status["new"].last
    parts = [None if last is None else _at(by_status[s], last) for s in ("new", "resurrecting", "dormant")]
    of_last = quick_ratio(*known(parts)) if len(known(parts)) == 3 else None
    told_last = f"{rough(of_last)} in the last complete bucket, " if of_last is not None else ""
    count = len(by_status["new"].complete)
    return f"quick ratio {told_last}{rough(whole)} over all {count}" if whole is not None else "nobody went dormant"


def quick_ratio(new: float, resurrecting: float, dormant: float) -> float | None:
    """Who came for each one who went; None when nobody went."""
    return (new + resurrecting) / abs(dormant) if dormant else None
