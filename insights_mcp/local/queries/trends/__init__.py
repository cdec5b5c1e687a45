"""TrendsQuery: what each `math` counts, over time or in all, by the values of a property, against the period before.

parts.py     what is counted: each series, in each period
counting.py  who counts, and which events are read
maths.py     how each `math` counts, as SQL
ranking.py   which values of a breakdown are shown
shaping.py   rows as PostHog's series
formulas.py  series combined
drawn.py     displays with a shape of their own
actors.py    who is behind a number
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.project import Cohort, Context
from insights_mcp.local.queries.sql import Sql
from insights_mcp.local.queries.trends import drawn, formulas, ranking, shaping
from insights_mcp.local.queries.trends.counting import Counting
from insights_mcp.local.queries.trends.parts import Part, current, display_of, interval, parts
from insights_mcp.schema.trends import FormulaNode, TrendsQuery

__all__ = ["MODEL", "Plan", "compile", "interval", "shape"]

MODEL = TrendsQuery


@dataclass(frozen=True)
class Plan:
    """The statements, and what shaping must know."""

    query: TrendsQuery
    statements: list[Sql]
    parts: list[Part]
    period: Period
    formulas: list[FormulaNode]
    cohorts: Mapping[int, Cohort]
    display: str


def compile(query: TrendsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statements for a query. Raises QueryError for what is not supported."""
    display = display_of(query)
    found = parts(query, context)
    write = drawn.STATEMENTS.get(display, ranking.statement)
    statements = [write(Counting(part, query, context)) for part in found]
    period = found[0].period if found else current(query, context, display)
    return Plan(query, statements, found, period, formulas.of(query), context.project.cohorts, display)


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows of each part as PostHog's answer."""
    said = {"resolved_date_range": plan.period.resolved()}
    if plan.display in drawn.SHAPES:
        return {**drawn.SHAPES[plan.display](plan.parts, answers), "hasMore": False, **said}
    results, more = shaping.series_of(
        plan.query, plan.period, plan.parts, answers, lambda number: plan.cohorts[number].name
    )
    if plan.formulas:
        results = formulas.apply(plan.formulas, results, len(plan.query.series))
    return {"results": results, "hasMore": more, **said}
