"""The one scan of a funnel: whose event it is, when, which steps it is, and under which value it falls."""

from __future__ import annotations

from datetime import UTC
from itertools import combinations

from insights_mcp.local.queries import entities
from insights_mcp.local.queries.funnels.checks import apart
from insights_mcp.local.queries.funnels.funnel import Funnel, actor
from insights_mcp.local.queries.properties import ALWAYS, Filters, joined
from insights_mcp.schema.funnels import Step

FIRST = frozenset({"first_time_for_user", "first_time_for_user_with_filters", "first_matching_event_for_user"})
WIDTHS = ((8, "utinyint"), (16, "usmallint"), (32, "uinteger"), (64, "ubigint"))
EVENT = "{{'timestamp': e.timestamp, 'uuid': e.uuid, 'session_id': {session}, 'window_id': {window}}}"


def marks(funnel: Funnel) -> str:
    """SQL: one row for each event that is a step or an exclusion (in a strict funnel, for each event)."""
    columns = [f"{actor(funnel, funnel.scan)} as a", "e.timestamp as ts", f"{_marks(funnel)} as m"]
    if funnel.values:
        columns.append(f"{funnel.values.of_event(funnel)} as v")
    if funnel.keeps_events:
        session, window = (f"{funnel.scan.event_property(key)}::varchar" for key in ("$session_id", "$window_id"))
        columns.append(EVENT.format(session=session, window=window) + " as i")
    where = " and ".join(_where(funnel))
    select = f"select {', '.join(columns)} from {funnel.scan.tables} where {where}"
    return f"select * from ({select}) where a is not null{'' if funnel.order == 'strict' else ' and m > 0'}"


def _marks(funnel: Funnel) -> str:
    """SQL: one bit for each step that an event is, then one for each exclusion."""
    conditions = [_condition(entity, funnel) for entity in (*funnel.steps, *funnel.exclusions)]
    width = next(width for least, width in WIDTHS if len(conditions) <= least)
    if _are_apart(funnel):
        arms = " ".join(f"when {condition} then {1 << bit}" for bit, condition in enumerate(conditions))
        return f"(case {arms} else 0 end)::{width}"
    bits = [f"case when {condition} then {1 << bit} else 0 end" for bit, condition in enumerate(conditions)]
    return f"({' + '.join(bits)})::{width}"


def _are_apart(funnel: Funnel) -> bool:
    """Whether an event can be one of them at most: then the first that it is needs no look at the others."""
    return all(apart(one, other) for one, other in combinations((*funnel.steps, *funnel.exclusions), 2))


def _where(funnel: Funnel) -> list[str]:
    given = funnel.query
    conditions = [in_range(funnel, funnel.scan.events)]
    names = [] if _tell_all(funnel) else _names(funnel)
    if names:
        conditions.append(f"e.event in ({', '.join(funnel.scan.bind(name) for name in names)})")
    if funnel.among:
        conditions.append(f"{actor(funnel, funnel.scan)} in (select unnest({funnel.among}))")
    if given.filterTestAccounts:
        conditions.append(funnel.filters.test_accounts())
    return conditions + ([funnel.filters.all_of(given.properties)] if given.properties else [])


def _tell_all(funnel: Funnel) -> bool:
    """Whether the marks alone say, quickly, which events matter: names are then not compared twice."""
    given, entities = funnel.query, (*funnel.steps, *funnel.exclusions)
    plain = all(each.kind == "EventsNode" and not _narrowed(each) for each in entities)
    return plain and _are_apart(funnel) and not (given.properties or given.filterTestAccounts)


def _narrowed(step: Step) -> bool:
    return bool(step.properties or step.fixedProperties or step.math in FIRST)


def in_range(funnel: Funnel, events: str) -> str:
    """SQL that holds for the events of a scan that are within the funnel's dates."""
    return f"{events}.timestamp >= {_time(funnel, 'start')} and {events}.timestamp <= {_time(funnel, 'end')}"


def _names(funnel: Funnel) -> list[str]:
    """The only events that matter; none when any may."""
    asked = [] if funnel.order == "strict" else [*funnel.steps, *funnel.exclusions]
    names = {name for entity in asked for name in entities.events_of(entity, funnel.filters)}
    return [] if None in names else sorted(name for name in names if name is not None)


def _time(funnel: Funnel, name: str) -> str:
    return funnel.scan.bind(getattr(funnel.period, name).astimezone(UTC).replace(tzinfo=None))


def _condition(step: Step, funnel: Funnel) -> str:
    # Where all steps are one event, only such events are read.
    alone = step.kind == "EventsNode" and len(_names(funnel)) == 1
    matched = entities.narrows(step, funnel.filters) if alone else entities.matches(step, funnel.filters)
    return joined("and", [matched, _first(step, funnel)]) if step.math in FIRST else matched


def _first(step: Step, funnel: Funnel) -> str:
    """SQL that holds for the event that was a person's first of its kind ever, if that had the properties."""
    scan = funnel.scan.inner("f")
    inner = Filters(scan, funnel.context)
    kind, whole = entities.kind_of(step, inner), entities.matches(step, inner)
    if step.math != "first_time_for_user":
        kind = whole
    agrees = "" if whole in (kind, ALWAYS) else f" and min(f.timestamp) = min(f.timestamp) filter ({whole})"
    return (
        f"e.uuid in (select arg_min(f.uuid, f.timestamp) filter ({whole}) from {scan.tables} where {kind}"
        f" and f.timestamp <= {_time(funnel, 'end')} group by f.pid"
        f" having min(f.timestamp) >= {_time(funnel, 'start')}{agrees})"
    )
