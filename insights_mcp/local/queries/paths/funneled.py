"""Paths of those in a funnel: what they did before one of its steps, after it, or between it and the one before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pydantic import ValidationError

from insights_mcp.local.queries import dates, funnels
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.funnels.actors import selection
from insights_mcp.local.queries.funnels.funnel import WINDOW, Funnel, actor
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.actors import FunnelsActorsQuery
from insights_mcp.schema.funnels import FunnelsFilter, FunnelsQuery
from insights_mcp.schema.paths import FunnelPathsFilter
from insights_mcp.schema.query import source_of

# When an actor took the step that was asked for: in the first of their best attempts.
TOOK = "select actor, list_min(list_transform(matching_events, lambda x: x.timestamp)) as {name} from ({actors})"
EVENTS = "matching_events"
BEFORE, BETWEEN, AFTER = "funnel_path_before_step", "funnel_path_between_steps", "funnel_path_after_step"


@dataclass(frozen=True)
class Funneled:
    """What a funnel adds to reading events: a join, a condition, and the pause (microseconds) that ends a path."""

    join: str
    condition: str
    pause: int


def funneled(given: FunnelPathsFilter, scan: Scan, context: Context) -> Funneled:
    """Only what those at a step of a funnel did; or what was done for those groups, in those sessions. Raises
    QueryError."""
    query = _query(given)
    step, kind = given.funnelStep or 1, given.funnelPathType
    window = _window(query)
    took = _took("at", query, step, scan, context)
    condition = {BEFORE: "e.timestamp <= f.at", AFTER: "e.timestamp >= f.at"}.get(kind or "", "")
    if kind == BETWEEN:
        earlier = _took("earlier", query, step, scan, context, preceding=True)
        took = f"select * from ({took}) join ({earlier}) using (actor)"
        condition = "e.timestamp between f.earlier and f.at"
    elif kind == AFTER and step < 0:  # whoever left is followed once their time is up
        condition = f"e.timestamp >= f.at + {scan.bind(window)}"
    elif not condition:
        raise QueryError(f"Say which paths: funnelPathType {BEFORE}, {BETWEEN} or {AFTER}.", attr="funnelPathsFilter")
    who = _who(query, scan, context)
    return Funneled(f" join ({took}) f on f.actor = {who}", condition, window // timedelta(microseconds=1))


def _who(query: FunnelsQuery, scan: Scan, context: Context) -> str:
    """SQL: whom the funnel counts, of an event: the person, whatever counts as one user, or else."""
    found = actor(Funnel.of(query, context, scan), scan)
    return f"{scan.events}.pid" if found == scan.actor else found


def _query(given: FunnelPathsFilter) -> FunnelsQuery:
    try:
        return funnels.MODEL.model_validate(source_of(given.funnelSource))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise QueryError(f"funnelSource.{where}: {first['msg']}", attr="funnelPathsFilter") from None


def _took(name: str, query: FunnelsQuery, step: int, scan: Scan, context: Context, *, preceding: bool = False) -> str:
    """SQL: when each actor at a step took it; or, with `preceding`, the step before it."""
    point = FunnelsActorsQuery(kind="FunnelsActorsQuery", source={}, funnelStep=step)
    if preceding:
        taken = step if step > 0 else -step - 1
        if taken < 2:
            raise QueryError("Before the first step of a funnel there is none.", attr="funnelPathsFilter")
        reached = list(range(taken, len(query.series) + 1)) if step > 0 else [taken]
        point = point.model_copy(update={"funnelStep": taken - 1, "funnelCustomSteps": reached})
    inner = replace(scan.inner("e"), by_distinct_id=False)
    return TOOK.format(name=name, actors=selection(query, point, inner, context).select([EVENTS]))


def _window(query: FunnelsQuery) -> timedelta:
    given = query.funnelsFilter or FunnelsFilter()
    start = datetime(2018, 1, 1)
    end = dates.plus(start, given.funnelWindowIntervalUnit or "day", given.funnelWindowInterval or WINDOW)
    return end - start
