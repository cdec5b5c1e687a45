"""Queries that are not saved: run and stop."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, ClassVar
from urllib.parse import quote

from pydantic import Field

from insights_mcp import computation
from insights_mcp.answer import Answer, Link
from insights_mcp.diagnosis import CHECKS, checked, explaining
from insights_mcp.endpoint import Effect
from insights_mcp.endpoints import queries
from insights_mcp.endpoints.insights import CancelInsightQuery
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.query import wrapped
from insights_mcp.text import clean, counted
from insights_mcp.tools.picture import Drawable
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.result import result_answer
from insights_mcp.tools.tool import Detailed, Tool, Within, Work
from insights_mcp.words import described

LONGEST = 2_000  # characters of an address
# The common form, as every model sees it.
COMMON_FORM = (
    '{"kind":"trends","events":["$pageview",{"event":"signed up","math":"dau"}],"by":"$browser","from":"-30d",'
    '"interval":"week","where":{"person.plan":"free"}}; funnel, correlation: steps, window; '
    "retention: start, return, period; stickiness, lifecycle, paths: events; "
    '{"sql":"select count() from events"}. Or PostHog\'s JSON.'
)


class RunQuery(Detailed, Drawable):
    """Compute a query without saving it. SQL gives 100 rows unless LIMIT."""

    title: ClassVar[str] = "Run a query"
    uses = (queries.RunQuery,)
    may_use = CHECKS

    query: Annotated[Query, Field(description=COMMON_FORM)]
    refresh: Annotated[bool, Field(description="Compute anew even if a fresh result is cached.")] = False
    wait: Annotated[int, Within(1, 600), Field(description="Seconds to wait at most.")] = 120

    async def run(self, work: Work) -> Answer:
        """The result as a table; long computations report progress and stop when the call is cancelled."""
        watch = computation.Watch(patience=self.wait, report=work.watch.report)
        found = await checked(work.client, self.query)
        call = queries.RunQuery(query=found.query, refresh=Refresh.FORCE_BLOCKING if self.refresh else Refresh.BLOCKING)
        async with explaining(work.client):
            reply = await computation.run_query(work.client, call, watch)
        if self.detail == "full":
            whole = {"results": reply.results, "columns": reply.columns, "types": reply.types}
            told = Answer("All of the result.", table=self.pieces(whole), more=self.more(), notes=found.told)
            return await self.with_picture(told, reply, found.query)
        said = f"{counted(len(reply.results), 'row')}." if reply.columns else described(found.query)
        told = await result_answer(work, said, reply, found.query, page=self, notes=found.told, doubts=found.unknown)
        links = told.links + await _in_the_web_app(work, found.query)
        mended_first = len(told.notes) > len(found.told)  # something of it is empty, or has a name that is not there
        told = replace(told, next=() if mended_first else ("create_insight saves the query.",), links=links)
        return await self.with_picture(told, reply, found.query)


class CancelQuery(Tool):
    """Stop a running query by the id that a call still waiting for it has named."""

    title: ClassVar[str] = "Cancel a query"
    effect = Effect.WRITE
    uses = (queries.DeleteQuery,)
    may_use = (CancelInsightQuery,)

    query_id: Annotated[str, Field(min_length=8, max_length=200, description="The whole id.")]

    async def run(self, work: Work) -> Answer:
        """By DELETE query, which a key may always use; insights/cancel is for sessions."""
        way = await computation.stop(work.client, self.query_id)
        said = f"Asked to stop query {clean(self.query_id, 80)}"
        return Answer(f"{said} ({way}); if it had ended already, nothing happened." if way else f"{said}: it refused.")


async def _in_the_web_app(work: Work, query: dict[str, Any]) -> tuple[Link, ...]:
    """Where a new insight opens with this query; the embedded backend has no web app, and long addresses break."""
    address = await work.client.url(f"/insights/new#q={quote(json.dumps(wrapped(query), separators=(',', ':')))}")
    return (Link(address, "Open in PostHog", "text/html"),) if "://" in address and len(address) <= LONGEST else ()
