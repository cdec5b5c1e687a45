"""Who is behind a number: the persons or groups at one point of an insight."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field

from insights_mcp import computation
from insights_mcp.answer import Answer, Table
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.results import readable
from insights_mcp.diagnosis import CHECKS, nobody, numbered
from insights_mcp.endpoints import insights, queries
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.query import QueryResponse, source_of
from insights_mcp.text import counted, quoted
from insights_mcp.tools.insight_facts import asked, dated, source_line
from insights_mcp.tools.picture import Drawable, Subject
from insights_mcp.tools.pointing import in_words, outside
from insights_mcp.tools.points import point
from insights_mcp.tools.query_input import Query
from insights_mcp.tools.tool import InsightReference, Within, Work, given, several
from insights_mcp.words import described

SHOWN = ("email", "name")
MANY = ["event_count DESC", "actor_id"]
# What is told of each actor, and what they are sorted by.
BESIDE: dict[str, tuple[tuple[str, ...], list[str] | None]] = {
    "TrendsQuery": (("event_count",), MANY),
    "PathsQuery": (("event_count",), MANY),
    "RetentionQuery": (("appearances",), ["length(appearances) DESC", "actor_id"]),
}
Text = Annotated[str, BeforeValidator(lambda value: str(value) if type(value) is int else value)]
Values = Annotated[list[Text], BeforeValidator(several)]


class ListActors(Drawable):
    """The persons, or groups, behind one point of an insight."""

    title: ClassVar[str] = "List who is behind a number"
    uses = (queries.RunQuery,)
    may_use = (insights.GetInsight, insights.ListInsights, *CHECKS)

    query: Annotated[Query | None, Field(description="The query.")] = None
    id: Annotated[InsightReference | None, Field(description="Or a saved insight.")] = None
    day: Annotated[Text | None, Field(description="Bucket's date; stickiness: number of intervals.")] = None
    series: Annotated[int | None, Field(ge=0, description="Which one, from 0.")] = None
    breakdown: Annotated[Values | None, Field(description="Its value; of several, one of each.")] = None
    compare: Annotated[
        Literal["current", "previous"] | None, Field(description="Which period; day: the current's.")
    ] = None
    status: Annotated[
        Literal["new", "returning", "resurrecting", "dormant"] | None, Field(description="Lifecycle's.")
    ] = None
    step: Annotated[int | None, Field(description="Funnel: 2 reached step 2, -2 left before it.")] = None
    interval: Annotated[int | None, Field(ge=0, description="Retention: cohort's row, from 0.")] = None
    path: Annotated[
        list[str] | None, Field(description='Edge ["1_/a","2_/b"]; ["2_/b"]: who stopped there.', max_length=2)
    ] = None
    properties: Annotated[list[str] | None, Field(description="To show; default email, name.")] = None
    search: Annotated[str | None, Field(max_length=200, description="Part of name, email or id.")] = None
    limit: Annotated[int, Within(1, 200), Field(description="Per page.")] = 50
    offset: Annotated[int, Field(ge=0, description="To skip.")] = 0

    async def run(self, work: Work) -> Answer:
        """One page of actors."""
        source = await self._source(work)
        call = queries.RunQuery(query=self.actors_query(source), refresh=Refresh.BLOCKING)
        reply = await computation.run_query(work.client, call, work.watch)
        listed = reply.results if isinstance(reply.results, list) else []
        rows = [row for row in listed if isinstance(row, list) and row]
        end = self.offset + len(rows)
        table = self._table(reply, rows)
        found = readable(list(table.rows), table.columns)
        about = asked(reply, source)
        told = Answer(
            self._headline(len(rows), bool(reply.hasMore), source),
            table=table,
            more="list_actors(…, offset={offset})",
            left_out=(f"who comes after; go on with list_actors(…, offset={end})",) if reply.hasMore else (),
            digest=found.digest,
            provenance=source_line(reply, replace(about, has_more=False), found),
            notes=(*outside(self, dated(about, reply.outcome)), *(() if rows else await self._nobody(work, about))),
        )
        drawn = Subject(list(table.rows), table.columns, about, self._title(source))
        return await self.with_drawing(told, drawn)

    def _headline(self, found: int, more: bool, source: dict[str, Any]) -> str:
        """How many, and of which of the insight's numbers: the range below is the whole insight's."""
        if self.offset and not found:
            return f"No actor after the first {self.offset:,}."
        size = f"{counted(self.offset + found, 'actor')}{' so far' if more else ''}"
        return f"{size}{in_words(self, source)}."

    async def _nobody(self, work: Work, about: Asked) -> tuple[str, ...]:
        """Why a page is empty."""
        if self.offset:
            return ("There are fewer; go back with offset=0.",)
        if self.search:
            return (f"No mail, name or id there contains {quoted(self.search)}; without search, all are listed.",)
        return await nobody(work.client, about, self._place())

    async def _source(self, work: Work) -> dict[str, Any]:
        if self.query is not None and self.id is not None:
            raise InvalidInput("Both a query and an insight are given.", "Give query, or id, not both.")
        if self.query is not None:
            return source_of(await numbered(work.client, self.query))
        if self.id is None:
            raise InvalidInput("No insight is given.", "Give query, or the id of a saved insight.")
        found = await work.references.on_insight(
            self.id, lambda n: work.client.send(insights.GetInsight(id=n, refresh=Refresh.FORCE_CACHE))
        )
        return source_of(found.query or {})

    def actors_query(self, source: dict[str, Any]) -> dict[str, Any]:
        """The ActorsQuery for a point of a query. Raises InvalidInput where the point is not said, or cannot be."""
        meant = point(self, source)
        beside, order = BESIDE.get(str(source["kind"]), ((), None))
        page = given(orderBy=order, search=self.search, limit=self.limit, offset=self.offset or None)
        return {"kind": "ActorsQuery", "source": meant, "select": ["actor", *beside], **page}

    def _title(self, source: dict[str, Any]) -> str:
        return f"Who is behind: {described(source).split('. ')[0].removesuffix('.')}"

    def _place(self) -> int:
        """Which of the things that are counted is meant."""
        return max(abs(self.step) - 1, 0) if self.step else self.series or 0

    def _table(self, reply: QueryResponse, rows: list[list[Any]]) -> Table:
        """One row for each: the id, the properties asked for, what was selected beside."""
        names = tuple(self.properties or (name for name in SHOWN if any(name in _known(row) for row in rows)))
        beside = [str(name) for name in (reply.columns or ["actor"])[1:] if name != "event_distinct_ids"]
        cells = [_cells(row, names, len(beside)) for row in rows]
        return Table(("actor", *names, *beside), cells, self.offset if rows else 0)


def _known(row: list[Any]) -> dict[str, Any]:
    """An actor's properties, without those that are null."""
    found = row[0].get("properties") if isinstance(row[0], dict) else None
    return {name: value for name, value in found.items() if value is not None} if isinstance(found, dict) else {}


def _cells(row: list[Any], names: tuple[str, ...], beside: int) -> list[Any]:
    actor = row[0] if isinstance(row[0], dict) else {"id": row[0]}
    known = _known(row)
    return [(actor.get("distinct_ids") or [actor.get("id")])[0], *(known.get(n) for n in names), *row[1 : 1 + beside]]
