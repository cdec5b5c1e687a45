"""Who changed what: of one insight, and of all."""

from __future__ import annotations

import json
from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer, Table
from insights_mcp.answer.pieces import pieces_table
from insights_mcp.endpoints import activity
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.schema.activity import Activity, ActivityPage, Change
from insights_mcp.text import shortened
from insights_mcp.tools.tool import Detailed, InsightReference, Work

COLUMNS = ("when", "who", "what", "insight", "changes")


class Log(Detailed):
    """A page of the activity log."""

    limit: Annotated[int, Field(ge=1, le=100, description="Entries per page.")] = 10
    page: Annotated[int, Field(ge=1, description="Page, from 1.")] = 1

    def told(self, log: ActivityPage) -> Answer:
        """The page as a table, or all of it."""
        total = log.total_count if log.total_count is not None else len(log.results)
        said = f"{total} entries, newest first; page {self.page}." if log.results else "No entries here."
        following = (f"Older ones: page={self.page + 1}.",) if log.next else ()
        if self.detail == "full":
            whole = [entry.model_dump(exclude_none=True) for entry in log.results]
            return Answer(said, table=pieces_table(whole).after(self.offset), next=following, more=self.more())
        rows = [_row(entry) for entry in log.results]
        return Answer(said, table=Table(COLUMNS, rows).after(self.offset), next=following, more=self.more())


class GetInsightActivity(Log):
    """Who changed an insight, when, and what from what to what; newest first."""

    title: ClassVar[str] = "See who changed an insight"
    uses = (activity.GetInsightActivity,)
    may_use = (ListInsights, GetInsight)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """One page of the insight's log."""
        return self.told(
            await work.references.on_insight(
                self.id,
                lambda n: work.client.send(activity.GetInsightActivity(id=n, limit=self.limit, page=self.page)),
            )
        )


class ListActivity(Log):
    """Who changed which insight of the project, also deleted ones; newest first."""

    title: ClassVar[str] = "See all changes to insights"
    uses = (activity.ListActivity,)

    async def run(self, work: Work) -> Answer:
        """One page of the project's log."""
        return self.told(await work.client.send(activity.ListActivity(limit=self.limit, page=self.page)))


def _row(entry: Activity) -> list[Any]:
    user, detail = entry.user, entry.detail
    name = (user.first_name or user.email) if user else None
    insight = f"{detail.name or 'unnamed'} ({detail.short_id or entry.item_id})" if detail else entry.item_id
    changes = "; ".join(map(_change, detail.changes or ())) if detail else ""
    return [(entry.created_at or "")[:19], name, entry.activity, insight, changes]


def _change(change: Change) -> str:
    if change.field in ("query", "filters", "query_metadata"):
        return f"{change.field} changed"
    return f"{change.field}: {_value(change.before)} → {_value(change.after)}"


def _value(value: Any) -> str:
    return "nothing" if value in (None, "", []) else shortened(json.dumps(value, ensure_ascii=False, default=str), 60)
