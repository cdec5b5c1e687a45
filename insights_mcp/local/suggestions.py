"""What to ask next about an insight: its result told in words, and follow-up queries made by rule.

Mirrors `analyze` and `suggestions`, which PostHog asks a language model for. Here the same result gives the same words.
"""

from __future__ import annotations

import json
from typing import Any

import orjson
from starlette.responses import Response

from insights_mcp.analysis import analysis
from insights_mcp.endpoints.insights import AnalyzeInsight, GetSuggestions, SuggestNext
from insights_mcp.follow_ups import Suggestion, first_event, follow_ups
from insights_mcp.local.calls import Call, answers, reply
from insights_mcp.local.computing import Ask
from insights_mcp.local.definitions import read
from insights_mcp.local.insight_shape import find
from insights_mcp.local.results import Outcome
from insights_mcp.local.store import Row, moment_of
from insights_mcp.schema.insight import Refresh
from insights_mcp.watching import circumstances

WRAPPER = "InsightVizNode"


@answers(AnalyzeInsight)
async def analyze_insight(call: Call) -> Response:
    """The kept result in words; nothing is computed. Empty for anything but product analytics."""
    row = find(call.store, call.path["id"])
    source = _source(row)
    if source is None:
        return reply({"result": ""})
    kept = await _kept(call, row)
    results = None if kept.results is None else orjson.loads(kept.results)
    at = moment_of(kept.last_refresh) if kept.last_refresh else call.now
    name = row["name"] or row["derived_name"] or "This insight"
    return reply({"result": analysis(name, circumstances(dict(kept.rest), source, at), results)})


@answers(GetSuggestions)
@answers(SuggestNext)
async def get_suggestions(call: Call) -> Response:
    """Follow-up queries, as a bare list."""
    row = find(call.store, call.path["id"])
    source = _source(row)
    if source is None:
        return reply([])
    return reply(await _suggestions(call, row, source))


async def _suggestions(call: Call, row: Row, source: dict[str, Any]) -> list[Suggestion]:
    kept = await _kept(call, row)
    # PostHog suggests for retention even when nothing was computed yet.
    if kept.results is None and source.get("kind") != "RetentionQuery":
        return []
    events = await read(call, lambda store: store.event_definitions())
    properties = await read(call, lambda store: store.property_definitions("event"))
    event = first_event(source)
    carried = [row.name for row in properties if event is None or event in row.events]
    return follow_ups(source, [row.name for row in sorted(events, key=lambda row: -row.count)], carried)


async def _kept(call: Call, row: Row) -> Outcome:
    query = json.loads(row["query"])
    return await call.backend.computing.answer(query, Refresh.FORCE_CACHE, Ask(call.gone, insight_id=row["id"]))


def _source(row: Row) -> dict[str, Any] | None:
    query = json.loads(row["query"] or "null") or {}
    source = query.get("source")
    return source if query.get("kind") == WRAPPER and isinstance(source, dict) else None
