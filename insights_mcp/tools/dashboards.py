"""Dashboards: find them, and the insights on one."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer, Table
from insights_mcp.answer.pieces import pieces_table
from insights_mcp.endpoints import account
from insights_mcp.text import counted, quoted
from insights_mcp.tools.insight_facts import insights_table
from insights_mcp.tools.tool import DashboardReference, Detailed, Tool, Work


class ListDashboards(Tool):
    """Find dashboards by words, pinned ones first."""

    title: ClassVar[str] = "Find dashboards"
    tabular = True
    uses = (account.ListDashboards,)

    search: Annotated[str | None, Field(max_length=200, description="Words in name or description.")] = None
    limit: Annotated[int, Field(ge=1, le=100, description="Dashboards per page.")] = 20
    offset: Annotated[int, Field(ge=0, description="Dashboards to skip.")] = 0

    async def run(self, work: Work) -> Answer:
        """One page of the list."""
        call = account.ListDashboards(search=self.search, limit=self.limit, offset=self.offset)
        page = await work.client.send(call)
        rows: list[list[Any]] = [
            [d.id, d.name, d.description, d.pinned, ", ".join(d.tags), d.is_shared] for d in page.results
        ]
        columns = ("id", "name", "description", "pinned", "tags", "shared")
        table = Table(columns, rows, self.offset, page.count)
        said = f"{counted(table.size, 'dashboard')}." if rows else "No dashboard matches."
        return Answer(said, table=table, more="list_dashboards(…, offset={offset})")


class GetDashboard(Detailed):
    """The insights on a dashboard. Read each with get_insight."""

    title: ClassVar[str] = "Read a dashboard"
    uses = (account.GetDashboard,)
    may_use = (account.ListDashboards,)

    id: Annotated[DashboardReference, Field(max_length=2000, description="Number, URL or exact name.")]

    async def run(self, work: Work) -> Answer:
        """Its insights, without their results."""
        number = await work.references.dashboard_number(self.id)
        found = await work.client.send(account.GetDashboard(id=number))
        if self.detail == "full":
            table = pieces_table(found.model_dump(mode="json", exclude_none=True)).after(self.offset)
            return Answer(f"All of dashboard {quoted(found.name)}.", table=table, more=self.more())
        tiles = found.tiles or []
        table = insights_table([tile.insight for tile in tiles if tile.insight is not None])
        said = f"Dashboard {quoted(found.name)} ({found.id}) holds {counted(len(table.rows), 'insight')}."
        texts = sum(tile.insight is None for tile in tiles)
        return Answer(
            said,
            {
                "description": found.description,
                "tags": found.tags,
                "url": await work.client.url(f"/dashboard/{number}"),
            },
            table.after(self.offset),
            (f"{counted(texts, 'text')} (detail='full' has them)",) if texts else (),
            more=self.more(),
        )
