"""What numbers on an axis mean and how they are written: plain, per cent, durations, with the insight's own marks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import duration, number
from insights_mcp.text import clean

SHORTENED = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k"))
FULL = 100_000  # below, a value is written out
CLOCK = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400)
DAY = 86_400
TICKS = 6
DUST = 1e-200  # what no division by a step survives
FACTORS = {"duration_ms": 0.001, "percentage_scaled": 100.0}
PERCENT = frozenset({"percentage", "percentage_scaled"})
TIME = frozenset({"duration", "duration_ms"})
MARK = 12  # characters before or after a number


@dataclass(frozen=True)
class Unit:
    """How values are written. `form` is PostHog's aggregationAxisFormat."""

    form: str = "numeric"
    prefix: str = ""
    postfix: str = ""
    decimals: int | None = None

    @property
    def factor(self) -> float:
        """From a value to what is written: seconds, per cent."""
        return FACTORS.get(self.form, 1.0)

    def told(self, value: float) -> str:
        """A value beside a mark."""
        return self._marked(value, self._number(value * self.factor, FULL))

    def tick(self, value: float) -> str:
        """A value on an axis, as short as can be."""
        return self._marked(value, self._number(value * self.factor, 1 if self.form == "short" else 10_000))

    def _marked(self, value: float, text: str) -> str:
        written = (duration(value * self.factor) if value else "0s") if self.form in TIME else text
        written += "%" if self.form in PERCENT else ""
        sign = "-" if self.prefix and written.startswith("-") else ""
        return f"{sign}{self.prefix}{written.removeprefix('-') if sign else written}{self.postfix}"

    def _number(self, value: float, full: int) -> str:
        if self.form in PERCENT:
            return _rounded(value, 1 if self.decimals is None else self.decimals)
        for size, mark in SHORTENED:
            if abs(value) >= size and abs(value) >= full:
                return _rounded(value / size, 1 if abs(value) < 100 * size else 0) + mark
        if self.decimals is not None:
            return f"{value:,.{self.decimals}f}"
        return _rounded(value, 2 if abs(value) >= 1 or not value else 2 - math.floor(math.log10(abs(value))))


PEOPLE = Unit()
PER_CENT = Unit("percentage")
SECONDS = Unit("duration")


def unit_of(asked: Asked) -> Unit:
    """The unit a trend was given."""
    drawn = asked.part("trendsFilter")
    decimals = number(drawn.get("decimalPlaces"))
    return Unit(
        str(drawn.get("aggregationAxisFormat") or "numeric"),
        _mark(drawn.get("aggregationAxisPrefix")),
        _mark(drawn.get("aggregationAxisPostfix")),
        None if decimals is None else max(0, min(int(decimals), 6)),
    )


def _mark(given: Any) -> str:
    return clean(given, MARK * 2)[:MARK] if isinstance(given, str) else ""


def _rounded(value: float, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


@dataclass(frozen=True)
class Scale:
    """The values an axis goes through, and where it is labelled."""

    ticks: list[float]
    labels: list[str]
    logarithmic: bool = False

    @property
    def domain(self) -> list[float]:
        """From the first tick to the last."""
        return [self.ticks[0], self.ticks[-1]]

    def described(self) -> dict[str, Any]:
        """As a specification says it."""
        return {"domain": self.domain, "nice": False} | ({"type": "symlog"} if self.logarithmic else {})

    def share(self, value: float) -> float:
        """Where a value stands: 0 at the begin of the axis, 1 at its end."""
        low, high, at = (self._bent(v) for v in (*self.domain, value))
        return (at - low) / (high - low)

    def _bent(self, value: float) -> float:
        return math.copysign(math.log1p(abs(value)), value) if self.logarithmic else value


def scale_of(values: Iterable[float], unit: Unit = PEOPLE, *, logarithmic: bool = False) -> Scale:
    """An axis from zero on through all values, with round ticks."""
    found = list(values)
    low, high = min([0.0, *found]), max([0.0, *found])
    if high - low < DUST:
        high = low + 1.0 / unit.factor
    ticks = _powers(low, high) if logarithmic else _round_ticks(low, high, unit, all(v == int(v) for v in found))
    return Scale(ticks, [unit.tick(tick) for tick in ticks], logarithmic)


def _round_ticks(low: float, high: float, unit: Unit, whole: bool) -> list[float]:
    step = _step((high - low) / TICKS * unit.factor, unit) / unit.factor
    step = max(step, 1.0) if whole and unit.form in ("numeric", "short") else step
    first, last = math.floor(low / step), math.ceil(high / step - 1e-9)
    return [_clean(place * step) for place in range(first, last + 1)]


def _step(least: float, unit: Unit) -> float:
    """The next round number: 1, 2 or 5 of some power; of time what clocks show."""
    if unit.form in TIME and 0.5 < least <= CLOCK[-1]:
        return next(step for step in CLOCK if step >= least)
    if unit.form in TIME and least > CLOCK[-1]:
        return _step(least / DAY, PEOPLE) * DAY
    power = 10.0 ** math.floor(math.log10(least))
    return next(round_ * power for round_ in (1, 2, 5, 10) if round_ * power >= least * 0.999)


def _clean(value: float) -> float:
    """Without the dust of binary fractions; a whole number as one."""
    rounded = float(f"{value:.12g}")
    return int(rounded) if rounded.is_integer() else rounded


def _powers(low: float, high: float) -> list[float]:
    top = math.ceil(math.log10(max(high, 10.0)))
    bottom = math.ceil(math.log10(max(-low, 10.0))) if low < 0 else 0
    return [
        *(-(10**power) for power in range(bottom, -1, -1) if bottom),
        0,
        *(10**power for power in range(top + 1)),
    ]
