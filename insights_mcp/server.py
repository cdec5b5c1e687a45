"""The MCP server: lists the tools the key can use, runs calls, and turns every failure into a readable answer."""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import mcp_types as types
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from insights_mcp import __version__
from insights_mcp.answer import Answer, Rendered, render
from insights_mcp.answer.answer import Picture
from insights_mcp.client import Client
from insights_mcp.computation import Watch
from insights_mcp.endpoint import Effect
from insights_mcp.errors import InsightsError, InvalidInput, MissingScope
from insights_mcp.recent import Recent
from insights_mcp.references import References
from insights_mcp.scopes import Scopes
from insights_mcp.text import clean, meant
from insights_mcp.tools import TOOLS
from insights_mcp.tools.tool import OUTPUT, OUTPUT_WITH_TABLE, Tool, Work, input_schema, parse

if TYPE_CHECKING:
    from insights_mcp.completion import Completions
    from insights_mcp.resources import Resources

logger = logging.getLogger("insights_mcp")

NAME = "insights-mcp"
SCOPES_WITHIN = 8.0
SVG_ADDRESS = "chart://insights-mcp/chart.svg"
MISTAKE = "The server made a mistake ({}); its log says which. Report it."
BY_NAME: dict[str, type[Tool]] = {tool.tool_name(): tool for tool in TOOLS}
Params = TypeVar("Params")
Result = TypeVar("Result")
Context = ServerRequestContext[Any]
Handler = Callable[[Context, Params], Awaitable[Result]]


def build_server(client: Client, *, read_only: bool = False) -> Server[dict[str, Any]]:
    """A server over one client. `read_only`: tools that change anything are not there."""
    offered = {name: tool for name, tool in BY_NAME.items() if not read_only or tool.effect is Effect.READ}
    references = References(client, {})
    recent = Recent()

    def work_of(context: Context) -> Work:
        async def report(seconds: float, message: str) -> None:
            await context.session.report_progress(seconds, None, message)

        return Work(client, references, Watch(report=report), recent)

    async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        scopes = await known_scopes(client)
        return types.ListToolsResult(tools=[described(tool) for tool in usable(offered.values(), scopes)])

    async def call_tool(context: Context, call: types.CallToolRequestParams) -> types.CallToolResult:
        try:
            tool = parse(_found(call.name, offered), call.arguments or {})
            if tool.uses:
                _check_scopes(type(tool), await client.scopes())
            answer = await tool.run(work_of(context))
            answer = replace(answer, notes=tool.notes + answer.notes)
            if tool.effect is not Effect.READ:
                recent.clear()
            place = await client.place() if tool.uses else client.known_place
            return _result(render(answer, place, tool.budget), answer)
        except InsightsError as error:
            return _refused(client, error.what, error.next_step, error.details)
        except Exception:  # the boundary: nothing unforeseen reaches the model, or ends the server
            mark = secrets.token_hex(4)
            logger.exception("call of %s failed (%s)", clean(call.name, 80), mark)
            return _refused(client, MISTAKE.format(mark))

    server: Server[dict[str, Any]] = Server(
        NAME,
        version=__version__,
        title="PostHog insights",
        instructions=instructions(),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    _add_resources(server, work_of)
    _add_prompts(server, client, offered)
    _add_completion(server, client)
    return server


def _add_resources(server: Server[dict[str, Any]], work_of: Callable[[Context], Work]) -> None:
    """What can be read. Here and below, what answers is imported when it is asked: it is no part of the start."""

    @cache
    def found() -> Resources:
        from insights_mcp.resources import Resources

        return Resources(work_of)

    async def listed(context: Context, asked: types.PaginatedRequestParams) -> types.ListResourcesResult:
        return await found().list(context, asked)

    async def templates(context: Context, asked: types.PaginatedRequestParams) -> types.ListResourceTemplatesResult:
        return await found().templates(context, asked)

    async def read(context: Context, asked: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        return await found().read(context, asked)

    server.add_request_handler("resources/list", types.PaginatedRequestParams, _answering(listed))
    server.add_request_handler("resources/templates/list", types.PaginatedRequestParams, _answering(templates))
    server.add_request_handler("resources/read", types.ReadResourceRequestParams, read)


def _add_prompts(server: Server[dict[str, Any]], client: Client, offered: dict[str, type[Tool]]) -> None:
    """What a person picks."""

    async def why_not() -> Callable[[str], str]:
        scopes = await known_scopes(client)
        return lambda name: _why_not(name, offered, scopes)

    async def list_prompts(_: Context, __: types.PaginatedRequestParams) -> types.ListPromptsResult:
        from insights_mcp import prompting

        return prompting.listed(await why_not())

    async def get_prompt(_: Context, asked: types.GetPromptRequestParams) -> types.GetPromptResult:
        from insights_mcp import prompting

        return prompting.message(asked.name, asked.arguments or {}, await why_not())

    server.add_request_handler("prompts/list", types.PaginatedRequestParams, _answering(list_prompts))
    server.add_request_handler("prompts/get", types.GetPromptRequestParams, _answering(get_prompt))


def _add_completion(server: Server[dict[str, Any]], client: Client) -> None:
    """What a person may mean while typing."""

    @cache
    def completions() -> Completions:
        from insights_mcp.completion import Completions

        return Completions(client)

    async def complete(_: Context, asked: types.CompleteRequestParams) -> types.CompleteResult:
        return await completions().complete(asked)

    server.add_request_handler("completion/complete", types.CompleteRequestParams, _answering(complete))


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


def _answering(answer: Handler[Params, Result]) -> Handler[Params, Result]:
    """A handler of what is no tool: a failure becomes an error of the protocol, in our words."""

    async def handle(context: Context, asked: Params) -> Result:
        try:
            return await answer(context, asked)
        except InsightsError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from None
        except MCPError:
            raise
        except Exception:  # the boundary, as for tools
            mark = secrets.token_hex(4)
            logger.exception("%s failed (%s)", answer.__qualname__, mark)
            raise MCPError(types.INTERNAL_ERROR, MISTAKE.format(mark)) from None

    return handle


def _why_not(name: str, offered: dict[str, type[Tool]], scopes: Scopes | None) -> str:
    """Why a tool cannot be used here; empty when it can."""
    if name not in offered:
        return "this server is read-only"
    missing = scopes.missing(offered[name].scopes()) if scopes is not None else ()
    return f"the key lacks the scope {missing[0]}" if missing else ""


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


def _refused(client: Client, what: str, next_step: str = "", details: tuple[str, ...] = ()) -> types.CallToolResult:
    """An error in the form of an answer; what to do next stands apart, so that no long reason cuts it off."""
    following = (next_step,) if next_step else ()
    return _result(render(Answer(what, next=following, digest=details), client.known_place), is_error=True)


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
        yield _image(picture)
    for link in answer.links:
        yield types.ResourceLink(type="resource_link", uri=link.uri, name=link.name, mime_type=link.mime_type)


def _image(picture: Picture) -> types.ContentBlock:
    """An image; but an SVG as a resource of text: models take no such image, and clients that pass it on break."""
    if picture.mime_type == "image/svg+xml":
        text = picture.data.decode()
        contents = types.TextResourceContents(uri=SVG_ADDRESS, mime_type=picture.mime_type, text=text)
        return types.EmbeddedResource(type="resource", resource=contents)
    data = base64.b64encode(picture.data).decode()
    return types.ImageContent(type="image", data=data, mime_type=picture.mime_type)
