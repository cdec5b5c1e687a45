"""Who is behind a step of a funnel: who reached it, who left before it, and who of them also did something else."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from insights_mcp.local.queries import dates, entities
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.funnels import sessions
from insights_mcp.local.queries.funnels.attempts import furthest, persons, valued, with_tables
from insights_mcp.local.queries.funnels.funnel import Funnel, actor
from insights_mcp.local.queries.funnels.marks import in_range
from insights_mcp.local.queries.funnels.steps import kept, ranked
from insights_mcp.local.queries.funnels.trends import entered
from insights_mcp.local.queries.funnels.values import ALL_USERS, OTHER, Values
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.properties import Filters
from insights_mcp.local.queries.selection import PAGE, Actors
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.actors import FunnelCorrelationActorsQuery, FunnelsActorsQuery, Point
from insights_mcp.schema.filters import Entity
from insights_mcp.schema.funnels import FunnelsQuery

EVENTS = "Array(Tuple(Nullable(DateTime64(6, 'UTC')), Nullable(UUID), Nullable(String), Nullable(String)))"
KEPT = 10


def actors(query: FunnelsQuery, point: Point, scan: Scan, context: Context) -> Actors:
    """The persons or groups at a point of a funnel. Raises QueryError."""
    counted = query.funnelsFilter and query.funnelsFilter.funnelAggregateByHogQL
    if query.aggregation_group_type_index is not None or counted in (None, "", "person_id"):
        return selection(query, point, scan, context)
    if counted == sessions.SESSIONS:
        return sessions.persons(selection(query, point, scan, context), scan)
    raise QueryError(
        "Who is behind a funnel that counts an expression is no person. Leave funnelAggregateByHogQL out.",
        attr="funnelsFilter",
    )


def selection(query: FunnelsQuery, point: Point, scan: Scan, context: Context) -> Actors:
    """Whoever is at a point of a funnel, or whatever an expression counts. Raises QueryError."""
    # A person's pid is wanted, whatever counts as one user.
    funnel = Funnel.of(query, context, replace(scan, by_distinct_id=False))
    # PostHog matches no recordings to steps that come in any order.
    columns = {} if funnel.order == "unordered" else {"matching_events": EVENTS}
    group = query.aggregation_group_type_index
    page = f"${PAGE}::{'uinteger' if group is None else 'varchar'}[]"

    def select(asked: Collection[str], among: str | None = None) -> str:
        return _select(replace(funnel, keeps_events="matching_events" in asked, among=among), point)

    return Actors(select, columns, group, lambda asked: select(asked, page))


def _select(funnel: Funnel, point: Point) -> str:
    if isinstance(point, FunnelCorrelationActorsQuery):
        return _correlated(replace(funnel, keeps_events=True), point)
    if isinstance(point, FunnelsActorsQuery):
        return _at_time(funnel, point) if funnel.asked == "trends" else _at_step(funnel, point)
    raise QueryError("Who is behind a funnel is asked with a FunnelsActorsQuery and its funnelStep.", attr="source")


def _at_step(funnel: Funnel, point: FunnelsActorsQuery) -> str:
    custom, step = point.funnelCustomSteps, point.funnelStep
    if step is None and not custom:
        raise QueryError("Say which step: funnelStep, such as 2, or -2 for who left before it.", attr="funnelStep")
    number = _number(1 if step is None else step, funnel)
    reached = f"steps in ({', '.join(map(funnel.scan.bind, custom))})" if custom else _reached(funnel, step or 1)
    if _is_other(funnel, point.funnelStepBreakdown):
        return _others(funnel, reached)
    return _selected(funnel, f"{reached} and {_valued(funnel, point.funnelStepBreakdown)}", _event(funnel, number))


def _reached(funnel: Funnel, step: int) -> str:
    """SQL that holds for who took a step, or who took the last required one before it and not it."""
    number = _number(step, funnel)
    if step > 0:
        return funnel.took(number)
    before = next(each for each in range(number, -1, -1) if each not in funnel.optional)
    return f"{funnel.took(before)} and not {funnel.took(number + 1)}"


def _is_other(funnel: Funnel, value: Any) -> bool:
    """Whether all those under the rarer values are meant."""
    return bool(funnel.values and funnel.values.limited) and value in (OTHER, [OTHER])


def _others(funnel: Funnel, reached: str) -> str:
    """SQL: who is under one of the rarer values."""
    if funnel.keeps_events:
        raise QueryError(
            "Recordings of all under 'Other' are not looked for: name a value, or leave matched_recordings out.",
            attr="funnelStepBreakdown",
        )
    assert funnel.values  # only with a breakdown there are others
    rarer = f"v in (select v from ranked where {kept(funnel, funnel.values)} = ['{OTHER}'])"
    return with_tables(
        iter([*persons(funnel), ("ranked", ranked(funnel))]),
        f"select distinct a as actor from {valued(funnel, 'persons')} where {reached} and {rarer}",
    )


def _number(step: int, funnel: Funnel) -> int:
    """The step whose events are shown, counted from 0: of who left, the last they took."""
    number = step - 1 if step > 0 else -step - 2
    if step in (0, -1) or number >= funnel.count:
        raise QueryError(
            f"funnelStep is a step, 1 to {funnel.count}; or, for who left before a step, -2 to -{funnel.count}.",
            attr="funnelStep",
        )
    return number


def _valued(funnel: Funnel, value: Any) -> str:
    """SQL that holds for who counts under a value of the breakdown."""
    if value is None or funnel.values is None:
        return "true"
    texts = [_text(each, funnel, funnel.values) for each in (value if isinstance(value, list) else [value])]
    return f"v = {funnel.scan.bind(texts)}::varchar[]"


def _text(value: Any, funnel: Funnel, values: Values) -> str:
    """A value of the breakdown as it is kept: no value, and cohorts, have names in a funnel over time."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if values.type != "cohort":
        return values.none if value is None or (values.none and value == "None") else str(value)
    numbers = (ALL_USERS if item.property == "all" else str(item.property) for item in values.items)
    names = {str(values.named([number], funnel)): number for number in numbers}
    return ALL_USERS if value == "all" else names.get(str(value), str(value))


