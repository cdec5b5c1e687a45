"""How a measurement is told, and how two things are timed fairly: in turns, by their medians."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median

Taken = tuple[float, float]  # milliseconds of CPU, and of the clock on the wall


@dataclass(frozen=True)
class Measurement:
    """One line of the table: ours, against what, and how many times that it may be at most."""

    what: str
    ours: float
    against: float
    at_most: float
    unit: str

    @property
    def ratio(self) -> float:
        """Ours for each one of what it is measured against."""
        return self.ours / self.against

    @property
    def ok(self) -> bool:
        """Whether the limit is kept."""
        return self.ratio <= self.at_most


async def taken(run: Callable[[], Awaitable[object]]) -> Taken:
    """What one run takes of this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    await run()
    return (time.process_time() - cpu) * 1000, (time.perf_counter() - wall) * 1000


async def in_turns(
    ours: Callable[[], Awaitable[Taken]], against: Callable[[], Awaitable[Taken]], rounds: int, seconds: float = 0.0
) -> tuple[Taken, Taken]:
    """Medians of both, run alternately, now this first and now that; the first round of each is not counted.

    What is short takes more rounds, until `seconds` are over. What start-up left in memory is frozen, as the server
    does it: else whose turn it is when garbage is collected decides.
    """
    times: tuple[list[Taken], list[Taken]] = ([], [])
    turns = list(zip(times, (ours, against), strict=True))
    gc.collect()
    gc.freeze()
    until = time.perf_counter() + seconds
    try:
        while len(times[0]) <= rounds or time.perf_counter() < until:
            for kept, run in turns:
                kept.append(await run())
            turns.reverse()
    finally:
        gc.unfreeze()
    return _medians(times[0][1:]), _medians(times[1][1:])


def _medians(times: list[Taken]) -> Taken:
    cpu, wall = zip(*times, strict=True)
    return median(cpu), median(wall)


def table(measured: list[Measurement]) -> str:
    """The measurements as text, one a line."""
    rows = [("what", "ours", "against", "ratio", "at most", "ok"), *map(_row, measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in rows)  # fmt: skip


def _row(m: Measurement) -> tuple[str, ...]:
    numbers = (f"{m.ours:,.4g} {m.unit}", f"{m.against:,.4g} {m.unit}", f"{m.ratio:.2f}", f"{m.at_most:.2f}")
    return (m.what, *numbers, "yes" if m.ok else "NO")
