"""Which module of a kind says who is behind its points, and how a point reaches it."""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from pydantic import ValidationError

from insights_mcp.local.queries.errors import QueryError, SchemaError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.selection import Actors
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.actors import (
    FunnelCorrelationActorsQuery,
    FunnelsActorsQuery,
    Point,
    StickinessActorsQuery,
)
from insights_mcp.schema.query import source_of

PACKAGE = "insights_mcp.local.queries"
SELECTIONS = {
    "TrendsQuery": ("trends", "trends.actors"),
    "FunnelsQuery": ("funnels", "funnels.actors"),
    "PathsQuery": ("paths", "paths.selection"),
    "RetentionQuery": ("retention", "retention"),
    "StickinessQuery": ("stickiness", "stickiness"),
    "LifecycleQuery": ("lifecycle", "lifecycle"),
}

# The only kinds that these are points of.
ONLY: dict[type[Point], str] = {
    FunnelsActorsQuery: "FunnelsQuery",
    FunnelCorrelationActorsQuery: "FunnelsQuery",
    StickinessActorsQuery: "StickinessQuery",
}


def selected(point: Point, scan: Scan, context: Context) -> Actors:
    """Who is behind a point. Raises QueryError, SchemaError."""
    asked = point.source.source if isinstance(point, FunnelCorrelationActorsQuery) else point
    source = source_of(asked.source)
    kind = str(source.get("kind") or "")
    if kind not in SELECTIONS:
        known = ", ".join(SELECTIONS)
        raise QueryError(f"Actors of a {kind or 'query without a kind'} are not known. Use {known}.", attr="source")
    if (only := ONLY.get(type(point), kind)) != kind:
        raise QueryError(
            f"A {point.kind} is about a {only}. Who is behind a {kind} is an InsightActorsQuery.", attr="source"
        )
    model_of, module_of = (cast(Any, import_module(f"{PACKAGE}.{name}")) for name in SELECTIONS[kind])
    try:
        model = model_of.MODEL.model_validate(source)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SchemaError(f"source.source.{where}: {first['msg']}") from None
    return cast(Actors, module_of.actors(model, point, scan, context))
