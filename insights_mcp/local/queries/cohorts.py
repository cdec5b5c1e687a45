"""Cohorts: who belongs to one, by a list of persons, by their properties, or by what they did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.dates import Period
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Cohort
from insights_mcp.schema.filters import Entity, PropertyFilter, PropertyGroup

if TYPE_CHECKING:
    from insights_mcp.local.queries.properties import Filters

COUNTED = {"": "=", "exact": "=", "gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "min": ">=", "max": "<="}
DONE = "select e.pid from {tables} where {matches} and {when} group by 1 having {having}"
# Periods are counted back from the end of yesterday.
REGULARLY = """select pid from (
    select e.pid, date_sub('{unit}', {local}, {last}) // {each} as period from {tables}
    where {matches} and e.timestamp >= {start} and e.timestamp <= {end} group by all having {having})
  group by 1 having count(*) >= {least}"""
SEQUENCE = """select a.pid from (select e.pid, e.timestamp as ts, e.uuid from {tables} where {matches} and {when}) a
  join (select f.pid, f.timestamp as ts, f.uuid from {then_tables} where {then} and {then_when}) b
    on b.pid = a.pid and b.ts >= a.ts and b.uuid <> a.uuid and b.ts <= a.ts + to_seconds({within})"""
EVER = "e.timestamp <= {end}"
SINCE = "e.timestamp >= {start} and e.timestamp <= {end}"
LETTERS = {unit: letter for letter, unit in dates.SPANS.items()}
# How long something may take: a month is 30 days, a year 365.
LENGTHS = {**dates.SECONDS, "month": 30 * 86_400, "quarter": 91 * 86_400, "year": 365 * 86_400}
# What someone did -> when events are read, and what must hold for those of one person.
BEHAVIOURS = {
    "performed_event": (SINCE, "count(*) > 0"),
    "performed_event_multiple": (
        "e.timestamp > {since} and e.timestamp <= {until}",
        "count(*) {sign} {times}",
    ),
    "performed_event_first_time": (
        EVER,
        "min(e.timestamp) >= {start} and min(e.timestamp) = min(e.timestamp) filter ({asked})",
    ),
    "stopped_performing_event": (SINCE, "max(e.timestamp) < {recent}"),
    # The day on which the rest ends is part of both: who did it that day did not rest.
    "restarted_performing_event": (
        EVER,
        "max(e.timestamp) > {rested} and min(e.timestamp) < {recent}"
        " and count(*) filter (e.timestamp >= {start} and e.timestamp <= {rested}) = 0",
    ),
}


def definition_of(stored: dict[str, Any]) -> dict[str, Any]:
    """The group of filters of a cohort as PostHog stores it: `filters.properties`, or the older list of `groups`."""
    filters = stored.get("filters") or {}
    if filters.get("properties"):
        return _named(dict(filters["properties"]))
    return _named({"type": "OR", "values": [_older(group) for group in stored.get("groups") or []]})


def _named(item: dict[str, Any]) -> dict[str, Any]:
    """A group or a filter with today's name of equality, which was once `eq`."""
    if isinstance(item.get("values"), list):
        return {**item, "values": [_named(each) for each in item["values"] if isinstance(each, dict)]}
    return {**item, "operator": "exact"} if item.get("operator") == "eq" else item


def _older(group: dict[str, Any]) -> dict[str, Any]:
    """A group has filters on persons, or else tells of an event or action that was done so often in so many days."""
    known = group.get("properties")
    if isinstance(known, dict):
        known = [{"key": key, "value": value} for key, value in known.items()]
    if known:
        persons = [{**each, "type": "person"} if each.get("type", "event") == "event" else each for each in known]
        return {"type": "AND", "values": persons}
    if not (key := group.get("action_id") or group.get("event_id")):
        return {"type": "AND", "values": []}
    behaviour = {
        "type": "behavioral",
        "value": "performed_event_multiple" if group.get("count") else "performed_event",
        "key": key,
        "event_type": "actions" if group.get("action_id") else "events",
        "time_value": group.get("days") or 365,
        "time_interval": "day",
        "operator": group.get("count_operator"),
        "operator_value": group.get("count"),
    }
    return {"type": "AND", "values": [behaviour]}


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
    entity = _entity(item.key, given.get("event_type"), given.get("event_filters"))
    holes["asked"] = _matches(entity, filters)
    # The first time is that of all such events; then it must be as the filters say.
    every = _matches(_entity(item.key, given.get("event_type"), None), filters)
    matches = every if item.value == "performed_event_first_time" else holes["asked"]
    return DONE.format(
        when=when.format_map(holes), having=having.format_map(holes), matches=matches, tables=filters.scan.tables
    )


