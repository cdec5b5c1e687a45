"""Reading saved insights: find, get, trending, viewed."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from insights_mcp import computation
from insights_mcp.answer import Answer
from insights_mcp.diagnosis import NAMES, explaining
from insights_mcp.endpoint import Effect
from insights_mcp.endpoints import insights
from insights_mcp.endpoints.queries import GetQuery, RunQuery
from insights_mcp.errors import NotFound, SessionOnly
from insights_mcp.schema.insight import Insight, InsightKind, Refresh, TrendingInsight
from insights_mcp.schema.query import slim
from insights_mcp.schema.reply import Page
from insights_mcp.text import counted, quoted
from insights_mcp.tools.insight_facts import facts, insights_table, named, who
from insights_mcp.tools.picture import Drawable
from insights_mcp.tools.result import result_answer
from insights_mcp.tools.tool import Dashboards, Detailed, InsightReference, Texts, Tool, Within, Work, several


def _kind(given: Any) -> Any:
    """The API's word for a kind: models write the query's own, too."""
    word = given.strip().upper().removesuffix("QUERY") if isinstance(given, str) else given
    return KINDS.get(word, word) if isinstance(word, str) else given


NOT_THERE = "It is not on dashboard {}: no filter of that dashboard is in these numbers."
KINDS = {"TREND": "TRENDS", "FUNNEL": "FUNNELS", "PATH": "PATHS", "HOGQL": "SQL"}


def _refresh(given: Any) -> Any:
    """PostHog's other words for the same, and run_query's yes and no: every call here waits."""
    return REFRESH.get(str(given).lower(), given) if isinstance(given, str | bool) else given


REFRESH = {
    "true": "force_blocking", "force_async": "force_blocking",
    "false": "blocking", "async": "blocking", "lazy_async": "blocking", "async_except_on_cache_miss": "blocking",
}  # fmt: skip


class Moment(str):
    """A date as the API reads it; `notes` say so where it was given in words."""

    notes: tuple[str, ...] = ()


def _moment(given: str) -> Moment:
    """The API takes what it cannot read for now, without a word: nothing else gets through."""
    from insights_mcp.repair import dates

    ends = dates.start(given.strip())
    if ends is None or ends[0] in ("", "all"):
        raise ValueError("a date is 2026-01-31 or -7d")
    moment = Moment(ends[0])
    if moment != given:
        moment.notes = (f"Read {quoted(given, 60)} as {moment}.",)
    return moment


Kind = Annotated[InsightKind, BeforeValidator(_kind)]
Date = Annotated[str, AfterValidator(_moment)]


class ListInsights(Tool):
    """Find saved insights, newest change first: by words, kind, tags, dashboards, events, author and dates."""

    title: ClassVar[str] = "Find insights"
    tabular = True
    uses = (insights.ListInsights,)

    search: Annotated[str | None, Field(max_length=200, description="Words in name, description or tags.")] = None
    kind: Annotated[Kind | None, Field(description="Only this kind of query.")] = None
    tags: Annotated[Texts | None, Field(description="With any of these tags.")] = None
    dashboards: Annotated[Dashboards | None, Field(description="On all of these: numbers or names.")] = None
    events: Annotated[Texts | None, Field(description="Using all of these events.")] = None
    favorited: Annotated[bool, Field(description="Only favorites.")] = False
    mine: Annotated[bool, Field(description="Only those the key's owner made.")] = False
    modified_after: Annotated[Date | None, Field(description="Date, or relative: -7d.")] = None
    modified_before: Annotated[Date | None, Field(description="Date, or relative.")] = None
    order: Annotated[
        Literal["-last_modified_at", "-last_viewed_at", "-created_at", "created_at", "name"],
        Field(description="Sorted by; - is descending."),
    ] = "-last_modified_at"
    limit: Annotated[int, Within(1, 100), Field(description="Insights per page.")] = 20
    offset: Annotated[int, Field(ge=0, description="Insights to skip.")] = 0

    async def run(self, work: Work) -> Answer:
        """One page of the list."""
        on = [await work.references.dashboard_number(d) for d in self.dashboards or ()]
        page = await work.client.send(self._call(on))
        if not page.results:
            return self._none(page.count or 0)
        held = page.count if page.count is not None else len(page.results)
        table = insights_table(page.results, self.offset, page.count, viewed=True)
        return Answer(f"Found {counted(held, 'insight')}.", table=table, more="list_insights(…, offset={offset})")

    def _none(self, held: int) -> Answer:
        """What a page without rows means, and what to do next."""
        if held:
            return Answer(
                f"No insight after the first {self.offset:,}: there are {held:,}.", next=("Go back: offset=0.",)
            )
        wider = self.model_fields_set - {"order", "limit", "offset", "search"}
        words = ("search finds parts of words as they are written; try fewer or other words",) if self.search else ()
        less = (f"leave out {' or '.join(sorted(wider))}",) if wider else ()
        step = "; ".join((*words, *less))
        return Answer("No insight matches.", next=(f"{step[:1].upper()}{step[1:]}.",) if step else ())

    def _call(self, dashboards: list[int]) -> insights.ListInsights:
        return insights.ListInsights(
            search=self.search,
            insight=self.kind,
            tags=self.tags,
            dashboards=dashboards or None,
            events=self.events,
            favorited=self.favorited,
            user=self.mine,
            date_from=self.modified_after,
            date_to=self.modified_before,
            order=self.order,
            limit=self.limit,
            offset=self.offset,
        )


class GetInsight(Detailed, Drawable):
    """Read a saved insight: what it asks (query) and the result, computed now unless the cache is fresh."""

    title: ClassVar[str] = "Read an insight"
    uses = (insights.GetInsight,)
    may_use = (GetQuery, RunQuery, insights.ListInsights, *NAMES)

    id: InsightReference
    refresh: Annotated[
        Literal["blocking", "force_blocking", "force_cache"],
        BeforeValidator(_refresh),
        Field(description="force_blocking: compute anew; force_cache: only what is cached."),
    ] = "blocking"
    from_dashboard: Annotated[int | None, Field(description="With this dashboard's filters.")] = None

    async def run(self, work: Work) -> Answer:
        """The insight with its result."""
        async with explaining(work.client):
            found = await work.references.on_insight(
                self.id, lambda n: computation.get_insight(work.client, self._call(n), work.watch)
            )
        if self.detail == "full":
            whole = {"query": slim(found.query), "result": found.result, "columns": found.columns, "types": found.types}
            told = Answer(f"All of insight {named(found)}.", table=self.pieces(whole), more=self.more())
            return await self.with_picture(told, found, found.query)
        told = await result_answer(
            work,
            f"Insight {named(found)}{_state(found)}",
            found,
            found.query,
            page=self,
            facts=await facts(found, work.client, linked=True),
            path=f"/insights/{found.short_id}",
        )
        if self.from_dashboard is not None and found.dashboard_tiles is not None and not self._on(found):
            told = replace(told, notes=(*told.notes, NOT_THERE.format(self.from_dashboard)))
        return await self.with_picture(told, found, found.query)

    def _on(self, found: Insight) -> bool:
        return self.from_dashboard in found.on_dashboards

    def _call(self, number: int) -> insights.GetInsight:
        return insights.GetInsight(id=number, refresh=Refresh(self.refresh), from_dashboard=self.from_dashboard)


class ListTrendingInsights(Tool):
    """The insights most people viewed in the last days."""

    title: ClassVar[str] = "Trending insights"
    tabular = True
    uses = (insights.ListInsights,)
    may_use = (insights.ListTrendingInsights,)

    days: Annotated[int, Within(1, 365), Field(description="Days to look back.")] = 7
    limit: Annotated[int, Within(1, 100), Field(description="Insights at most.")] = 10

    async def run(self, work: Work) -> Answer:
        """Trending where the key may ask for it, else the list by last view."""
        page = await self._trending(work)
        if page is None:
            return await self._last_viewed(work)
        table = insights_table(list(page.results))
        rows = [[i.view_count, _viewers(i), *row] for i, row in zip(page.results, table.rows, strict=True)]
        said = f"{_viewed(self.days, len(rows))}, most distinct viewers first."
        return Answer(said, table=type(table)(("viewers", "last viewers", *table.columns), rows))

    async def _trending(self, work: Work) -> Page[TrendingInsight] | None:
        if not work.client.may(insights.ListTrendingInsights):
            return None
        try:
            return await work.client.send(insights.ListTrendingInsights(days=self.days, limit=self.limit))
        except (SessionOnly, NotFound):
            return None

    async def _last_viewed(self, work: Work) -> Answer:
        call = insights.ListInsights(order="-last_viewed_at", last_viewed_date_from=f"-{self.days}d", limit=self.limit)
        page = await work.client.send(call)
        table = insights_table(page.results)
        rows = [[i.last_viewed_at, *row] for i, row in zip(page.results, table.rows, strict=True)]
        return Answer(
            f"{_viewed(self.days, len(rows))}, latest view first.",
            table=type(table)(("last viewed", *table.columns), rows),
            left_out=(
                "view counts: this PostHog refuses its trending list to API keys, so this is the list by last view",
            ),
        )


class MarkInsightsViewed(Tool):
    """Record that the key's owner has just viewed insights, as opening them in the web app does."""

    title: ClassVar[str] = "Mark insights as viewed"
    effect = Effect.WRITE
    uses = (insights.MarkInsightsViewed, insights.GetInsight)

    ids: Annotated[
        list[InsightReference],
        BeforeValidator(several),
        Field(min_length=1, max_length=50, description="The insights."),
    ]

    async def run(self, work: Work) -> Answer:
        """Each reference is found first: PostHog silently ignores numbers it does not know."""
        numbers = [await work.references.insight_number(reference) for reference in self.ids]
        await work.client.send(insights.MarkInsightsViewed(insight_ids=list(dict.fromkeys(numbers))))
        return Answer(f"Recorded a view of {counted(len(set(numbers)), 'insight')}.", {"ids": numbers})


def _state(insight: Insight) -> str:
    if insight.query is None:
        return ", which has no query."
    if insight.result is None:
        return ": nothing is cached; refresh='blocking' computes it."
    return "."


def _viewed(days: int, found: int) -> str:
    return f"Viewed in the last {counted(days, 'day')}: {counted(found, 'insight')}"


def _viewers(insight: TrendingInsight) -> str:
    return ", ".join(name for name in map(who, insight.viewers) if name)
