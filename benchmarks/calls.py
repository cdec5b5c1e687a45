"""A tool call on the local backend, in process, against the same HTTP request through the bare ASGI transport."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.measure import Measurement, in_turns, taken
from benchmarks.world import SMALL, rows, world

# reply, query, events, at most, rounds for each round asked for
SIZES: tuple[tuple[str, dict[str, Any], int, float, int], ...] = (
    ("2 kB", SMALL, 5_000, 2.0, 100),
    ("5 MB", rows(45_000), 45_000, 1.5, 1),
)


def measure(rounds: int) -> list[Measurement]:
    """get_insight by number, its result cached: for a small reply and for a large one."""
    return [asyncio.run(_measured(*size, rounds=rounds)) for size in SIZES]


async def _measured(
    name: str, query: dict[str, Any], events: int, at_most: float, factor: int, *, rounds: int
) -> Measurement:
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder), query, events) as here:
            size = len(await here.reply())
            ours, bare = await in_turns(lambda: taken(here.by_tool), lambda: taken(here.by_http), rounds * factor)
    return Measurement(f"call with a reply of {name} ({size:,} bytes)", ours[0], bare[0], at_most, "ms")
