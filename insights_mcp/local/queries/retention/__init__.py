"""RetentionQuery: of those who did something in a period, how many come back in the periods after it.

table.py says which periods are rows and columns; reading.py what is read; cohorts.py counts by calendar periods,
windows.py by 24-hour windows, pairs.py what a property adds up to; shape.py lays the counts out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries.breakdowns import By
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.retention import cohorts, pairs
from insights_mcp.local.queries.retention import shape as shapes
from insights_mcp.local.queries.retention.reading import Reading, reading
from insights_mcp.local.queries.retention.table import Table
from insights_mcp.local.queries.selection import Actors
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.actors import InsightActorsQuery
from insights_mcp.schema.retention import RetentionQuery

MODEL = RetentionQuery


@dataclass(frozen=True)
class Plan:
    """The statement, and what shaping must know."""

    statements: list[Sql]
    table: Table
    by: By | None
    amounts: bool
    share: float | None


def interval(query: RetentionQuery) -> str:
    """The period a query is cut by."""
    return (query.retentionFilter.period or "Day").lower()


def compile(query: RetentionQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError for what is not supported."""
    read = _checked(reading(query, context.scan(), context))
    amounts = pairs.has_amounts(read)
    statement = pairs.counts(read) if amounts or pairs.is_wide(read) else cohorts.counts(read)
    return Plan([read.scan.statement(statement)], read.table, read.by, amounts, query.samplingFactor)


def actors(query: RetentionQuery, point: InsightActorsQuery, scan: Scan, context: Context) -> Actors:
    """Who started in a row, and the columns they appear in."""
    read = _checked(reading(query, scan, context))
    wanted = "true" if point.interval is None else f"i = {scan.bind(point.interval)}"
    if point.breakdown and read.by:
        wanted += f" and b = {scan.bind(_value(point.breakdown))}"
    columns = {"appearances": "Array(Int64)"} | dict.fromkeys(cohorts.appearances(read.table), "UInt8")
    return Actors(lambda asked: cohorts.actors(read, wanted, asked), columns, query.aggregation_group_type_index)


def _value(given: Any) -> str:
    return "::".join(map(str, given)) if isinstance(given, list) else str(given)


def _checked(read: Reading) -> Reading:
    if not read.by_windows:
        return read
    if read.asked.cumulative:
        raise QueryError("Cumulative retention is not supported for 24 hour windows.", attr="retentionFilter")
    if pairs.has_amounts(read):
        raise QueryError("Sum and average aggregation are not supported for 24 hour windows.", attr="retentionFilter")
    return read


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows (value, row, column, number, amount) as PostHog's list of cohorts."""
    rows = shapes.scaled(answers[0].rows, plan.by is not None, plan.share)
    return {"results": shapes.cohorts(plan.table, plan.by, rows, plan.amounts)}
