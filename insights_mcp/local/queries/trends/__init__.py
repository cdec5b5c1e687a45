"""TrendsQuery: what each `math` counts, over time or in all, by the values of a property, against the period before.

beginning.py when all time begins
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
from insights_mcp.local.queries.trends import beginning, drawn, formulas, ranking, shaping
from insights_mcp.local.queries.trends.counting import Counting
from insights_mcp.local.queries.trends.parts import Part, current, display_of, interval, parts
from insights_mcp.schema.trends import FormulaNode, TrendsQuery

__all__ = ["MODEL", "Pending", "Plan", "compile", "interval", "shape"]

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


@dataclass
class Pending:
    """A trend of all time, which asks first when that began."""

    query: TrendsQuery
    context: Context
    statements: list[Sql]
    plan: Plan | None = None

    def follow(self, answers: list[Rows]) -> list[Sql]:
        """The statements of the plan, once it is known."""
        if self.plan:
            return []
        self.plan = _plan(self.query, beginning.known(self.query, self.context, answers[0]))
        return self.plan.statements


def compile(query: TrendsQuery, context: Context) -> Plan | Pending:  # noqa: A001 (each kind: check, compile, shape)
    """The statements for a query. Raises QueryError for what is not supported."""
    asked = beginning.statement(query, context)
    return Pending(query, context, [asked]) if asked else _plan(query, context)


def _plan(query: TrendsQuery, context: Context) -> Plan:
    display = display_of(query)
    found = parts(query, context)
    write = drawn.STATEMENTS.get(display, ranking.statement)
    statements = [write(Counting(part, query, context)) for part in found]
    period = found[0].period if found else current(query, context, display)
    return Plan(query, statements, found, period, formulas.of(query), context.project.cohorts, display)


def shape(plan: Plan | Pending, answers: list[Rows]) -> dict[str, Any]:
    """Rows of each part as PostHog's answer."""
    if isinstance(plan, Pending):
        assert plan.plan
        return shape(plan.plan, answers[1:])
    said = {"resolved_date_range": plan.period.resolved()}
    if plan.display in drawn.SHAPES:
        return {**drawn.SHAPES[plan.display](plan.parts, answers), "hasMore": False, **said}
    results, more = shaping.series_of(
        plan.query, plan.period, plan.parts, answers, lambda number: plan.cohorts[number].name
    )
    if plan.formulas:
        results = formulas.apply(plan.formulas, results, len(plan.query.series))
    return {"results": results, "hasMore": more, **said}
