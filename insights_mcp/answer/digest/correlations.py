"""What goes along with converting in a funnel: the odds of those who did it against the odds of the others."""

from __future__ import annotations

import math
from typing import Any

from insights_mcp.answer.answer import Table
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.course import NAME
from insights_mcp.answer.numbers import number, rough, told
from insights_mcp.text import quoted

# How PostHog writes what it is: the names of its parts, with `::` between them.
PARTS = {"event_with_properties": ("event", "property", "value"), "properties": ("property", "value")}
COUNTS = ("converted", "did not convert", "odds ratio")
WAYS = {"success": "converting", "failure": "not converting"}
MOST = 3
SKEWED = "one outcome is more than ten times as frequent as the other, so odds are unsure"
Correlation = dict[str, Any]


def table(found: list[Correlation], asked: Asked) -> Table:
    """A row for each; those whose odds are farthest from even say most."""
    parts = parts_of(asked)
    rows = [[*split(each, parts), *_counts(each), number(each.get("odds_ratio"))] for each in found]
    ranked = sorted(range(len(rows)), key=lambda place: -_strength(found[place]))
    return Table([*parts, *COUNTS], rows, ranked=ranked)


def digest(result: dict[str, Any], asked: Asked) -> list[str]:
    """The strongest of either way."""
    lines = [_strongest(result["events"], way, parts_of(asked)) for way in WAYS]
    lines += [SKEWED] if result.get("skewed") is True else []
    return [line for line in lines if line] or ["nothing goes along with converting, or with not converting"]


def parts_of(asked: Asked) -> tuple[str, ...]:
    """The parts of what is compared, by the kind of question."""
    return PARTS.get(str(asked.source.get("funnelCorrelationType")), ("event",))


def _strongest(found: list[Correlation], way: str, parts: tuple[str, ...]) -> str:
    own = sorted((each for each in found if each.get("correlation_type") == way), key=_strength, reverse=True)
    told_of = "; ".join(_told(each, parts) for each in own[:MOST])
    return f"goes along with {WAYS[way]}: {told_of}" if own else ""


def _told(each: Correlation, parts: tuple[str, ...]) -> str:
    named = dict(zip(parts, split(each, parts), strict=True))
    event = [quoted(named["event"], NAME)] if "event" in named else []
    held = [f"{quoted(named['property'], NAME)} is {quoted(named['value'], NAME)}"] if "property" in named else []
    converted, not_converted = map(told, _counts(each))
    odds = rough(number(each.get("odds_ratio")))
    return f"{', '.join(event + held)} (odds ×{odds}: {converted} converted, {not_converted} did not)"


def _counts(each: Correlation) -> list[float | None]:
    return [number(each.get("success_count")), number(each.get("failure_count"))]


def split(each: Correlation, parts: tuple[str, ...]) -> list[str]:
    """What it is, by its parts; '' for those that are not there."""
    event = each.get("event")
    named = str(event.get("event") if isinstance(event, dict) else event).split("::", len(parts) - 1)
    return [*named, *[""] * (len(parts) - len(named))]


def _strength(each: Correlation) -> float:
    odds = number(each.get("odds_ratio"))
    return abs(math.log(odds)) if odds and odds > 0 else math.inf
