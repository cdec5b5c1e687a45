"""Box plots: how a property's values spread in each bucket: the middle one, the half around it, and the ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insights_mcp.answer.answer import Table
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.course import NAME, course, place_name
from insights_mcp.answer.numbers import number, rough
from insights_mcp.answer.series import Series
from insights_mcp.text import quoted

SPREAD = ("min", "p25", "median", "p75", "max", "mean")
MOST_SERIES = 3
FEW_ROWS = 40
Box = dict[str, Any]


def digest(boxes: list[Box], asked: Asked) -> list[str]:
    """The course of the median, and the last complete bucket's spread, of each of the first series."""
    found = list(_by_series(boxes).items())[:MOST_SERIES]
    return [line for label, own in found for line in _told(_medians(label, own, asked), own) if line]


def table(boxes: list[Box], asked: Asked) -> Table:
    """A row for each box: the last ones, and those where the median is least and greatest, say most."""
    several = len(_by_series(boxes)) > 1
    ordered = [(medians, own, place) for label, own in _by_series(boxes).items()
               for medians in [_medians(label, own, asked)] for place in range(len(own))]  # fmt: skip
    rows = [[*([medians.label] if several else []), place_name(medians, place),
             *(own[place].get(n) if medians.values[place] is not None else None for n in SPREAD)]
            for medians, own, place in ordered]  # fmt: skip
    ends = [at for at, (medians, _, place) in enumerate(ordered) if place in (medians.low, medians.high, medians.last)]
    ranked = list(dict.fromkeys([*ends, *range(len(rows) - 1, -1, -1)]))
    columns = [*(["series"] if several else []), "bucket", *SPREAD]
    return Table(columns, rows, ranked=ranked if len(rows) > FEW_ROWS else None)


def _by_series(boxes: Sequence[Box]) -> dict[str, list[Box]]:
    """Boxes of each series; two of the same name are told apart by their number."""
    labels = {box.get("series_index"): str(box.get("series_label") or "") for box in boxes}
    unique = len(set(labels.values())) == len(labels)
    found: dict[str, list[Box]] = {}
    for box in boxes:
        place = box.get("series_index")
        found.setdefault(labels[place] if unique else f"{labels[place]} {place}", []).append(box)
    return found


def _medians(label: str, own: Sequence[Box], asked: Asked) -> Series:
    """Of buckets with values: where there are none, PostHog sends zeros, which are no median."""
    days = [str(box.get("day") or box.get("label") or "") for box in own]
    held = any(map(has_values, own))
    medians = [number(box.get("median")) if has_values(box) or not held else None for box in own]
    return Series(label, medians, days, asked.unfinished(days))


def has_values(box: Box) -> bool:
    """Whether anything is in it."""
    return any(number(box.get(name)) for name in SPREAD)


def _told(medians: Series, own: Sequence[Box]) -> list[str]:
    line = course(medians).removeprefix(quoted(medians.label, NAME)).removeprefix(": ")
    if medians.last is None:
        return [f"{quoted(medians.label, NAME)}: {line}"]
    spread = [rough(number(own[medians.last].get(name))) for name in SPREAD]
    least, lower, _, upper, most, average = spread
    last = f"in {medians.buckets[medians.last]} half are from {lower} to {upper}, all from {least} to {most}"
    return [f"{quoted(medians.label, NAME)}, median: {line}", f"{last}; mean {average}"]
