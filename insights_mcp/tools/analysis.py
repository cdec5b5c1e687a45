"""What a result says, and what to ask next: PostHog's own answer where it gives one, else ours by rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import Field

from insights_mcp import computation
from insights_mcp.analysis import analysis
from insights_mcp.answer import Answer
from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints import insights
from insights_mcp.endpoints.definitions import ListEventDefinitions, ListPropertyDefinitions
from insights_mcp.errors import Forbidden, InsightsError, NotFound
from insights_mcp.follow_ups import first_event, follow_ups
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.schema.query import slim, source_of
from insights_mcp.schema.reply import Page
from insights_mcp.text import counted
from insights_mcp.tools.insight_facts import asked, freshness, named
from insights_mcp.tools.tool import InsightReference, Tool, Work

Reply = TypeVar("Reply")

BY_API = "the API"
BY_RULE = "this server, by rule (this PostHog answers it only in its web app)"


class AnalyzeInsight(Tool):
    """What an insight's current result says, in a few sentences with numbers."""

    title: ClassVar[str] = "Analyze an insight"
    uses = (insights.GetInsight,)
    may_use = (insights.AnalyzeInsight, insights.ListInsights)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """The result is computed first: PostHog analyzes only what is cached."""
        insight = await _computed(work, self.id)
        theirs = await _asked(work, lambda: insights.AnalyzeInsight(id=insight.id))
        said = theirs.result if theirs else ""
        told = said or analysis(insight.title, asked(insight, insight.query), insight.outcome, insight.columns)
        facts = {"analysis": told.splitlines(), "by": BY_API if said else BY_RULE} | freshness(insight)
        return Answer(f"Analysis of insight {named(insight)}.", facts, next=("get_suggestions: what to ask next.",))


class GetSuggestions(Tool):
    """Follow-up queries for an insight, ready for run_query or create_insight."""

    title: ClassVar[str] = "Suggest what to ask next"
    uses = (insights.GetInsight,)
    may_use = (insights.GetSuggestions, insights.SuggestNext, insights.ListInsights, ListEventDefinitions)

    id: InsightReference
    context: Annotated[str | None, Field(max_length=4000, description="What is known already.")] = None

    async def run(self, work: Work) -> Answer:
        """POST with a context, GET without."""
        insight = await _computed(work, self.id)
        theirs = await _asked(work, lambda: self._call(insight.id))
        made = [s.model_dump() for s in theirs] if theirs else await _by_rule(work, insight)
        said = f"{counted(len(made), 'suggestion')} for insight {named(insight)}."
        facts = {str(n): {"title": s.get("title"), "query": slim(s.get("targetQuery"))} for n, s in enumerate(made, 1)}
        return Answer(said, {"by": BY_API if theirs else BY_RULE} | facts)

    def _call(self, number: int) -> insights.GetSuggestions | insights.SuggestNext:
        if self.context:
            return insights.SuggestNext(id=number, context=self.context)
        return insights.GetSuggestions(id=number)


async def _computed(work: Work, reference: str) -> Insight:
    def get(number: int) -> Any:
        call = insights.GetInsight(id=number, refresh=Refresh.BLOCKING)
        return computation.get_insight(work.client, call, work.watch)

    found: Insight = await work.references.on_insight(reference, get)
    return found


async def _asked(work: Work, call: Callable[[], Endpoint[Reply]]) -> Reply | None:
    """PostHog's answer; None where it refuses keys, has no AI approval, or does not know the endpoint."""
    theirs = call()
    if not work.client.may(type(theirs)):
        return None
    try:
        return await work.client.send(theirs)
    except (Forbidden, NotFound):
        return None


async def _by_rule(work: Work, insight: Insight) -> list[dict[str, Any]]:
    source = source_of(insight.query or {})
    event = first_event(source)
    of_event = ListPropertyDefinitions(event_names=[event], filter_by_event_names=True) if event else None
    return follow_ups(source, await _names(work, ListEventDefinitions(limit=20)), await _names(work, of_event))


async def _names(work: Work, call: Endpoint[Page[Any]] | None) -> list[str]:
    """Names from the catalogue of data; none where the key may not ask."""
    if call is None or not work.client.may(type(call)):
        return []
    try:
        return [definition.name for definition in (await work.client.send(call)).results]
    except InsightsError:
        return []
