"""Insights on generated events: the whole tool call, against SQL by hand on the same store and against ClickHouse."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import mcp_types as types
from mcp.server.lowlevel import Server

from benchmarks.engine_cases import CASES, Case
from benchmarks.engine_clickhouse import ClickHouse, peak, timed
from benchmarks.generate import generate
from benchmarks.measure import Measurement, Taken, in_turns, taken
from insights_mcp.client import Client
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.local import Backend, create_project, open_backend
from insights_mcp.local.load import load
from insights_mcp.schema.insight import Refresh
from insights_mcp.server import build_server
from insights_mcp.settings import Settings
from insights_mcp.transport import InProcess

AT_MOST = 1.15
MEMORY = 600.0
LEAST_SECONDS = 1.0
LOAD_MEMORY, FILE_PER_EVENT = 3_000.0, 160.0


async def _unheard(*_: object) -> None:
    """Progress is told to nobody."""


CALLER = SimpleNamespace(session=SimpleNamespace(report_progress=_unheard))


@dataclass(frozen=True)
class Calls:
    """Our server on a store of events, and the store itself."""

    server: Server[dict[str, Any]]
    client: Client
    backend: Backend

    async def tool(self, query: dict[str, Any]) -> str:
        """What the assistant reads, computed anew."""
        entry = self.server.get_request_handler("tools/call")
        assert entry is not None
        call = types.CallToolRequestParams(name="run_query", arguments={"query": query, "refresh": True})
        result = cast(types.CallToolResult, await entry.handler(cast(Any, CALLER), call))
        text = str(getattr(result.content[0], "text", ""))
        if result.is_error:
            raise RuntimeError(text)
        return text

    async def results(self, query: dict[str, Any]) -> Any:
        """PostHog's answer, whole."""
        return (await self.client.send(RunQuery(query=query, refresh=Refresh.FORCE_BLOCKING))).model_dump()["results"]


def measure(events: int, rounds: int) -> list[Measurement]:
    """Every case by hand and, where chdb is installed, in ClickHouse; then memory; and the load."""
    with tempfile.TemporaryDirectory(prefix="engine-") as name:
        folder = Path(name)
        file = _events(events, folder)
        loaded = load_measured(file, folder / "store")
        clickhouse = _clickhouse(file, folder)
        try:
            found = asyncio.run(_measured(folder / "store", events, rounds, clickhouse))
            return [*_loads(loaded, clickhouse, events), *found, _memory(folder / "store", events)]
        finally:
            if clickhouse:
                clickhouse.close()


def _events(events: int, folder: Path) -> Path:
    """The events; INSIGHTS_MCP_BENCHMARKS names a folder that keeps them from run to run."""
    file = Path(os.environ.get("INSIGHTS_MCP_BENCHMARKS", folder)) / f"events-{events}.parquet"
    if not file.exists():
        generate(events, file)
    return file


def _clickhouse(file: Path, folder: Path) -> ClickHouse | None:
    if importlib.util.find_spec("chdb"):
        return ClickHouse(file, folder / "clickhouse")
    print(
        "chdb is not installed, so nothing is measured against ClickHouse: pip install --group bench", file=sys.stderr
    )
    return None


@asynccontextmanager
async def calls(folder: Path) -> AsyncIterator[Calls]:
    """The server on a project folder."""
    backend = open_backend(folder)
    client = Client(
        Settings(backend.owner_key, "http://local", backend.project_id),
        transport=InProcess(backend.app),
    )
    try:
        yield Calls(build_server(client), client, backend)
    finally:
        await client.aclose()
        backend.close()


async def _measured(folder: Path, events: int, rounds: int, clickhouse: ClickHouse | None) -> list[Measurement]:
    async with calls(folder) as here:
        return [m for case in CASES for m in await _case(here, case, events, rounds, clickhouse)]