def _regularly(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> str:
    count, unit = int(given.get("time_value") or 1), _unit(given.get("time_interval"))
    if unit == "year":
        count, unit = count * 12, "month"
    back = count * int(given.get("total_periods") or 1)
    period = _period(filters, f"-{back}{LETTERS[unit]}", "-1d", unit)
    bind, having = filters.scan.bind, "count(*) {sign} {times}".format_map(_holes(item, given, filters))
    matches = _matches(_entity(item.key, given.get("event_type"), given.get("event_filters")), filters)
    return REGULARLY.format(
        unit=unit,
        local=period.local("e.timestamp"),
        last=bind(period.end.replace(tzinfo=None, microsecond=0)),
        each=count,
        start=bind(_utc(period.read_from)),
        end=bind(_utc(period.end)),
        least=int(given.get("min_periods") or 1),
        having=having,
        matches=matches,
        tables=filters.scan.tables,
    )


def _sequence(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> str:
    then = type(filters)(filters.scan.inner("f"), filters.context)
    holes = _holes(item, given, filters)
    when = SINCE.format_map(holes)
    matches = _matches(_entity(item.key, given.get("event_type"), given.get("event_filters")), filters)
    second = _matches(_entity(given.get("seq_event"), given.get("seq_event_type"), None), then)
    return SEQUENCE.format(
        when=when,
        then=second,
        then_when=when.replace("e.timestamp", "f.timestamp"),
        then_tables=then.scan.tables,
        within=int(given.get("seq_time_value") or 1) * LENGTHS[_unit(given.get("seq_time_interval"))],
        matches=matches,
        tables=filters.scan.tables,
    )


WRITTEN: dict[str, Callable[[PropertyFilter, dict[str, Any], Filters], str]] = {
    **dict.fromkeys(BEHAVIOURS, _done),
    "performed_event_regularly": _regularly,
    "performed_event_sequence": _sequence,
}


def _holes(item: PropertyFilter, given: dict[str, Any], filters: Filters) -> dict[str, str]:
    """When: whole days of the project, but for what is counted, which is of the moment."""
    first, last = given.get("explicit_datetime"), given.get("explicit_datetime_to")
    if not first:
        first, last = _ago(given.get("time_value"), given.get("time_interval")), None
    recent = _ago(given.get("seq_time_value"), given.get("seq_time_interval"))
    now, bind = filters.context.local_now, filters.scan.bind
    asked, rest = _period(filters, str(first), last), _period(filters, str(first), recent)
    until = dates.parsed(str(last), now)[0] if last else now
    return {
        "start": bind(_utc(asked.read_from)),
        "end": bind(_utc(asked.end)),
        "since": bind(_utc(dates.parsed(str(first), now)[0])),
        "until": bind(_utc(until)),
        "recent": bind(_utc(_period(filters, recent, None).read_from)),
        "rested": bind(_utc(rest.end)),
        "sign": COUNTED.get(str(item.operator or ""), "="),
        "times": str(int(given.get("operator_value") or 1)),
    }


def _period(filters: Filters, first: str, last: str | None, unit: str = "day") -> Period:
    now, week_start = filters.context.local_now, filters.context.project.week_start_day
    return dates.period(first, last, interval=unit, now=now, week_start=week_start, exact=False, first=None)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _ago(count: Any, unit: Any) -> str:
    """So long ago, as a relative date."""
    return f"-{int(count or 30)}{LETTERS[_unit(unit)]}"


def _unit(given: Any) -> str:
    name = str(given or "day").removesuffix("s")
    if name not in LETTERS:
        raise QueryError(f"'{given}' is no interval of time. Use day, week, month or year.", attr="properties")
    return name


def _entity(key: Any, kind: Any, properties: Any) -> Entity:
    named = {"id": key} if kind == "actions" else {"event": key}
    node = "ActionsNode" if kind == "actions" else "EventsNode"
    return Entity.model_validate({"kind": node, **named, "properties": properties})


def _matches(entity: Entity, filters: Filters) -> str:
    # An action's filters can name a cohort, and a cohort's behaviour an action.
    from insights_mcp.local.queries.entities import matches

    return matches(entity, filters)
