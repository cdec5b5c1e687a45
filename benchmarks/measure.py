"""How a measurement is told, and how two things are timed fairly: in turns, by their medians."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import median


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


async def in_turns(
    ours: Callable[[], Awaitable[object]], against: Callable[[], Awaitable[object]], rounds: int
) -> tuple[float, float]:
    """Median milliseconds of CPU of both, run alternately; the first round of each is not counted.

    What start-up left in memory is frozen, as the server does it: else whose turn it is when garbage is
    collected decides.
    """
    times: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.freeze()
    try:
        for turn in range(rounds + 1):
            for kept, run in zip(times, (ours, against), strict=True):
                started = time.process_time()
                await run()
                if turn:
                    kept.append((time.process_time() - started) * 1000)
    finally:
        gc.unfreeze()
    return median(times[0]), median(times[1])


def table(measured: list[Measurement]) -> str:
    """The measurements as text, one a line."""
    rows = [("what", "ours", "against", "ratio", "at most", "ok"), *map(_row, measured)]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
                     for row in rows)  # fmt: skip


def _row(m: Measurement) -> tuple[str, ...]:
    numbers = (f"{m.ours:,.4g} {m.unit}", f"{m.against:,.4g} {m.unit}", f"{m.ratio:.2f}", f"{m.at_most:.2f}")
    return (m.what, *numbers, "yes" if m.ok else "NO")
