"""A local project with one insight whose reply has a given size, and the two ways to ask for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
import mcp_types as types
from mcp.server.lowlevel import Server

from insights_mcp.client import Client
from insights_mcp.endpoints.insights import CreateInsight, GetInsight
from insights_mcp.local import create_project, open_backend
from insights_mcp.local.load import load
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.query import wrapped
from insights_mcp.server import build_server
from insights_mcp.settings import Settings
from insights_mcp.transport import InProcess

HOST = "http://local"
SMALL = {
    "kind": "TrendsQuery",
    "series": [{"kind": "EventsNode", "event": "visit", "math": "total"}],
    "interval": "day",
    "dateRange": {"date_from": "-3d"},
}


def rows(number: int) -> dict[str, str]:
    """A query whose result is that many rows, of about 110 characters each."""
    columns = "timestamp, distinct_id, properties.page, properties.title"
    return {"kind": "HogQLQuery", "query": f"select {columns} from events order by timestamp limit {number}"}


@dataclass(frozen=True)
class World:
    """Our server, and a bare client of the same backend; `number` is the insight's."""

    server: Server[dict[str, Any]]
    http: httpx2.AsyncClient
    number: int

    async def by_tool(self) -> str:
        """What the assistant reads: the server's own work, from the call's parameters to the finished answer.

        Carrying both across MCP is the SDK's work, the same for every server on it.
        """
        entry = self.server.get_request_handler("tools/call")
        if entry is None:
            raise RuntimeError("the server calls no tools")
        call = types.CallToolRequestParams(name="get_insight", arguments={"id": str(self.number)})
        result = cast(types.CallToolResult, await entry.handler(cast(Any, None), call))
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
async def world(folder: Path, query: dict[str, Any], events: int) -> AsyncIterator[World]:
    """An open project in a folder, with that many events and an insight whose result is cached."""
    create_project(folder, name="benchmark")
    load([_events_file(folder, events)], folder)
    backend = open_backend(folder)
    transport = httpx2.ASGITransport(app=backend.app)
    client = Client(Settings(backend.owner_key, HOST, backend.project_id), transport=InProcess(backend.app))
    key = {"Authorization": f"Bearer {backend.owner_key}"}
    try:
        number = (await client.send(CreateInsight(name="Visits", query=wrapped(query)))).id
        await client.send(GetInsight(id=number, refresh=Refresh.BLOCKING))
        async with httpx2.AsyncClient(transport=transport, base_url=HOST, headers=key) as http:
            yield World(build_server(client), http, number)
    finally:
        await client.aclose()
        backend.close()


def _events_file(folder: Path, number: int) -> Path:
    """Visits, one a minute, the last one now."""
    file = folder / "visits.jsonl"
    now = datetime.now(UTC)
    with file.open("w", encoding="utf-8") as lines:
        for minute in range(number):
            lines.write(json.dumps(_visit(minute, now - timedelta(minutes=minute))) + "\n")
    return file


def _visit(number: int, moment: datetime) -> dict[str, Any]:
    return {
        "event": "visit",
        "timestamp": moment.isoformat(),
        "distinct_id": f"visitor-{number % 977}",
        "properties": {
            "page": f"/articles/{number % 5003}/a-page-with-an-address-of-some-length",
            "title": f"Page {number % 5003}",
        },
    }
