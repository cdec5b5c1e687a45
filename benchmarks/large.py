"""A reply of 50 MB made an answer, against one parse of the same bytes by orjson."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from statistics import median

import orjson

from benchmarks.answers import Case, funnel, rendered, retention, sql, trend
from benchmarks.measure import Measurement
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.replies import read

AT_MOST = 2.0
MEGABYTES = 50
MORE = {"hasMore": False, "timezone": "UTC", "is_cached": True, "last_refresh": "2026-01-10T15:00:00Z"}
# Each kind's size for 50 MB.
LARGE: tuple[Callable[[int], Case], ...] = (
    lambda size: trend(365, 53 * size),
    lambda size: retention(round(255 * size**0.5)),
    lambda size: funnel(8, 450 * size),
    lambda size: sql(7_500 * size),
)


def measure(rounds: int, megabytes: int = MEGABYTES) -> list[Measurement]:
    """One line for each kind."""
    return [_measured(make(megabytes), rounds) for make in LARGE]


def _measured(case: Case, rounds: int) -> Measurement:
    content = json.dumps({"results": case.result, "columns": case.columns} | MORE, separators=(",", ":")).encode()
    ours, against = [], []
    for _ in range(rounds):
        ours.append(_seconds(lambda: rendered(case, read(RunQuery, content, "PostHog").results)))
        against.append(_seconds(lambda: orjson.loads(content)))
    what = f"answer of {len(content) / 1e6:.0f} MB, {case.kind}, against orjson"
    return Measurement(what, median(ours), median(against), AT_MOST, "s")


def _seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
