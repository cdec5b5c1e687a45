"""PathsQuery: how often people went from one page, screen or event to the next, at which step of their session."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.queries import dates, presence
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.paths import items
from insights_mcp.local.queries.paths.funneled import funneled
from insights_mcp.local.queries.paths.steps import PLAIN, RENAMED, steps, tick
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.sql import Scan, Sql
from insights_mcp.schema.filters import DateRange
from insights_mcp.schema.paths import PathsFilter, PathsQuery

MODEL = PathsQuery
EDGE_LIMIT = 50
PAUSE = 1_800_000_000

EDGES = """edges as (
  select i, fk, k, count(*) as n, avg(us - fus) / 1000 as ms
  from steps where i > 1 group by all{having})
select (i - 1) || '_' || a.path as source, i || '_' || b.path as target, n, ms
from edges join paths a on a.k = fk join paths b on b.k = edges.k order by n desc, 1, 2 limit {limit}"""


@dataclass(frozen=True)
class Plan:
    """The statement, the period it asks about, and the share of users that stands for all."""

    statements: list[Sql]
    period: Period
    share: float | None


def interval(query: PathsQuery) -> None:
    """Paths have no interval."""


def compile(query: PathsQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError for what is not supported."""
    scan = context.scan()
    given = query.pathsFilter or PathsFilter()
    text = (
        tables(query, scan, context)
        + ",\n"
        + EDGES.format(having=_having(given, scan), limit=scan.bind(given.edgeLimit or EDGE_LIMIT))
    )
    return Plan([scan.statement(text)], period(query, context), query.samplingFactor)


def period(query: PathsQuery, context: Context) -> Period:
    """Whole days, the last seven when nothing is said."""
    given = query.dateRange or DateRange()
    return dates.period(
        given.date_from,
        given.date_to,
        interval="day",
        now=context.local_now,
        week_start=context.project.week_start_day,
        exact=bool(given.explicitDate),
        first=context.first_seen([None]),
    )


def tables(query: PathsQuery, scan: Scan, context: Context, *, sized: bool = False) -> str:
    """SQL: WITH and the tables up to `steps`; see steps.py."""
    given = query.pathsFilter or PathsFilter()
    funnel = funneled(query.funnelPathsFilter, scan, context) if query.funnelPathsFilter else None
    since, until = _between(query, context)
    ticks, bits = tick(since, until)
    walked, extra = steps(given, scan, pause=funnel.pause if funnel else PAUSE, bits=bits, sized=sized)
    left_out = items.excluded(given)
    # Reading twice is faster than keeping what was read, unless more is looked at than the page and the time.
    costly = funnel or query.properties or query.filterTestAccounts or given.pathsHogQLExpression
    holes = {
        "kept_once": "" if costly else "not ",
        "tick": ticks,
        "item": items.item(given, scan, context),
        "cleaned": items.cleaned(given, scan, context),
        "grouped": items.grouped(given, scan),
        "kept": f" where path not in (select unnest({scan.bind(left_out)}::varchar[]))" if left_out else "",
        "ellipsis": extra,
        "where": _where(query, given, scan, context) + (f" and {funnel.condition}" if funnel else ""),
        "tables": scan.tables + (funnel.join if funnel else ""),
    }
    return (PLAIN if items.as_they_are(given, context) else RENAMED).format_map(holes) + walked


def _between(query: PathsQuery, context: Context) -> tuple[datetime, datetime]:
    # PostHog reads from the start of a day here, also where dates are meant exactly.
    asked = replace(period(query, context), exact=False)
    return presence.utc(asked.read_from), presence.utc(asked.read_to)


def _where(query: PathsQuery, given: PathsFilter, scan: Scan, context: Context) -> str:
    filters = Filters(scan, context)
    start, end = map(scan.bind, _between(query, context))
    conditions = [items.counted(given, scan), f"e.timestamp >= {start}", f"e.timestamp <= {end}"]
    conditions += presence.sampled(scan, query.samplingFactor)
    if query.filterTestAccounts:
        conditions.append(filters.test_accounts())
    if query.properties:
        conditions.append(filters.all_of(query.properties))
    return " and ".join(each for each in conditions if each)


def _having(given: PathsFilter, scan: Scan) -> str:
    weights = ((">=", given.minEdgeWeight), ("<=", given.maxEdgeWeight))
    parts = [f"count(*) {sign} {scan.bind(weight)}" for sign, weight in weights if weight]
    return f" having {' and '.join(parts)}" if parts else ""


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Edges, heaviest first. Those that no shown path leads to are left out."""
    edges = [(*ends, _all(count, plan.share), time) for *ends, count, time in answers[0].rows]
    reached = _reached((source, target) for source, target, *_ in edges)
    names = ("source", "target", "value", "average_conversion_time")
    results = [dict(zip(names, edge, strict=True)) for edge in edges if edge[0] in reached]
    return {"results": results, "resolved_date_range": plan.period.resolved()}


def _all(count: int, share: float | None) -> float:
    """What was counted on a share of the users, as if on all of them."""
    return round(count / share, 3) if share and share < 1 else count


def _reached(edges: Iterable[tuple[str, str]]) -> set[str]:
    """The steps that can be walked to from a first one."""
    after: dict[str, list[str]] = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
    reached: set[str] = set()
    ahead = [step for step in after if step.startswith("1_")]
    while ahead:
        step = ahead.pop()
        if step not in reached:
            reached.add(step)
            ahead += after.get(step, [])
    return reached
