"""Who changed what: of one insight, and of all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer, Table
from insights_mcp.answer.pieces import pieces_table
from insights_mcp.endpoints import activity
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.schema.activity import ActivityPage
from insights_mcp.stories.activity import digest, episodes, rows
from insights_mcp.tools.tool import Detailed, InsightReference, Within, Work

SURVEYED = 100  # entries that the digest of the first page looks at


class Log(Detailed):
    """A page of the activity log."""

    limit: Annotated[int, Within(1, 100), Field(description="Entries per page.")] = 20
    page: Annotated[int, Field(ge=1, description="Page, from 1.")] = 1

    @property
    def asked(self) -> int:
        """Entries to ask for: with the first page comes what the digest is made of."""
        return self.limit if self.page > 1 or self.detail == "full" else max(self.limit, SURVEYED)

    def told(self, log: ActivityPage, *, of_one: bool = False) -> Answer:
        """The page as a story, or all of it."""
        entries = log.results[: self.limit]
        total = log.total_count if log.total_count is not None else len(log.results)
        said = f"{total} {'entry' if total == 1 else 'entries'}, newest first; page {self.page}."
        said = said if entries else f"No entries on page {self.page}: there are {total}."
        older = log.next is not None or len(entries) < len(log.results)
        following = (f"Older ones: page={self.page + 1}.",) if older else ()
        if self.detail == "full":
            table = pieces_table([entry.model_dump(exclude_none=True) for entry in entries])
            return Answer(said, table=table.after(self.offset), next=following, more=self.more())
        columns = ("when (UTC)", "who", *(() if of_one else ("insight",)), "what")
        return Answer(
            said,
            table=Table(columns, rows(episodes(entries), of_one=of_one)).after(self.offset),
            next=following,
            more=self.more(),
            digest=digest(log.results, total, datetime.now(UTC), of_one=of_one),
        )


class GetInsightActivity(Log):
    """Who changed an insight, when, and what from what to what; newest first."""

    title: ClassVar[str] = "See who changed an insight"
    uses = (activity.GetInsightActivity,)
    may_use = (ListInsights, GetInsight)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """One page of the insight's log."""
        log = await work.references.on_insight(
            self.id,
            lambda n: work.client.send(activity.GetInsightActivity(id=n, limit=self.asked, page=self.page)),
        )
        return self.told(log, of_one=True)


class ListActivity(Log):
    """Who changed which insight of the project, also deleted ones; newest first."""

    title: ClassVar[str] = "See all changes to insights"
    uses = (activity.ListActivity,)

    async def run(self, work: Work) -> Answer:
        """One page of the project's log."""
        return self.told(await work.client.send(activity.ListActivity(limit=self.asked, page=self.page)))
