"""Cohorts: who belongs to one, by a list of persons, by their properties, or by what they did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Cohort
from insights_mcp.schema.filters import Entity, PropertyFilter, PropertyGroup

if TYPE_CHECKING:
    from insights_mcp.local.queries.properties import Filters

COUNTED = {
    "eq": "=", "exact": "=", "gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "min": ">=", "max": "<=", "": ">=",
}  # fmt: skip
DONE = "select e.pid from {tables} where {matches} and {when} group by 1 having {having}"
REGULARLY = """select pid from (
    select e.pid, date_diff('second', e.timestamp, {now}) // {period} as period from {tables}
    where {matches} and e.timestamp >= {start} group by all having {having})
  group by 1 having count(*) >= {least}"""
SEQUENCE = """select a.pid from (select e.pid, e.timestamp as ts from {tables} where {matches} and {when}) a
  join (select f.pid, f.timestamp as ts from {then_tables} where {then}) b
    on b.pid = a.pid and b.ts > a.ts and b.ts <= a.ts + to_seconds({within})"""
EVER = "true"
SINCE = "e.timestamp >= {start} and e.timestamp <= {end}"
# What someone did -> when events are read, and what must hold for those of one person.
BEHAVIOURS = {
    "performed_event": (SINCE, "count(*) > 0"),
    "performed_event_multiple": (SINCE, "count(*) {sign} {times}"),
    "performed_event_first_time": (EVER, "min(e.timestamp) >= {start}"),
    "stopped_performing_event": (
        EVER,
        "max(e.timestamp) < {recent} and count(*) filter (e.timestamp >= {start} and e.timestamp < {recent}) > 0",
    ),
    "restarted_performing_event": (
        EVER,
        "max(e.timestamp) >= {recent} and min(e.timestamp) < {start}"
        " and count(*) filter (e.timestamp >= {start} and e.timestamp < {recent}) = 0",
    ),
}


def definition_of(stored: dict[str, Any]) -> dict[str, Any]:
    """The group of filters of a cohort as PostHog stores it: `filters.properties`, or the older list of `groups`."""
    filters = stored.get("filters") or {}
    if filters.get("properties"):
        return dict(filters["properties"])
    return {"type": "OR", "values": [_older(group) for group in stored.get("groups") or []]}


def _older(group: dict[str, Any]) -> dict[str, Any]:
    values = list(group.get("properties") or [])
    if group.get("event_id") or group.get("action_id"):
        behaviour = {
            "type": "behavioral",
            "value": "performed_event_multiple",
            "key": group.get("event_id") or group.get("action_id"),
            "event_type": "events" if group.get("event_id") else "actions",
            "time_value": group.get("days") or 30,
            "time_interval": "day",
            "operator": group.get("count_operator") or "gte",
            "operator_value": group.get("count") or 1,
        }
        values.append(behaviour)
    return {"type": "AND", "values": values}


def member(number: Any, filters: Filters) -> str:
    """SQL that holds for the events of a cohort's members."""
    return f"{filters.scan.events}.pid in ({members(found(number, filters), filters)})"


def found(number: Any, filters: Filters) -> Cohort:
    """The cohort with this number. Raises QueryError when there is none."""
    cohorts = filters.context.project.cohorts
    known = cohorts.get(int(number)) if str(number).isdigit() else None
    if known:
        return known
    listed = ", ".join(f"{each.id} ({each.name})" for each in list(cohorts.values())[:10]) or "none"
    raise QueryError(f"Cohort {number} does not exist. Known cohorts: {listed}.", attr="properties")


def members(cohort: Cohort, filters: Filters) -> str:
    """SQL: the `pid` of each member."""
    if cohort.is_static:
        listed = filters.scan.bind(list(cohort.persons))
        return f"select pid from persons where person_id in (select unnest({listed}::varchar[])::uuid)"
    if not (cohort.definition.get("values") or cohort.definition.get("key")):
        return "select pid from persons where false"
    inner = replace(filters.scan.inner("c"), persons="c", persons_on_events=False, by_distinct_id=False)
    group = PropertyGroup.model_validate(cohort.definition)
    return f"select c.pid from persons c where {type(filters)(inner, filters.context).all_of(group)}"


