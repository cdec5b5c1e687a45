"""Alerts in a sentence each: what would fire it, where the value stands now, and how far that is from the bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import percent, rough, told
from insights_mcp.schema.alert import Alert, Threshold
from insights_mcp.text import clean, counted, quoted
from insights_mcp.watching import DECREASE, INCREASE, Reading, Rule, by_value, closest, readings, rule_of
from insights_mcp.words.terms import counting

ADJECTIVES = {"minute": "minutely", "hour": "hourly", "day": "daily", "week": "weekly", "month": "monthly"}
FIRING = "Firing"
OFF = "disabled"
FORMULAS = ("formula", "formulas", "formulaNodes")


@dataclass(frozen=True)
class Result:
    """The insight's result, with what is known of it. `result` None: it could not be had."""

    asked: Asked
    result: Any = None
    columns: Any = None


@dataclass(frozen=True)
class Watch:
    """An alert with its threshold, and what it sees in the insight's result."""

    alert: Alert
    threshold: Threshold
    rule: Rule
    seen: tuple[Reading, ...]
    asked: Asked

    @property
    def nearest(self) -> Reading | None:
        """What is furthest outside the bounds, or nearest to one."""
        return closest(self.seen, self.rule)

    @property
    def value(self) -> float | None:
        """What is held against the bounds now."""
        return self.nearest.value if self.nearest else None

    @property
    def outside(self) -> bool:
        """Whether a check of this value would fire; what a detector judges is not told by bounds."""
        return not self.alert.detector_config and self.value is not None and self.rule.margin(self.value) < 0

    @property
    def state(self) -> str:
        """Its state in a word, and what keeps it from being checked."""
        if self.alert.enabled is False:
            return OFF
        if self.alert.snoozed_until:
            return f"snoozed until {clock(self.alert.snoozed_until)}"
        return clean(self.alert.state or "unknown", 40)

    @property
    def urgency(self) -> tuple[bool, bool, bool, float]:
        """Sorts what fires first, then what is nearest to its bound."""
        asleep = self.state == OFF or bool(self.alert.snoozed_until)
        judged = self.value is None or self.alert.detector_config
        off = math.inf if judged else self.rule.margin(self.value or 0.0) / (abs(_bound(self) or 0) or 1)
        return asleep, self.alert.state != FIRING, not self.outside, off if math.isfinite(off) else 1e300


def watches(thresholds: Sequence[Threshold], result: Result) -> list[Watch]:
    """Every alert on these thresholds, the most urgent first."""
    found = [_watch(alert, threshold, result) for threshold in thresholds for alert in threshold.alerts]
    return sorted(found, key=lambda watch: watch.urgency)


def _watch(alert: Alert, threshold: Threshold, result: Result) -> Watch:
    rule = rule_of(threshold.configuration and threshold.configuration.model_dump(), alert.condition, alert.config)
    seen = readings(result.result, result.columns, result.asked, alert.config, rule)
    return Watch(alert, threshold, rule, tuple(seen), result.asked)


def clock(text: str | None) -> str:
    """A moment of the API to the minute."""
    return clean((text or "")[:16].replace("T", " "), 20)


# sentences


def sentence(watch: Watch) -> str:
    """`"Sign-ups dry up" (Not firing, daily): fires when daily "signed up" falls below 1; 2026-11-22: 25, 24 above.`"""
    checked = watch.alert.calculation_interval
    how = f"{watch.state}{f', checked {clean(checked, 20)}' if checked and watch.state != OFF else ''}"
    name = quoted(watch.alert.name or "unnamed alert", 60)
    if watch.alert.detector_config:
        seen = watch.nearest
        now = f"; {clean(seen.bucket, 40) or 'now'}: {rough(seen.now)}" if seen and seen.now is not None else ""
        by = _detector(watch.alert.detector_config)
        return (
            f"{name} ({how}): fires when a detector{by} finds {subject(watch)} unusual, not by its bounds alone{now}."
        )
    parts = [f"{name} ({how}): {_fires(watch)}", _now(watch), _next(watch)]
    return "; ".join(part for part in parts if part) + "."


