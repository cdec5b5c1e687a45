"""Many made few: the largest series and the sum of the others; of thousands of points those that show the course."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from insights_mcp.answer.numbers import known
from insights_mcp.answer.series import MARKS, Series
from insights_mcp.charts.look import LABEL, OTHERS, PALETTE, distinct

MOST = len(PALETTE)
POINTS = 300  # of one line; fewer than the pixels it has
REST = MARKS["$$_posthog_breakdown_other_$$"]


@dataclass(frozen=True)
class Line:
    """A series as it is drawn; `previous` are the values of the period it is compared with; `summed`: of so many."""

    name: str
    series: Series
    colour: str
    previous: tuple[float | None, ...] = ()
    summed: int = 0

    @property
    def values(self) -> list[float | None]:
        """Bucket by bucket."""
        return self.series.values


@dataclass(frozen=True)
class Folded:
    """The lines, largest first, and how many series are in none of them."""

    lines: list[Line]
    left_out: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of it."""
        return (f"{self.left_out} smaller series not drawn",) if self.left_out else ()

    @property
    def names(self) -> list[str]:
        """Of the lines."""
        return [line.name for line in self.lines]

    @property
    def colours(self) -> list[str]:
        """Of the lines."""
        return [line.colour for line in self.lines]


def folded(found: Sequence[Series], limit: int = LABEL) -> Folded:
    """The largest series by name and colour. The others are summed where a sum means something."""
    before = {bare(series): series for series in found if series.period == "previous"}
    current = [series for series in found if series.period != "previous"] or list(found)
    ranked = sorted(current, key=lambda series: (is_rest(bare(series)), -series.average))
    kept = ranked if len(ranked) <= MOST else ranked[: MOST - 1]
    rest = ranked[len(kept) :]
    names = distinct(map(bare, kept), limit)
    lines = [
        Line(name, series, OTHERS if is_rest(bare(series)) else colour, _values(before.get(bare(series))))
        for name, series, colour in zip(names, kept, PALETTE, strict=False)
    ]
    if not rest or not all(series.summable for series in rest):
        return Folded(lines, len(rest))
    return Folded([*lines, _sum(rest, [before[bare(s)] for s in rest if bare(s) in before])])


def bare(series: Series) -> str:
    """The name without the period."""
    return series.label.removesuffix(f" ({series.period})") if series.period else series.label


def is_rest(name: str) -> bool:
    """Whether PostHog has put several values together under it."""
    return name.endswith(REST)


def _values(series: Series | None) -> tuple[float | None, ...]:
    return tuple(series.values) if series else ()


def _sum(rest: list[Series], before: list[Series]) -> Line:
    name = "all others" if any(is_rest(bare(series)) for series in rest) else f"{len(rest)} others"
    summed = replace(rest[0], label=name, values=together([series.values for series in rest]), period="")
    return Line(name, summed, OTHERS, tuple(together([series.values for series in before])), len(rest))


def together(columns: Sequence[Sequence[float | None]]) -> list[float | None]:
    """The sums, place by place; none where there is no number."""
    found: list[float | None] = []
    for place in range(max(map(len, columns), default=0)):
        values = known(column[place] for column in columns if place < len(column))
        found.append(sum(values) if values else None)
    return found


def thinned(values: Sequence[float | None], most: int = POINTS) -> list[int]:
    """Places that show the course: all, or of each stretch the least and the greatest, and the last three."""
    if len(values) <= most:
        return list(range(len(values)))
    stretches, kept = most // 2, {0, *range(len(values) - 3, len(values))}
    for number in range(stretches):
        stretch = range(number * len(values) // stretches, (number + 1) * len(values) // stretches)
        told = [(value, place) for place in stretch if (value := values[place]) is not None]
        kept |= {min(told)[1], max(told)[1]} if told else {stretch[0]}
    return sorted(kept)
