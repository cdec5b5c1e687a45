"""Resources: a table of the templates there are, each with the way it is read; failures are the protocol's errors."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import mcp_types as types
from anyio import to_thread
from mcp import MCPError
from mcp.server.context import ServerRequestContext
from mcp.shared.uri_template import UriTemplate
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from insights_mcp.answer.pages import csv_page, json_page
from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import InsightsError, InvalidInput, NotFound
from insights_mcp.handles import handle_of
from insights_mcp.insight_resources import MARKDOWN, list_insights, read_insight
from insights_mcp.text import clean, meant
from insights_mcp.tools.tool import Work
from insights_mcp.tools.whole import Whole, whole_of

logger = logging.getLogger("insights_mcp")

META = "insights-mcp/"
ROWS = 1_000
MOST_ROWS = 10_000
Context = ServerRequestContext[Any]
Content = types.TextResourceContents
Variables = dict[str, str]
THEIRS = (InvalidInput, NotFound)


@dataclass(frozen=True)
class Template:
    """Resources of one form. `uses`: a key must be able to call one of these endpoints. `read` gets the variables."""

    uri: str
    name: str
    title: str
    description: str
    uses: tuple[type[Endpoint[Any]], ...]
    read: Callable[[Work, str, Variables], Awaitable[list[Content]]]
    mime_type: str | None = None

    def match(self, uri: str) -> Variables | None:
        """The variables in an address of this form. InvalidInput for an option that it does not have."""
        template = UriTemplate.parse(self.uri)
        found = template.match(uri)
        if found is None:
            return None
        for option in filter(None, uri.partition("?")[2].split("&")):
            if (name := option.partition("=")[0]) not in template.query_variable_names:
                options = sorted(template.query_variable_names)
                near = meant(name, options) or f"; options are {', '.join(options)}."
                raise InvalidInput(f"The address has an unknown option '{clean(name, 60)}'{near}")
        return {name: value if isinstance(value, str) else ",".join(value) for name, value in found.items()}


class ResultOptions(BaseModel):
    """How a result is read. `state`: of which the rows before were; it changes when the result does."""

    model_config = ConfigDict(extra="forbid")

    ref: str
    format: Literal["csv", "json"] = "csv"
    offset: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=MOST_ROWS)] = ROWS
    from_dashboard: Annotated[int, Field(ge=1)] | None = None
    state: str | None = None


async def read_result(work: Work, uri: str, variables: Variables) -> list[Content]:
    """A page of a whole result, and where the next one is."""
    options = _options(variables)
    handle = handle_of(options.ref, await work.client.project_id(), options.from_dashboard)
    whole, _ = await whole_of(work, handle)
    return await to_thread.run_sync(_written, whole, options, uri, abandon_on_cancel=True)


def _options(variables: Variables) -> ResultOptions:
    try:
        return ResultOptions.model_validate(variables)
    except ValidationError as error:
        wrong = [f"{e['loc'][0]}: {e['msg'][:1].lower()}{e['msg'][1:]}" for e in error.errors(include_url=False)]
        raise InvalidInput(f"The address has a wrong option. {clean('; '.join(wrong))}.") from None


def _written(whole: Whole, options: ResultOptions, uri: str) -> list[Content]:
    """In a thread: a large result takes a while to become a table."""
    if options.state is not None and options.state != whole.state:
        raise InvalidInput(
            "The result was computed anew since the pages before, and is another now.",
            "Read it again from offset=0.",
        )
    held = len(whole.table.rows)
    first = min(options.offset, held)

    def facts(end: int) -> dict[str, Any]:
        told = {"first": first, "end": end, "total": held, "computed": whole.computed.last_refresh}
        following = _following(uri, end, whole.state) if end < held else None
        told |= {"next": following, "beyond": whole.beyond or None}
        return {name: value for name, value in told.items() if value is not None}

    if options.format == "json":
        page = json_page(whole.table, first, options.limit, facts)
        return [_content(uri, "application/json", page.text, facts(page.end))]
    page = csv_page(whole.table, first, options.limit)
    told = facts(page.end)
    notes = _notes(told)
    pages = [_content(uri, "text/csv", page.text, told)]
    return pages + ([_content(told.get("next", uri), "text/plain", notes, {})] if notes else [])


def _following(uri: str, offset: int, state: str) -> str:
    """The address of the next page: this one with another offset, and of which state of the result it must be."""
    path, _, query = uri.partition("?")
    kept = [o for o in query.split("&") if o and o.partition("=")[0] not in ("offset", "state")]
    return f"{path}?{'&'.join([*kept, f'offset={offset}', f'state={state}'])}"


def _notes(told: dict[str, Any]) -> str:
    """What CSV itself has no place for."""
    lines = []
    if "next" in told:
        lines.append(f"Rows {told['first'] + 1}-{told['end']} of {told['total']}; the next ones: {told['next']}")
    if "beyond" in told and "next" not in told:
        lines.append(f"Not in the result: {told['beyond']}.")
    return "\n".join(lines)


def _content(uri: str, mime_type: str, text: str, meta: dict[str, Any]) -> Content:
    named = {f"{META}{name}": value for name, value in meta.items()}
    return Content(uri=uri, mime_type=mime_type, text=text, _meta=named or None)


RESULT = Template(
    "insight://{ref}/result{?format,offset,limit,from_dashboard,state}",
    "insight-result",
    "A whole result",
    "All rows of a saved insight's result (ref: number, short_id, name) or of a query's (ref from an answer's link), "
    f"format csv or json, {ROWS:,} rows a page; each page says where the next one is.",
    (GetInsight, RunQuery),
    read_result,
)
INSIGHT = Template(
    "insight://{ref}",
    "insight",
    "A saved insight",
    "What it asks and what it last said (ref: number, short_id or name); nothing is computed anew.",
    (GetInsight,),
    read_insight,
    MARKDOWN,
)
TEMPLATES: tuple[Template, ...] = (INSIGHT, RESULT)


class Resources:
    """The handlers of resources. `work_of` gives what a request works with."""

    def __init__(self, work_of: Callable[[Context], Work]) -> None:
        self._work_of = work_of

    async def list(self, context: Context, asked: types.PaginatedRequestParams) -> types.ListResourcesResult:
        """Insights people use; all others are found by template and by links in answers."""
        client = self._work_of(context).client
        await client.scopes()
        return (
            await list_insights(client, asked.cursor)
            if client.may(ListInsights)
            else types.ListResourcesResult(resources=[])
        )

    async def templates(
        self, context: Context, _: types.PaginatedRequestParams | None
    ) -> types.ListResourceTemplatesResult:
        """Those a key can read."""
        client = self._work_of(context).client
        readable = [template for template in TEMPLATES if any(map(client.may, template.uses))]
        return types.ListResourceTemplatesResult(resource_templates=[_listed(template) for template in readable])

    async def read(self, context: Context, asked: types.ReadResourceRequestParams) -> types.ReadResourceResult:
        """The contents. Failures carry our words: -32602 for what the caller can put right, else -32603."""
        uri = str(asked.uri)
        try:
            return types.ReadResourceResult(contents=list(await self._contents(self._work_of(context), uri)))
        except InsightsError as error:
            code = types.INVALID_PARAMS if isinstance(error, THEIRS) else types.INTERNAL_ERROR
            raise MCPError(code, clean(error, 2_000), {"uri": uri}) from None
        except MCPError:
            raise
        except Exception:  # the boundary, as for tools
            mark = secrets.token_hex(4)
            logger.exception("reading a resource failed (%s)", mark)
            told = f"The server made a mistake ({mark}); its log says which. Report it."
            raise MCPError(types.INTERNAL_ERROR, told, {"uri": uri}) from None

    async def _contents(self, work: Work, uri: str) -> Sequence[Content]:
        await work.client.scopes()
        for template in TEMPLATES:
            if (variables := template.match(uri)) is not None:
                return await template.read(work, uri, variables)
        forms = ", ".join(template.uri for template in TEMPLATES)
        raise InvalidInput(f"There is no resource {clean(uri, 120)}.", f"Resources have the forms {forms}.")


def _listed(template: Template) -> types.ResourceTemplate:
    return types.ResourceTemplate(
        uri_template=template.uri,
        name=template.name,
        title=template.title,
        description=template.description,
        mime_type=template.mime_type,
    )