def _detector(config: Any) -> str:
    """Which detector, with its settings: ` (zscore: probability above 0.9, window 30)`; several are joined."""
    told_ = _detecting(config)
    return f" ({told_})" if told_ else ""


def _detecting(config: Any, depth: int = 0) -> str:
    if not isinstance(config, dict) or depth > 2:
        return ""
    if isinstance(several := config.get("detectors"), list):
        word = " or " if str(config.get("operator")).lower() == "or" else " and "
        return word.join(part for each in several[:4] if (part := _detecting(each, depth + 1)))
    settings = ", ".join(
        f"{_setting(key, value)} {clean(value, 20)}"
        for key, value in list(config.items())[:6]
        if key != "type" and isinstance(value, str | int | float) and not isinstance(value, bool)
    )
    kind = clean(config.get("type") or "", 30).replace("_", " ")
    return f"{kind}: {settings}" if kind and settings else kind or settings


def _setting(key: Any, value: Any) -> str:
    """What a setting is called. PostHog's threshold is no bound of a value: how probable an anomaly must be, 0 to 1."""
    return "probability above" if key == "threshold" and 0 <= value <= 1 else clean(key, 20).replace("_", " ")


def _fires(watch: Watch) -> str:
    verbs = VERBS.get(watch.rule.condition, VERBS[""])
    bounds = zip(verbs, (watch.rule.lower, watch.rule.upper), strict=True)
    told_ = [f"{verb} {_amount(bound, watch.rule)}" for verb, bound in bounds if bound is not None]
    if not told_:
        return "never fires, for it has no bound"
    against = f" against the {_interval(watch)} before" if watch.rule.relative else ""
    return f"fires when {subject(watch)} {' or '.join(told_)}{against}"


VERBS = {
    "": ("falls below", "rises above"),
    INCREASE: ("grows by less than", "grows by more than"),
    DECREASE: ("drops by less than", "drops by more than"),
}


def subject(watch: Watch) -> str:
    """The series it watches, in words."""
    source, seen = watch.asked.source, watch.nearest
    kind = source.get("kind")
    if kind == "FunnelsQuery":
        return f"the share converted to {quoted(seen.label, 60)}" if seen else "the funnel's conversion"
    if kind == "HogQLQuery":
        return f"column {quoted(seen.label, 60)}" if seen else "the value"
    entity = _entity(watch)
    name = seen.label if seen and seen.label and not by_value(source) else _series_name(entity)
    over = ADJECTIVES.get(str(source.get("interval") or "day"), "") if seen is None or seen.bucket else ""
    how = counting(entity)
    named = " ".join(part for part in (over, "" if how == "count" else f"{how} of", quoted(name, 60)) if part)
    return f"any of {counted(len(watch.seen), 'value')} of {named}" if by_value(source) and seen else named


def _entity(watch: Watch) -> dict[str, Any]:
    """The series as the query has it; none where a formula makes one of several."""
    series, index = watch.asked.source.get("series"), (watch.alert.config or {}).get("series_index") or 0
    if any(watch.asked.part("trendsFilter").get(name) for name in FORMULAS):
        return {}
    found = series[index : index + 1] if isinstance(series, list) and isinstance(index, int) else []
    return found[0] if found and isinstance(found[0], dict) else {}


def _series_name(entity: dict[str, Any]) -> str:
    return str(entity.get("custom_name") or entity.get("name") or entity.get("event") or "the series")


def _now(watch: Watch) -> str:
    seen = watch.nearest
    if seen is None or seen.value is None:
        last = watch.alert.last_value
        return f"at its last check {rough(last)}" if last is not None else "its value now is not known"
    at = clean(seen.bucket, 40) or "now"
    which = f" ({quoted(seen.label, 50)})" if by_value(watch.asked.source) and len(watch.seen) > 1 else ""
    value = f"{rough(seen.now)} after {rough(seen.before)}" if watch.rule.relative else _unit(rough(seen.now), watch)
    return f"{at}{which}: {value}, {distance(watch)}"


