"""Start: from spawning the server to its answer to tools/list, over stdio; in wall-clock and in CPU time."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from statistics import median
from typing import IO, Any

from benchmarks.measure import Measurement

OURS = ("insights_mcp", "serve")
ONE_TOOL = ("benchmarks.one_tool_server",)
AT_MOST = 1.15
NOWHERE = {
    "POSTHOG_API_KEY": "phx_benchmark",
    "POSTHOG_HOST": "http://127.0.0.1:9",
    "POSTHOG_PROJECT_ID": "1",
    "POSTHOG_SCOPES": "*",
}
CLIENT = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "benchmark", "version": "1"}}


def measure(rounds: int) -> list[Measurement]:
    """Both servers in turns; the first start of each, which compiles, is not counted."""
    runs = [(start(OURS), start(ONE_TOOL)) for _ in range(rounds + 1)][1:]
    return [
        _compared(what, [(ours[part], one[part]) for ours, one in runs]) for part, what in enumerate(("wall", "CPU"))
    ]


def _compared(what: str, runs: list[tuple[float, float]]) -> Measurement:
    ours, one_tool = (median(times) for times in zip(*runs, strict=True))
    return Measurement(f"start: spawn to tools/list, {what}", ours, one_tool, AT_MOST, "ms")


def start(module: tuple[str, ...]) -> tuple[float, float]:
    """Milliseconds to the list of tools: wall-clock, and CPU of the process from start to end."""
    before, started = _children_cpu(), time.perf_counter()
    command = [sys.executable, "-m", *module]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | NOWHERE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        listed = _list_tools(server.stdin, server.stdout)
        wall = time.perf_counter() - started
        server.stdin.close()
        server.wait()
    assert listed["result"]["tools"]
    return wall * 1000, (_children_cpu() - before) * 1000


def _list_tools(to: IO[str], back: IO[str]) -> dict[str, Any]:
    """The handshake and one question; the answer to it."""
    _say(to, id=1, method="initialize", params=CLIENT)
    back.readline()
    _say(to, method="notifications/initialized")
    _say(to, id=2, method="tools/list")
    answer: dict[str, Any] = json.loads(back.readline())
    return answer


def _say(to: IO[str], **message: object) -> None:
    to.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    to.flush()


def _children_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
