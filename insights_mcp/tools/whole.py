"""Whole results: what a handle leads to, as one table; from memory while it is fresh, else fetched again."""

from __future__ import annotations

import hashlib
import marshal
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from insights_mcp import computation
from insights_mcp.answer import Link
from insights_mcp.answer.flat import Flat, flat
from insights_mcp.answer.results import Readable
from insights_mcp.endpoints.insights import GetInsight
from insights_mcp.endpoints.queries import RunQuery
from insights_mcp.errors import QueryFailed
from insights_mcp.handles import Handle
from insights_mcp.recent import weight_of
from insights_mcp.schema.insight import Insight, Refresh
from insights_mcp.schema.query import QueryResponse, source_of
from insights_mcp.text import clean
from insights_mcp.tools.insight_facts import asked
from insights_mcp.tools.selected import KIND, handles_of, selected
from insights_mcp.tools.tool import Tool, Work

FEW_CELLS = 120  # an answer shows so many
Computed = Insight | QueryResponse
LONGEST_TOLD = 200
UNLINKED = "an address of the whole result: what was asked is too long for one"
BEYOND_ROWS = "rows beyond the query's LIMIT"
BEYOND_VALUES = "breakdown values beyond the limit"
AT_ONCE = 1_000  # rows
PLAIN = 2  # of marshal: the same bytes for the same values, wherever they are in memory
FLAT = 2  # so many times what a reply weighs, with its table


@dataclass(frozen=True)
class Whole:
    """A result and what it is of."""

    handle: Handle
    computed: Computed
    query: dict[str, Any] | None

    @cached_property
    def table(self) -> Flat:
        """All of it, a row for each value."""
        held = self.computed
        return flat(held.outcome, held.columns, held.types, asked(held, self.query))

    @cached_property
    def state(self) -> str:
        """Tells this table from what becomes of it when it is computed anew."""
        told, rows = hashlib.sha256(marshal.dumps(self.table.columns, PLAIN)), self.table.rows
        for first in range(0, len(rows), AT_ONCE):
            told.update(marshal.dumps(list(rows[first : first + AT_ONCE]), PLAIN))
        return told.hexdigest()[:8]

    @property
    def name(self) -> str:
        """What it is called: the insight's name, or the kind of query."""
        if isinstance(self.computed, Insight):
            return clean(self.computed.title, 120)
        return clean(source_of(self.query or {}).get("kind") or "query", 60)

    @property
    def beyond(self) -> str:
        """What PostHog did not compute; '' when the result is complete."""
        if not self.computed.hasMore:
            return ""
        return BEYOND_ROWS if self.computed.columns else BEYOND_VALUES


class Found(NamedTuple):
    """A whole result, and whether it was remembered: then no call was made for it."""

    whole: Whole
    remembered: bool


async def whole_of(work: Work, handle: Handle) -> Found:
    """The result a handle leads to. Every failure is an InsightsError."""
    if (kept := work.recent.get(handle.key)) is not None:
        return Found(kept, True)
    if handle.query is not None and handle.query.get("kind") == KIND:
        return await _selected(work, handle, handle.query)
    if handle.query is not None:
        call = RunQuery(query=handle.query, refresh=Refresh.BLOCKING)
        reply = await computation.run_query(work.client, call, work.watch)
        return Found(remember(work, handle, reply, handle.query), False)
    return await work.references.on_insight(handle.reference, lambda number: _of_insight(work, handle, number))


async def _selected(work: Work, handle: Handle, query: dict[str, Any]) -> Found:
    """SQL over results, asked again: of what they are now."""
    tables = {name: (await whole_of(work, of)).whole.table for name, of in handles_of(query).items()}
    return Found(remember(work, handle, await selected(tables, query["sql"]), query), False)


async def _of_insight(work: Work, handle: Handle, number: int) -> Found:
    if (kept := work.recent.get(Handle(str(number), handle.from_dashboard).key)) is not None:
        return Found(kept, True)
    call = GetInsight(id=number, refresh=Refresh.BLOCKING, from_dashboard=handle.from_dashboard)
    insight = await computation.get_insight(work.client, call, work.watch)
    if insight.result is None:
        raise QueryFailed("The insight has no result.", "get_insight tells what it is.")
    return Found(remember(work, handle, insight, insight.query), False)


def remember(work: Work, handle: Handle, computed: Computed, query: dict[str, Any] | None) -> Whole:
    """The result as a whole, kept for a moment by the names of it that never change."""
    names = [handle]
    if isinstance(computed, Insight):
        names = [Handle(name, handle.from_dashboard) for name in (computed.short_id, str(computed.id)) if name]
    whole = Whole(names[0], computed, query)
    weight = weight_of(computed.outcome) * FLAT // len(names)
    for name in names:
        work.recent.keep(name.key, whole, weight)
    return whole


async def whole_links(
    work: Work, asked_by: Tool | None, computed: Computed, query: dict[str, Any] | None, found: Readable
) -> tuple[tuple[Link, ...], tuple[str, ...]]:
    """The address of the whole result, where it is larger than an answer shows; or that its query is too long for one.

    The result is kept for a moment.
    """
    if found.whole is None:
        return (), ()
    saved = isinstance(computed, Insight)
    handle = Handle(from_dashboard=getattr(asked_by, "from_dashboard", None)) if saved else Handle(query=query)
    whole = remember(work, handle, computed, query)
    if len(found.whole.rows) * len(found.whole.columns) <= FEW_CELLS:
        return (), ()
    uri = whole.handle.uri(await work.client.project_id())
    return ((Link(uri, f"{whole.name}: whole result"),), ()) if uri else ((), (UNLINKED,))


def addresses(links: tuple[Link, ...]) -> tuple[str, ...]:
    """Addresses in words; one that is long stands in its link alone."""
    return tuple(f"whole result: {link.uri}" for link in links if len(link.uri) <= LONGEST_TOLD)
