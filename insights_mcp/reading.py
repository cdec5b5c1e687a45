"""A resource read as a client reads it: page after page, as one text."""

from __future__ import annotations

from mcp import Client as McpClient
from mcp import MCPError
from mcp_types import TextResourceContents

from insights_mcp.answer.pages import joined
from insights_mcp.client import Client
from insights_mcp.errors import InvalidInput
from insights_mcp.resources import META, MOST_ROWS
from insights_mcp.server import build_server

PAGED = "/result"


async def everything(client: Client, uri: str) -> str:
    """The text of a resource. A result is read to its end, unless the address names a page."""
    refused = ""
    async with McpClient(build_server(client, read_only=True)) as mcp:
        try:
            return await _pages(mcp, uri)
        except MCPError as error:  # raised again outside, where no task group wraps it
            refused = error.message
    raise InvalidInput(refused)


async def _pages(mcp: McpClient, uri: str) -> str:
    path, _, options = uri.partition("?")
    named = {option.partition("=")[0] for option in options.split("&")}
    following: str | None = uri
    to_the_end = path.endswith(PAGED) and not named & {"offset", "limit"}
    if to_the_end:
        following = f"{path}?{'&'.join(filter(None, (options, f'limit={MOST_ROWS}')))}"
    pages: list[TextResourceContents] = []
    while following:
        page = (await mcp.read_resource(following)).contents[0]
        assert isinstance(page, TextResourceContents)
        pages.append(page)
        following = (page.meta or {}).get(f"{META}next") if to_the_end else None
    return joined([page.text for page in pages], pages[0].mime_type or "")
