"""Saved insights as resources: the list a person picks from, and the page of each: what it says and what it asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import mcp_types as types

from insights_mcp.answer import SUMMARY, render
from insights_mcp.answer.pieces import dumps
from insights_mcp.client import Client
from insights_mcp.endpoints.insights import ListInsights
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.insight import Insight
from insights_mcp.text import KEY, clean
from insights_mcp.tools.insight_facts import kind_of
from insights_mcp.tools.insights import GetInsight
from insights_mcp.tools.tool import Work, parse

MARKDOWN = "text/markdown"
PAGE = 50
MOST = 200  # some clients fetch the whole list at once: the rest is found by template, search and links
LONGEST_QUERY = 12_000  # characters
FAVORITES, RECENT = "favorites", "recent"


async def read_insight(work: Work, uri: str, variables: dict[str, str]) -> list[types.TextResourceContents]:
    """The insight's page: nothing is computed for it."""
    reference = variables["ref"]
    answer = await parse(GetInsight, {"id": reference, "refresh": "force_cache"}).run(work)
    facts = dict(answer.facts)
    query = facts.pop("query", None)
    told = render(replace(answer, facts=facts), await work.client.place(), SUMMARY).text
    return [types.TextResourceContents(uri=uri, mime_type=MARKDOWN, text=f"{told}\n\n{_query(query, reference)}")]


def _query(query: Any, reference: str) -> str:
    """The query as a block of JSON that nothing in it can end, without keys."""
    if query is None:
        return "It has no query."
    text = KEY.sub("ph*_…", dumps(query)).replace("`", "\\u0060")
    if len(text) > LONGEST_QUERY:
        return f"Its query has {len(text):,} characters: get_insight(id={clean(reference)!r}, detail='full') shows it."
    return f"Its query:\n\n```json\n{text}\n```"


async def list_insights(client: Client, cursor: str | None) -> types.ListResourcesResult:
    """Favorites first, then what was viewed last. InvalidInput for a cursor that none of our pages had."""
    place: tuple[str, int] | None = _place(cursor)
    listed: list[types.Resource] = []
    while place is not None and len(listed) < PAGE:
        part, offset = place
        call = ListInsights(favorited=part == FAVORITES, order="-last_viewed_at", limit=PAGE, offset=offset)
        page = await client.send(call)
        listed += [_listed(i) for i in page.results if part == FAVORITES or not i.favorited]
        place = _next(part, offset + len(page.results), page.next is not None and bool(page.results))
    return types.ListResourcesResult(resources=listed, next_cursor=f"{place[0]}.{place[1]}" if place else None)


def _place(cursor: str | None) -> tuple[str, int]:
    if cursor is None:
        return FAVORITES, 0
    part, _, offset = cursor.partition(".")
    if part not in (FAVORITES, RECENT) or not (offset.isascii() and offset.isdigit() and len(offset) < 6):
        raise InvalidInput(f"There is no page '{clean(cursor, 60)}' of resources.", "Begin without a cursor.")
    return part, int(offset)


def _next(part: str, offset: int, more: bool) -> tuple[str, int] | None:
    if more and offset < MOST:
        return part, offset
    return (RECENT, 0) if part == FAVORITES else None


def _listed(insight: Insight) -> types.Resource:
    name = insight.short_id or str(insight.id)
    told = f"{kind_of(insight)}. {clean(insight.description or '', 200)}".strip()
    return types.Resource(
        uri=f"insight://{name}",
        name=name,
        title=clean(insight.title, 200),
        description=told,
        mime_type=MARKDOWN,
        annotations=types.Annotations(priority=1.0 if insight.favorited else 0.5),
    )
