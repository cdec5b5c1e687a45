"""A local project whose one insight has a result of a given size, and the two ways to ask for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client as McpClient

from insights_mcp.client import Client
from insights_mcp.endpoints.insights import CreateInsight, GetInsight
from insights_mcp.local import Backend, create_project, open_backend
from insights_mcp.local.results import Outcome, key_of, save
from insights_mcp.local.store import stamp
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.query import source_of, wrapped
from insights_mcp.server import build_server
from insights_mcp.settings import Settings

TREND = {
    "kind": "TrendsQuery",
    "series": [{"kind": "EventsNode", "event": "visit", "math": "total"}],
    "interval": "day",
    "dateRange": {"date_from": "-30d"},
}
HOST = "http://local"
FIRST_DAY = date(2025, 1, 1)


@dataclass(frozen=True)
class World:
    """A client of our server, and a bare one of the same backend; `number` is the insight's."""

    mcp: McpClient
    http: httpx2.AsyncClient
    number: int

    async def by_tool(self) -> str:
        """What the assistant reads."""
        result = await self.mcp.call_tool("get_insight", {"id": str(self.number)})
        if result.is_error:
            raise RuntimeError(str(result.content))
        return str(getattr(result.content[0], "text", ""))

    async def by_http(self) -> Any:
        """The same request without us: the same path and parameters, the reply parsed."""
        return json.loads(await self.reply())

    async def reply(self) -> bytes:
        """The reply's bytes."""
        call = GetInsight(id=self.number, refresh=Refresh.ASYNC, client_query_id="mcp-benchmark").request(1)
        response = await self.http.request(call.method, call.path, params=tuple(call.query))
        response.raise_for_status()
        return response.content


@asynccontextmanager
async def world(folder: Path, characters: int) -> AsyncIterator[World]:
    """An open project in a folder, with an insight whose cached result is about that long as JSON."""
    create_project(folder, name="benchmark")
    backend = open_backend(folder)
    transport = httpx2.ASGITransport(app=backend.app)
    client = Client(Settings(backend.owner_key, HOST, backend.project_id), transport=transport)
    key = {"Authorization": f"Bearer {backend.owner_key}"}
    try:
        number = (await client.send(CreateInsight(name="Visits", query=wrapped(TREND)))).id
        _keep_result(backend, series(characters))
        async with McpClient(build_server(client)) as mcp, httpx2.AsyncClient(
            transport=transport, base_url=HOST, headers=key
        ) as http:  # fmt: skip
            yield World(mcp, http, number)
    finally:
        await client.aclose()
        backend.close()


def series(characters: int) -> list[dict[str, Any]]:
    """A trend's result, about that long: series of a year, or one shorter series."""
    whole: list[dict[str, Any]] = []
    size = 0
    while size < characters:
        days = min(365, max(1, (characters - size) // 36))
        whole.append(_series(len(whole), days))
        size += len(json.dumps(whole[-1]))
    return whole


def _series(number: int, days: int) -> dict[str, Any]:
    dates = [FIRST_DAY + timedelta(day) for day in range(days)]
    data = [(number * 31 + day * 17) % 1009 for day in range(days)]
    return {
        "label": f"visit {number}",
        "count": sum(data),
        "data": data,
        "days": [str(day) for day in dates],
        "labels": [f"{day:%-d-%b-%Y}" for day in dates],
        "breakdown_value": str(number),
    }


def _keep_result(backend: Backend, result: list[dict[str, Any]]) -> None:
    """Keep a result for the insight's query, computed just now on no events."""
    project = backend.computing.project()
    key = key_of(source_of(TREND), project.timezone, project.id)
    outcome = Outcome(key, json.dumps(result).encode(), {"timezone": project.timezone}, stamp(datetime.now(UTC)))
    save(backend.store, outcome, events_version="")