def behavioural(item: PropertyFilter, filters: Filters) -> str:
    """SQL that holds for the persons who did what a filter of type `behavioral` says."""
    given = item.model_extra or {}
    name = str(item.value)
    if name not in WRITTEN:
        raise QueryError(f"'{name}' is no behaviour. Use one of {', '.join(WRITTEN)}.", attr="properties")
    done = WRITTEN[name](item, given, type(filters)(filters.scan.inner("e"), filters.context))
    return f"({filters.scan.events}.pid {'not in' if given.get('negation') else 'in'} ({done}))"


def _done(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> str:
    when, having = BEHAVIOURS[str(item.value)]
    holes = _holes(item, given, filters)
    return DONE.format(when=when.format_map(holes), having=having.format_map(holes), **_matched(item, given, filters))


def _regularly(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> str:
    period = _seconds(given.get("time_value"), given.get("time_interval"))
    periods = int(given.get("total_periods") or 1)
    now = filters.context.now.astimezone(UTC).replace(tzinfo=None)
    start = dates.plus(now, "second", -period * periods)
    having = "count(*) {sign} {times}".format_map(_holes(item, given, filters))
    return REGULARLY.format(
        now=filters.scan.bind(now),
        start=filters.scan.bind(start),
        period=period,
        least=int(given.get("min_periods") or 1),
        having=having,
        **_matched(item, given, filters),
    )


def _sequence(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> str:
    then = type(filters)(filters.scan.inner("f"), filters.context)
    second = _entity(given.get("seq_event"), given.get("seq_event_type"), None)
    holes = _holes(item, given, filters)
    matched = _matched(item, given, filters)
    return SEQUENCE.format(
        when=SINCE.format_map(holes),
        then=_entity_matches(second, then),
        then_tables=then.scan.tables,
        within=_seconds(given.get("seq_time_value"), given.get("seq_time_interval")),
        **matched,
    )


WRITTEN: dict[str, Callable[[PropertyFilter, dict[str, Any], Filters], str]] = {
    **dict.fromkeys(BEHAVIOURS, _done),
    "performed_event_regularly": _regularly,
    "performed_event_sequence": _sequence,
}


def _holes(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> dict[str, str]:
    now = filters.context.now.astimezone(UTC).replace(tzinfo=None)
    bind = filters.scan.bind
    start = _ago(now, given.get("time_value"), given.get("time_interval"))
    moment = filters.context.local_now
    if given.get("explicit_datetime"):
        start = dates.parsed(str(given["explicit_datetime"]), moment)[0].astimezone(UTC).replace(tzinfo=None)
    end = now
    if given.get("explicit_datetime_to"):
        end = dates.parsed(str(given["explicit_datetime_to"]), moment)[0].astimezone(UTC).replace(tzinfo=None)
    return {
        "start": bind(start),
        "end": bind(end),
        "recent": bind(_ago(now, given.get("seq_time_value"), given.get("seq_time_interval"))),
        "sign": COUNTED.get(str(item.operator or ""), ">="),
        "times": str(int(given.get("operator_value") or 1)),
    }


def _ago(now: datetime, count: Any, unit: Any) -> datetime:
    name = str(unit or "day").removesuffix("s")
    if name not in (*dates.SECONDS, *dates.MONTHS):
        raise QueryError(f"'{unit}' is no interval of time. Use day, week, month or year.", attr="properties")
    return dates.plus(now, name, -int(count or 30))


def _seconds(count: Any, unit: Any) -> int:
    now = datetime(2000, 1, 31)
    return int((now - _ago(now, count, unit)).total_seconds())


def _matched(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> dict[str, str]:
    entity = _entity(item.key, given.get("event_type"), given.get("event_filters"))
    matches = _entity_matches(entity, filters)
    return {"matches": matches, "tables": filters.scan.tables}


def _entity(key: Any, kind: Any, properties: Any) -> Entity:
    named = {"id": key} if kind == "actions" else {"event": key}
    node = "ActionsNode" if kind == "actions" else "EventsNode"
    return Entity.model_validate({"kind": node, **named, "properties": properties})


def _entity_matches(entity: Entity, filters: Filters) -> str:
    # An action's filters can name a cohort, and a cohort's behaviour an action.
    from insights_mcp.local.queries.entities import matches

    return matches(entity, filters)