def _event(funnel: Funnel, number: int) -> str:
    """SQL: the event that was the step; in any order, that came as the so manieth."""
    events = ", ".join(f"i{each}" for each in range(funnel.count))
    return f"i{number}" if funnel.order != "unordered" else f"list_sort([{events}], 'ASC', 'NULLS LAST')[{number + 1}]"


def _final(funnel: Funnel) -> str:
    """SQL: the event that was the last step taken."""
    return f"coalesce({', '.join(_event(funnel, number) for number in range(funnel.count - 1, -1, -1))})"


def _selected(funnel: Funnel, condition: str, event: str) -> str:
    if not funnel.keeps_events:
        return with_tables(
            persons(funnel), f"select distinct a as actor from {valued(funnel, 'persons')} where {condition}"
        )
    select = f"select a as actor, {_events(event)} from {valued(funnel, 'furthest')} where {condition} group by a"
    return with_tables(furthest(funnel), select)


def _events(event: str) -> str:
    found = f"list(distinct {event} order by {event}) filter ({event} is not null)"
    return f"list_slice({found}, 1, {KEPT}) as matching_events"


def _at_time(funnel: Funnel, point: FunnelsActorsQuery) -> str:
    start = point.funnelTrendsEntrancePeriodStart
    if start is None:
        raise QueryError(
            "Say when they entered: funnelTrendsEntrancePeriodStart, such as 2026-01-31 00:00:00.", attr="source"
        )
    moment, _ = dates.parsed(start, funnel.context.local_now)
    bucket = funnel.scan.bind(moment.replace(tzinfo=None))
    left = bool(point.funnelTrendsDropOff)
    reached = f"steps > {funnel.first} and steps <= {funnel.last}" if left else f"steps > {funnel.last}"
    event = _final(funnel) if left else _event(funnel, funnel.last)
    events = f", {_events(event)}" if funnel.keeps_events else ""
    value = _valued(funnel, point.funnelStepBreakdown)
    return with_tables(
        furthest(funnel, f" where {entered(funnel)} = {bucket}"),
        f"select a as actor{events} from {valued(funnel, 'furthest')} where {reached} and {value} group by a",
    )


def _correlated(funnel: Funnel, point: FunnelCorrelationActorsQuery) -> str:
    """SQL: who also did something between their first step and their last, or took steps with certain properties."""
    converted, step = point.funnelCorrelationPersonConverted, point.source.source.funnelStep or 1
    funnel = replace(funnel, query=_held(funnel.query, point))
    wanted = {None: "", True: " where won", False: " where not won"}[converted]
    did = _did(funnel, point.funnelCorrelationPersonEntity) if point.funnelCorrelationPersonEntity else None
    found = f"(select * from ({people(funnel, step)}){wanted}) f"
    source = found + (f" semi join ({did}) d on {during(funnel)}" if did else "")
    return with_tables(furthest(funnel), f"select a as actor, {_events(_final(funnel))} from {source} group by a")


def people(funnel: Funnel, step: int) -> str:
    """SQL: who took a step (or left before it), whether they converted, when they began, and when they were done.

    Of several attempts that came as far it is the first that says when.
    """
    won, last = f"steps = {funnel.count}", funnel.count - 1
    began, ended = (f"min(({_event(funnel, number)}).timestamp)" for number in (0, last))
    columns = f"{won} as won, {began} over own as began, {ended} filter ({won}) over own as ended"
    return f"select *, {columns} from furthest where {_reached(funnel, step)} window own as (partition by a)"


def _held(query: FunnelsQuery, point: FunnelCorrelationActorsQuery) -> FunnelsQuery:
    """The query, of events that have the properties that are correlated."""
    given = (query.properties or [], point.funnelCorrelationPropertyValues or [])
    values = [each for some in given for each in (some if isinstance(some, list) else [some])]
    return query.model_copy(update={"properties": values})


def during(funnel: Funnel) -> str:
    """SQL that holds for what someone did on their way: after the first step, before the last or their time was up."""
    return f"d.a = f.a and d.ts > f.began and d.ts < coalesce(f.ended, f.began + {funnel.window})"


def _did(funnel: Funnel, entity: dict[str, Any]) -> str:
    scan = funnel.scan.inner("n")
    filters = Filters(scan, funnel.context)
    matched = entities.matches(Entity.model_validate({"kind": "EventsNode", **entity}), filters)
    who = actor(funnel, scan)
    return f"select {who} as a, n.timestamp as ts from {scan.tables} where {matched} and {in_range(funnel, 'n')}"