async def _case(here: Calls, case: Case, events: int, rounds: int, clickhouse: ClickHouse | None) -> list[Measurement]:
    """Against one and then the other: each pair alone, so that no third leaves the processor's caches as it likes."""
    results = await here.results(case.query)
    least = LEAST_SECONDS if rounds > 1 else 0.0

    async def ours() -> Taken:
        return await taken(lambda: here.tool(case.query))

    async def by_hand() -> Taken:
        cpu, wall, found = timed(lambda: here.backend.events.fetch(case.duckdb).rows)
        _same(case, (case.by_hand or case.rows)(results), found, "by hand")
        return cpu * 1000, wall * 1000

    async def other() -> Taken:
        assert clickhouse
        cpu, wall, found = clickhouse.ask(case.clickhouse)
        _same(case, case.rows(results), found, "ClickHouse")
        return cpu * 1000, wall * 1000

    measured = _compared(f"{case.name}, by hand", *await in_turns(ours, by_hand, rounds, least), AT_MOST)
    if clickhouse:
        limit = case.at_most[0 if events < 10_000_000 else 1]
        measured += _compared(f"{case.name}, ClickHouse", *await in_turns(ours, other, rounds, least), limit)
    return [each for each in measured if not (case.apart and each.what.endswith("CPU"))]


def _same(case: Case, ours: set[tuple[Any, ...]], rows: Sequence[Sequence[Any]], whose: str) -> None:
    theirs = {tuple(row) for row in rows}
    if ours != theirs:
        only = sorted(map(str, ours - theirs))[:3], sorted(map(str, theirs - ours))[:3]
        print(f"{case.name}: not the answer of {whose}: only ours {only[0]}, only theirs {only[1]}", file=sys.stderr)


def _compared(what: str, ours: Taken, theirs: Taken, at_most: float) -> list[Measurement]:
    names = ("CPU", "wall")
    return [Measurement(f"{what}, {name}", a, b, at_most, "ms") for name, a, b in zip(names, ours, theirs, strict=True)]


def _memory(folder: Path, events: int) -> Measurement:
    """Of a process that does nothing but call the tool, each case three times."""
    told = subprocess.run([sys.executable, "-m", "benchmarks.engine", "calls", str(folder)], capture_output=True,
                          text=True, check=True)  # fmt: skip
    return Measurement(f"memory of all calls, {events:,} events", float(told.stdout), MEMORY, 1.0, "MB")


def load_measured(file: Path, into: Path) -> list[float]:
    """CPU and wall seconds of a load in a process of its own, its peak of memory, the store's size; in MB."""
    command = [sys.executable, "-m", "benchmarks.engine", "load", str(file), str(into)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return [float(number) for number in told.stdout.split()]


def _loads(loaded: list[float], clickhouse: ClickHouse | None, events: int) -> list[Measurement]:
    cpu, wall, most, size = loaded
    own = [
        Measurement(f"load {events:,} events, memory", most, LOAD_MEMORY, 1.0, "MB"),
        Measurement(f"load {events:,} events, file", size, FILE_PER_EVENT * events / 1e6, 1.0, "MB"),
    ]
    if clickhouse is None:
        return own
    against = ((cpu, clickhouse.cpu, "CPU"), (wall, clickhouse.wall, "wall"))
    return own + [Measurement(f"load, ClickHouse, {name}", a, b, 1.0, "s") for a, b, name in against]


async def _call_all(folder: Path) -> None:
    async with calls(folder) as here:
        for case in CASES * 3:
            await here.tool(case.query)


def main(what: str, *paths: str) -> None:
    """One part in a process of its own; prints its numbers."""
    if what == "calls":
        asyncio.run(_call_all(Path(paths[0])))
        print(peak())
        return
    create_project(Path(paths[1]), name="benchmark")
    cpu, wall, _ = timed(lambda: load([Path(paths[0])], Path(paths[1])))
    print(cpu, wall, peak(), (Path(paths[1]) / "events.duckdb").stat().st_size / 1e6)


if __name__ == "__main__":
    main(*sys.argv[1:])
