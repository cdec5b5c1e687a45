"""FunnelsQuery: how many do one thing after another, where they stop, and how long it takes them.

    marks (one scan: whose event, when, which steps it is) -> order (each start and what followed it)
        -> attempts (how far each start came, how fast) -> steps, trends or times (what is asked about them)

A person counts by their furthest attempt; the times are those of all attempts that came as far.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries.funnels import steps, times, trends
from insights_mcp.local.queries.funnels.funnel import Funnel
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Sql
from insights_mcp.schema.funnels import FunnelsQuery

MODEL = FunnelsQuery
ASKED = {"steps": steps, "flow": steps, "trends": trends, "time_to_convert": times}


@dataclass(frozen=True)
class Plan:
    """The statement, and what shaping must know."""

    statements: list[Sql]
    funnel: Funnel


def interval(query: FunnelsQuery) -> str:
    """The interval a query is cut by, when it asks for trends."""
    return query.interval or "day"


def compile(query: FunnelsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError for what is not supported."""
    funnel = Funnel.of(query, context)
    return Plan([funnel.scan.statement(ASKED[funnel.asked].select(funnel))], funnel)


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows as PostHog's list of steps (a list of these for each value), series of rates, or bins of times."""
    results = ASKED[plan.funnel.asked].results(plan.funnel, answers[0].rows)
    return {"results": results, "resolved_date_range": plan.funnel.period.resolved()}
