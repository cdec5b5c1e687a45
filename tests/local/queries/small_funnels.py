"""Funnels over the small world, and what their answers say."""

from __future__ import annotations

from typing import Any

from insights_mcp.local.events import EventStore
from insights_mcp.local.queries.funnels.actors import actors
from insights_mcp.local.queries.project import Context, Project
from insights_mcp.schema.actors import FunnelsActorsQuery
from insights_mcp.schema.funnels import FunnelsQuery
from tests.local.queries.conftest import NOW

DAYS = {"date_from": "2026-03-08", "date_to": "2026-03-10"}
HOUR = 3600
PAGE = {"breakdown": "page", "breakdown_type": "event"}


def funnel(*steps: str | dict[str, Any], breakdown: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    nodes = [{"kind": "EventsNode", **({"event": step} if isinstance(step, str) else step)} for step in steps]
    query = {"kind": "FunnelsQuery", "series": nodes, "dateRange": DAYS, "funnelsFilter": given}
    return query | ({"breakdownFilter": breakdown} if breakdown else {})


def counts(answer: dict[str, Any]) -> list[int]:
    return [step["count"] for step in answer["results"]]


def times(answer: dict[str, Any]) -> list[float | None]:
    return [step["average_conversion_time"] for step in answer["results"]]


def values(answer: dict[str, Any]) -> dict[str, list[int]]:
    return {steps[0]["breakdown_value"][0]: [step["count"] for step in steps] for steps in answer["results"]}


def behind(store: EventStore, query: dict[str, Any], **point: Any) -> set[str]:
    """The distinct ids of who is behind a point."""
    context = Context(Project(), NOW, store.catalogue())
    scan = context.scan()
    asked = FunnelsActorsQuery.model_validate({"kind": "FunnelsActorsQuery", "source": query, **point})
    selected = actors(FunnelsQuery.model_validate(query), asked, scan, context)
    named = scan.statement(
        f"select distinct_id from person_distinct_ids join ({selected.sql}) on pid = actor"
    )  # fmt: skip
    return {name for (name,) in store.fetch(named.text, named.parameters).rows} - {"anon-1"}
