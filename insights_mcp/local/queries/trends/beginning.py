"""When `all` time begins where actions are counted: with the first event that is one; the catalogue knows names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC

from insights_mcp.local.events import Rows
from insights_mcp.local.queries import entities
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters, joined
from insights_mcp.local.queries.sql import Sql
from insights_mcp.schema.filters import Entity
from insights_mcp.schema.trends import TrendsQuery

FIRST = "select min({at}) from {tables} where {matches}"


def statement(query: TrendsQuery, context: Context) -> Sql | None:
    """What asks for the first event of the actions; None where nobody wants to know, or names tell."""
    actions = [each for each in _counted(query, context) if _is_narrow(each, context)]
    if not actions or query.dateRange is None or query.dateRange.date_from != "all":
        return None
    scan = context.scan()
    matches = joined("or", [entities.kind_of(each, Filters(scan, context)) for each in actions])
    return scan.statement(FIRST.format(at=f"{scan.events}.timestamp", tables=scan.tables, matches=matches))


def known(query: TrendsQuery, context: Context, answer: Rows) -> Context:
    """The context that knows when the data of the query begin."""
    filters = Filters(context.scan(), context)
    others = [each for each in _counted(query, context) if not _is_narrow(each, context)]
    names = [name for each in others for name in entities.events_of(each, filters)]
    [(first,)] = answer.rows
    moments = [context.first_seen(names) if names else None, first and first.replace(tzinfo=UTC)]
    return replace(context, begins=min((each for each in moments if each), default=None))


def _counted(query: TrendsQuery, context: Context) -> Iterator[Entity]:
    for series in query.series:
        yield from (node for node in series.nodes or [series] if entities.exists(node, context))


def _is_narrow(entity: Entity, context: Context) -> bool:
    """Whether it is an action that asks more of an event than its name."""
    action = entities.named(entity, Filters(context.scan(), context))
    return action is not None and any(set(_said(step)) - {"event"} for step in action.steps)


def _said(step: dict[str, object]) -> list[str]:
    return [name for name, value in step.items() if value and not name.endswith("_matching")]
