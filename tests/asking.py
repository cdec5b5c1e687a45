"""Asking as an assistant does: a real MCP client on a real server, over one PostHog."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from mcp import Client as McpClient

from insights_mcp.client import Client
from insights_mcp.scopes import Scopes
from insights_mcp.server import build_server
from insights_mcp.settings import Settings
from tests.loopback import KEY, Loopback

ALL = Scopes(["*"])


@dataclass(frozen=True)
class Told:
    """What the model reads of an answer, in both forms."""

    text: str
    structured: dict[str, Any]
    failed: bool


@dataclass(frozen=True)
class Assistant:
    """A connected MCP client, and the client behind the server."""

    mcp: McpClient
    client: Client

    async def call(self, name: str, /, **arguments: Any) -> Told:
        """Call a tool."""
        result = await self.mcp.call_tool(name, arguments)
        text = "".join(getattr(content, "text", "") for content in result.content)
        return Told(text, dict(result.structured_content or {}), bool(result.is_error))

    async def tools(self) -> list[str]:
        """Names of the tools that are offered."""
        return [tool.name for tool in (await self.mcp.list_tools()).tools]


@asynccontextmanager
async def connection(posthog: Loopback | None, **changes: Any) -> AsyncIterator[Client]:
    """A client of this PostHog, project 1. `changes` are those of Settings and of Client."""
    own = {name: changes.pop(name) for name in ("transport", "clouds", "max_reply_bytes") if name in changes}
    host = posthog.url if posthog else None
    client = Client(Settings(**({"api_key": KEY, "host": host, "project_id": 1} | changes)), **own)
    try:
        yield client
    finally:
        await client.aclose()


@asynccontextmanager
async def assistant(
    posthog: Loopback | None, *, mode: Any = "auto", read_only: bool = False, **changes: Any
) -> AsyncIterator[Assistant]:
    """An assistant on this PostHog."""
    async with (
        connection(posthog, **changes) as client,
        McpClient(build_server(client, read_only=read_only), mode=mode) as mcp,
    ):
        yield Assistant(mcp, client)
