"""Memory of this process after many calls with replies of 1 MB, against after few."""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Measurement
from benchmarks.world import rows, world

FEW = 100
EVENTS = 9_000  # rows of a reply of about 1 MB
AT_MOST = 1.1
STATISTICS = Path("/proc/self/statm")


def measure(calls: int) -> list[Measurement]:
    """The process's resident memory after `calls` calls, and on the way there after the first 100."""
    few, many = asyncio.run(_measured(calls))
    return [Measurement(f"memory after {calls:,} calls of 1 MB, against {FEW}", many, few, AT_MOST, "MB")]


async def _measured(calls: int) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        async with world(Path(folder), rows(EVENTS), EVENTS) as here:
            for _ in range(FEW):
                await here.by_tool()
            few = megabytes()
            for _ in range(calls - FEW):
                await here.by_tool()
            return few, megabytes()


def megabytes() -> float:
    """Resident memory now; where the system does not tell it, its peak."""
    if STATISTICS.exists():
        return int(STATISTICS.read_text().split()[1]) * resource.getpagesize() / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
