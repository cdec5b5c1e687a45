"""What an insight really measures, and what is doubtful about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer
from insights_mcp.answer.results import readable
from insights_mcp.diagnosis import NAMES, checked
from insights_mcp.endpoints.account import GetProject
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.endpoints.queries import GetQuery, RunQuery
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.text import quoted
from insights_mcp.tools.doubts import doubts
from insights_mcp.tools.insight_facts import asked, named, source_line
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.result import Computed
from insights_mcp.tools.tool import InsightReference, Tool, Work
from insights_mcp.tools.verifying import Trial, seen, tried_as_saved
from insights_mcp.words import described

NO_DOUBT = ("Nothing doubtful was found.",)
UNCOMPUTED = "doubts that need numbers: {}"


class ExplainInsight(Tool):
    """What an insight or query really measures, and what is doubtful about it."""

    title: ClassVar[str] = "Explain an insight"
    uses = (GetInsight,)
    may_use = (ListInsights, GetProject, RunQuery, GetQuery, *NAMES)

    id: InsightReference | None = None
    query: Annotated[Query | None, Field(description="Instead of its own.")] = None

    async def run(self, work: Work) -> Answer:
        """From the query and its result, computed unless it is cached: half of what is doubtful is in the numbers."""
        if self.id is None:
            return await self._of_query(work)
        found: Insight = await work.references.on_insight(
            self.id, lambda n: work.client.send(GetInsight(id=n, refresh=Refresh.FORCE_CACHE))
        )
        query = self.query or found.query
        trial = await self._numbers(work, found)
        return replace(
            await _explained(work, query, trial, found.title, found.description or ""),
            said=f"{named(found)}: {described(query)}",
            facts={"description": found.description and quoted(found.description, 400)},
        )

    async def _numbers(self, work: Work, found: Insight) -> Trial:
        """What is cached, or computed now."""
        if self.query is not None:
            return await seen(work, self.query)
        if found.query is None or found.outcome is not None:
            return Trial(found if found.query is not None else None)
        return await tried_as_saved(work, found)

    async def _of_query(self, work: Work) -> Answer:
        if self.query is None:
            raise InvalidInput("explain_insight was given nothing to explain.", "Give id or query.")
        told = await _explained(work, self.query, await seen(work, self.query), "", "")
        return replace(told, said=described(self.query))


async def _explained(work: Work, query: dict[str, Any] | None, trial: Trial, name: str, text: str) -> Answer:
    """What is doubtful, and where its numbers come from."""
    names = (await checked(work.client, query)).unknown if query else ()
    failed = (trial.note,) if trial.failed else ()
    told = (*failed, *names, *await doubts(work, query, trial.computed, name, text))
    return Answer(
        "",
        digest=told or NO_DOUBT,
        left_out=(UNCOMPUTED.format(trial.note),) if trial.note and not trial.failed else (),
        provenance=await _source(work, trial.computed, query) if trial.computed else "",
    )


async def _source(work: Work, computed: Computed, query: dict[str, Any] | None) -> str:
    of = asked(computed, query)
    link = await work.client.url(f"/insights/{computed.short_id}") if isinstance(computed, Insight) else ""
    return source_line(computed, of, readable(computed.outcome, computed.columns, of), link)
