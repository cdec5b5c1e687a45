"""The MCP server: lists the tools the key can use, runs calls, and turns every failure into a readable answer."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import resources
from typing import Any

import anyio
import mcp_types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from insights_mcp import __version__
from insights_mcp.answer import Answer, Rendered, render
from insights_mcp.client import Client
from insights_mcp.computation import Watch
from insights_mcp.endpoint import Effect
from insights_mcp.errors import InsightsError, InvalidInput, MissingScope
from insights_mcp.references import References
from insights_mcp.scopes import Scopes
from insights_mcp.text import clean, meant
from insights_mcp.tools import TOOLS
from insights_mcp.tools.tool import OUTPUT, OUTPUT_WITH_TABLE, Tool, Work, input_schema, parse

logger = logging.getLogger("insights_mcp")

NAME = "insights-mcp"
SCOPES_WITHIN = 8.0
BY_NAME: dict[str, type[Tool]] = {tool.tool_name(): tool for tool in TOOLS}


def build_server(client: Client, *, read_only: bool = False) -> Server[dict[str, Any]]:
    """A server over one client. `read_only`: tools that change anything are not there."""
    offered = {name: tool for name, tool in BY_NAME.items() if not read_only or tool.effect is Effect.READ}
    references = References(client, {})

    async def list_tools(
        _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        scopes = await known_scopes(client)
        return types.ListToolsResult(tools=[described(tool) for tool in usable(offered.values(), scopes)])

    async def call_tool(context: ServerRequestContext[Any], call: types.CallToolRequestParams) -> types.CallToolResult:
        async def report(seconds: float, message: str) -> None:
            await context.session.report_progress(seconds, None, message)

        work = Work(client, references, Watch(report=report))
        try:
            tool = parse(_found(call.name, offered), call.arguments or {})
            _check_scopes(type(tool), await client.scopes())
            answer = await tool.run(work)
            return _result(render(answer, await client.place(), tool.budget), answer)
        except InsightsError as error:
            return _refused(client, error.what, error.next_step)
        except Exception:  # the boundary: nothing unforeseen reaches the model, or ends the server
            mark = secrets.token_hex(4)
            logger.exception("call of %s failed (%s)", clean(call.name, 80), mark)
            return _refused(client, f"The server made a mistake ({mark}); its log says which. Report it.")

    return Server(
        NAME,
        version=__version__,
        title="PostHog insights",
        instructions=instructions(),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


@cache
def instructions() -> str:
    """What every client tells its model of this server."""
    return (resources.files("insights_mcp") / "prompts" / "instructions.md").read_text("utf-8").strip()


@cache
def described(tool: type[Tool]) -> types.Tool:
    """A tool as the model sees it."""
    reads, destroys = tool.effect is Effect.READ, tool.effect is Effect.DESTRUCTIVE
    return types.Tool(
        name=tool.tool_name(),
        title=tool.title,
        description=" ".join((tool.__doc__ or "").split()),
        input_schema=input_schema(tool),
        output_schema=OUTPUT_WITH_TABLE if tool.tabular else OUTPUT,
        annotations=types.ToolAnnotations(
            read_only_hint=reads, destructive_hint=destroys, idempotent_hint=tool.idempotent, open_world_hint=True
        ),
    )


async def known_scopes(client: Client) -> Scopes | None:
    """The key's scopes, if they can be had soon; a listing never waits long, nor fails for it."""
    try:
        with anyio.fail_after(SCOPES_WITHIN):
            return await client.scopes()
    except (InsightsError, TimeoutError) as error:
        logger.warning("the key's scopes are not known: %s", clean(error))
        return None


def usable(tools: Iterable[type[Tool]], scopes: Scopes | None) -> list[type[Tool]]:
    """The tools a key with these scopes can use; all while its scopes are not known."""
    return [tool for tool in tools if scopes is None or not scopes.missing(tool.scopes())]


def _found(name: str, offered: dict[str, type[Tool]]) -> type[Tool]:
    if name in offered:
        return offered[name]
    if name in BY_NAME:
        raise InvalidInput(
            f"{name} changes the project, and this server is read-only.", "Start it without --read-only."
        )
    raise InvalidInput(
        f"There is no tool '{clean(name, 80)}'{meant(name, offered) or '.'}", "tools/list names them all."
    )


def _check_scopes(tool: type[Tool], scopes: Scopes | None) -> None:
    if scopes is not None and (missing := scopes.missing(tool.scopes())):
        raise MissingScope(missing[0], tool.tool_name())


def _refused(client: Client, what: str, next_step: str = "") -> types.CallToolResult:
    """An error in the form of an answer; what to do next stands apart, so that no long reason cuts it off."""
    following = (next_step,) if next_step else ()
    return _result(render(Answer(what, next=following), client.known_place), is_error=True)


def _result(rendered: Rendered, answer: Answer | None = None, *, is_error: bool = False) -> types.CallToolResult:
    text = types.TextContent(type="text", text=rendered.text)
    return types.CallToolResult(
        content=[text, *(_beside(answer) if answer else ())],
        structured_content=rendered.structured,
        is_error=is_error,
    )


def _beside(answer: Answer) -> Iterator[types.ContentBlock]:
    """Pictures and links, which stand beside the text."""
    for picture in answer.pictures:
        data = base64.b64encode(picture.data).decode()
        yield types.ImageContent(type="image", data=data, mime_type=picture.mime_type)
    for link in answer.links:
        yield types.ResourceLink(type="resource_link", uri=link.uri, name=link.name, mime_type=link.mime_type)
