"""What an insight really measures, and what is doubtful about it."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer
from insights_mcp.answer.results import readable
from insights_mcp.diagnosis import NAMES
from insights_mcp.endpoints.account import GetProject
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.text import quoted
from insights_mcp.tools.doubts import doubts
from insights_mcp.tools.insight_facts import asked, named, source_line
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.tool import InsightReference, Tool, Work
from insights_mcp.words import described

NO_DOUBT = ("Nothing doubtful was found.",)
UNCOMPUTED = "doubts that need numbers: get_insight(id='{}') computes them"


class ExplainInsight(Tool):
    """What an insight or query really measures, and what is doubtful about it."""

    title: ClassVar[str] = "Explain an insight"
    uses = (GetInsight,)
    may_use = (ListInsights, GetProject, *NAMES)

    id: InsightReference | None = None
    query: Annotated[Query | None, Field(description="Instead of its own.")] = None

    async def run(self, work: Work) -> Answer:
        """From the query and what is cached of its result: nothing is computed."""
        if self.id is None:
            return await self._of_query(work)
        found: Insight = await work.references.on_insight(
            self.id, lambda n: work.client.send(GetInsight(id=n, refresh=Refresh.FORCE_CACHE))
        )
        query = self.query or found.query
        computed = found if self.query is None and found.outcome is not None else None
        told = await doubts(work, query, computed, found.title, found.description or "")
        return Answer(
            f"{named(found)}: {described(query)}",
            {"description": found.description and quoted(found.description, 400)},
            digest=told or NO_DOUBT,
            left_out=() if computed or not query else (UNCOMPUTED.format(found.id),),
            provenance=await self._source(work, found) if computed else "",
        )

    async def _of_query(self, work: Work) -> Answer:
        if self.query is None:
            raise InvalidInput("explain_insight was given nothing to explain.", "Give id or query.")
        told = await doubts(work, self.query, None, "")
        return Answer(described(self.query), digest=told or NO_DOUBT)

    async def _source(self, work: Work, found: Insight) -> str:
        of = asked(found, found.query)
        link = await work.client.url(f"/insights/{found.short_id}")
        return source_line(found, of, readable(found.outcome, found.columns, of), link)