def distance(watch: Watch) -> str:
    """How far the value is from the bound that is nearest, absolute and in per cent."""
    if watch.alert.detector_config:
        return "a detector judges"
    value, bound = watch.value, _bound(watch)
    if value is None or bound is None:
        return "no bound"
    if not math.isfinite(value):
        return "a change from 0, beyond every bound" if watch.outside else "a change from 0"
    side = "above" if value > bound else "below" if value < bound else "at"
    one = watch.rule.lower is None or watch.rule.upper is None
    which = "the bound" if one else f"the {'lower' if bound == watch.rule.lower else 'upper'} bound"
    if side == "at":
        return f"at {which}"
    if watch.rule.relative:
        return f"{_signed(value, watch.rule)}, {_amount(abs(value - bound), watch.rule, points=True)} {side} {which}"
    share = f" ({percent(abs(value - bound), abs(bound))})" if bound else ""
    return f"{_unit(rough(abs(value - bound)), watch)}{share} {side} {which}"


def _next(watch: Watch) -> str:
    """What the next check would say, where that is another state than now; or the value that would fire it."""
    if watch.value is None or watch.state == OFF or watch.alert.snoozed_until:
        return ""
    at = f" ({clock(watch.alert.next_check_at)})" if watch.alert.next_check_at else ""
    firing = watch.alert.state == FIRING
    if watch.outside:
        return "still outside" if firing else f"outside: the next check{at} fires"
    return f"inside again: the next check{at} ends it" if firing else _next_value(watch)


def _next_value(watch: Watch) -> str:
    """For a relative alert, the value of the interval after this one that would fire it."""
    rule, seen = watch.rule, watch.nearest
    if not rule.relative or seen is None or seen.now is None or (rule.shares and seen.now <= 0):
        return ""
    sign = 1 if rule.condition == INCREASE else -1
    bounds = ((rule.lower, sign < 0), (rule.upper, sign > 0))
    values = [
        (seen.now * (1 + sign * bound) if rule.shares else seen.now + sign * bound, above)
        for bound, above in bounds
        if bound is not None
    ]
    told_ = " or ".join(f"{'above' if above else 'below'} {rough(value)}" for value, above in values)
    return f"the next {_interval(watch)} fires {told_}" if told_ else ""


def _bound(watch: Watch) -> float | None:
    """The bound that the value is nearest to, or beyond."""
    rule, value = watch.rule, watch.value
    if rule.lower is None or rule.upper is None or value is None:
        return rule.lower if rule.upper is None else rule.upper
    return rule.lower if value - rule.lower <= rule.upper - value else rule.upper


def _interval(watch: Watch) -> str:
    if watch.asked.source.get("kind") == "HogQLQuery":
        return "row"
    interval = watch.asked.source.get("interval") or "day"
    return interval if interval in ADJECTIVES else "interval"


def _amount(bound: float, rule: Rule, *, points: bool = False) -> str:
    if rule.shares and rule.relative:
        return f"{rough(100 * bound)}{' points' if points else '%'}"
    return told(bound) if not points else rough(bound)


def _signed(value: float, rule: Rule) -> str:
    word = "grew" if (value >= 0) == (rule.condition == INCREASE) else "dropped"
    return f"{word} by {_amount(abs(value), rule)}"


def _unit(text: str, watch: Watch) -> str:
    return f"{text}%" if watch.asked.source.get("kind") == "FunnelsQuery" else text


def bounds_told(rule: Rule) -> list[str | float | None]:
    """Both bounds for a table: shares in per cent."""
    shares = rule.shares and rule.relative
    return [_amount(b, rule) if shares and b is not None else b for b in (rule.lower, rule.upper)]
