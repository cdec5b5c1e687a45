"""Dashboards: find them, and the insights on one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer, Table
from insights_mcp.answer.asked import instant
from insights_mcp.answer.numbers import duration
from insights_mcp.answer.pieces import dumps, pieces_table
from insights_mcp.answer.results import readable
from insights_mcp.endpoints import account
from insights_mcp.errors import NotFound, UnknownReference
from insights_mcp.schema.insight import Insight
from insights_mcp.text import counted, quoted
from insights_mcp.tools.insight_facts import asked, kind_of
from insights_mcp.tools.tool import DashboardReference, Detailed, Tool, Within, Work

TILES = ("short_id", "name", "kind", "headline")
HEADLINE = 150
UNCOMPUTED = "not computed"


class ListDashboards(Tool):
    """Find dashboards by words, pinned ones first."""

    title: ClassVar[str] = "Find dashboards"
    tabular = True
    uses = (account.ListDashboards,)

    search: Annotated[str | None, Field(max_length=200, description="Words in name or description.")] = None
    limit: Annotated[int, Within(1, 100), Field(description="Dashboards per page.")] = 20
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
        """Its insights, each with what its cached result says first."""
        number = await work.references.dashboard_number(self.id)
        try:
            found = await work.client.send(account.GetDashboard(id=number))
        except NotFound:
            raise UnknownReference(
                f"There is no dashboard {number}.", "list_dashboards names those there are."
            ) from None
        if self.detail == "full":
            table = pieces_table(found.model_dump(mode="json", exclude_none=True)).after(self.offset)
            return Answer(f"All of dashboard {quoted(found.name)}.", table=table, more=self.more())
        tiles = found.tiles or []
        insights = [tile.insight for tile in tiles if tile.insight is not None]
        texts = len(tiles) - len(insights)
        return Answer(
            f"Dashboard {quoted(found.name)} ({found.id}) holds {counted(len(insights), 'insight')}.",
            {
                "description": found.description,
                "tags": found.tags,
                "url": await work.client.url(f"/dashboard/{number}"),
            },
            Table(TILES, [_tile(insight) for insight in insights]).after(self.offset),
            (f"{counted(texts, 'text')} (detail='full' has them)",) if texts else (),
            more=self.more(),
            digest=_freshness(insights, datetime.now(UTC)),
        )


def _tile(insight: Insight) -> list[Any]:
    return [insight.short_id or insight.id, insight.title, kind_of(insight), headline(insight)]


def headline(insight: Insight) -> str:
    """The first thing its result says: a line of the digest, or what stands in its only row."""
    if insight.result is None:
        return UNCOMPUTED
    result = readable(insight.result, insight.columns, asked(insight, insight.query))
    if result.digest:
        return _clauses(result.digest[0])
    table = result.whole or Table((), [])
    if table.size != 1 or table.verbatim:
        return counted(table.size, "row") if table.size else "no data"
    return ", ".join(f"{column}: {_told(cell)}" for column, cell in zip(table.columns, table.rows[0], strict=False))


def _clauses(line: str) -> str:
    """As much of a line as a cell holds, in whole clauses."""
    kept, *rest = line.split("; ")
    for clause in rest:
        if len(kept) + len(clause) + 2 > HEADLINE:
            break
        kept += f"; {clause}"
    return kept


def _told(cell: Any) -> str:
    """A cell in a line."""
    return cell if isinstance(cell, str) else dumps(cell)


def _freshness(insights: list[Insight], now: datetime) -> tuple[str, ...]:
    """How old the results are; that some were never computed."""
    dated = [(moment, i) for i in insights if i.result is not None and (moment := instant(i.last_refresh))]
    missing = [insight for insight in insights if insight.result is None]
    lines = []
    if dated:
        oldest, insight = min(dated, key=lambda pair: pair[0])
        age = duration(max((now - oldest).total_seconds(), 1)).split()[0]
        lines.append(f"Results are from the cache, the oldest {age} old: {quoted(insight.title, 60)}.")
    if missing:
        lines.append(f"{counted(len(missing), 'insight')} without a cached result: get_insight computes it.")
    return tuple(lines)
