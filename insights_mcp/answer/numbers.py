"""Numbers as they are told: what matters of them, and what was compared with what."""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

LONGEST_INTEGER = 63  # bits; longer ones are shown as text, and nothing is computed with them
BARS = "▁▂▃▄▅▆▇█"
SPARK = 24
UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


def number(value: Any) -> float | None:
    """What can be computed with, else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int):
        return value if value.bit_length() <= LONGEST_INTEGER else None
    return value if math.isfinite(value) and abs(value) < 1e300 else None


def numbers(values: Any) -> list[float | None]:
    """A list with None for everything that is no number; empty for what is no list."""
    if not isinstance(values, list):
        return []
    return values if _sound(values) else [number(value) for value in values]


def _sound(values: list[Any]) -> bool:
    """Whether all of them are numbers to compute with, found without a look at each."""
    if not values or not set(map(type, values)) <= {int, float}:
        return False
    limit = 2.0**LONGEST_INTEGER
    return -limit < min(values) and max(values) < limit and math.isfinite(sum(values))


def known(values: Iterable[float | None]) -> list[float]:
    """The numbers among them: the list itself, when there is nothing else in it."""
    if isinstance(values, list) and None not in values:
        return values
    return [value for value in values if value is not None]


def mean(values: Iterable[float | None]) -> float | None:
    """Of the numbers among them; of none there is none."""
    found = known(values)
    return sum(found) / len(found) if found else None


def plain(value: float) -> float | int | None:
    """What matters of a number: six digits, and all before the point."""
    if not math.isfinite(value):
        return None
    if float(value).is_integer() and abs(value) < 1e15:
        return int(value)
    return round(value, 2) if abs(value) >= 10_000 else float(f"{value:.6g}")


def told(value: float | None) -> str:
    """A number in a sentence, with the digits a table shows."""
    return "unknown" if value is None else str(plain(value))


def rough(value: float | None) -> str:
    """A computed number, such as an average, in a sentence: three digits behind the point at most."""
    if value is None:
        return "unknown"
    return told(float(f"{value:.3g}") if abs(value) < 1 else round(value, 2))


def percent(part: float, whole: float, signed: bool = False) -> str:
    """A share in per cent; nothing has no share."""
    if not whole:
        return "no %"
    share = 100 * part / whole
    digits = 2 if abs(share) < 1 else 1
    return f"{share:{'+' if signed else ''}.{digits}f}".rstrip("0").rstrip(".") + "%" if share else "0%"


def change(before: float | None, after: float | None) -> str:
    """What became of it, in per cent where it was more than nothing."""
    if before is None or after is None:
        return "unknown"
    if not before:
        return "unchanged at 0" if not after else f"from 0 to {told(after)}"
    return percent(after - before, abs(before), signed=True)


def points(before: float | None, after: float | None) -> str:
    """By how much a share changed: shares are not told in per cent of themselves."""
    if before is None or after is None:
        return "unknown"
    return f"{rough(after - before) if after < before else '+' + rough(after - before)} points"


def duration(seconds: float) -> str:
    """The two largest units: `1d 3h`, `2m 30s`, `450ms`."""
    if abs(seconds) < 1:
        return f"{round(seconds * 1000)}ms"
    rest, parts = round(abs(seconds)), list[str]()
    for size, unit in UNITS:
        count, rest = divmod(rest, size)
        parts += [f"{count}{unit}"] if count else []
    return ("-" if seconds < 0 else "") + " ".join(parts[:2])


def sparkline(values: list[float | None], width: int = SPARK) -> str:
    """The course in at most `width` bars from the least to the greatest; a gap is a dot."""
    cuts = _cuts(len(values), min(width, len(values)))
    whole = known(values)
    thinned: list[float | None]
    if len(whole) == len(values):
        thinned = [sum(whole[start:end]) / (end - start) for start, end in cuts]
    else:
        thinned = [mean(values[start:end]) for start, end in cuts]
    found = known(thinned)
    if not found:
        return ""
    low, high = min(found), max(found)
    spread = high - low or 1.0
    last = len(BARS) - 1
    return "".join(["·" if v is None else BARS[round((v - low) / spread * last)] for v in thinned])


@lru_cache
def _cuts(size: int, count: int) -> list[tuple[int, int]]:
    """Where the values of each bar begin and end."""
    return [(place * size // count, (place + 1) * size // count) for place in range(count)]
