"""FunnelCorrelationQuery: what goes along with converting: events, events with their properties, properties of persons.

Of each it is asked who did it (or has it) among those who converted, and among those who did not: the odds of these
against the odds of the others. One is added to each number, so that there are odds where nobody is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from insights_mcp.local.events import Rows
from insights_mcp.local.layout import pointer
from insights_mcp.local.queries import elements, entities
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.funnels.actors import during, people
from insights_mcp.local.queries.funnels.attempts import furthest, with_tables
from insights_mcp.local.queries.funnels.funnel import Funnel, actor
from insights_mcp.local.queries.funnels.marks import in_range
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Sql
from insights_mcp.schema.actors import FunnelCorrelationQuery
from insights_mcp.schema.funnels import FunnelsQuery
from insights_mcp.schema.query import source_of

MODEL = FunnelCorrelationQuery
AUTOCAPTURE, CHAIN, DIVIDER = "$autocapture", "elements_chain", "__~~__"
ALL = "$all"
# So few are no evidence: less than 25, where that is less than a share of all.
FEW, SHARE = 25, 0.02
SKEWED = 10
SHOWN = 10
# Properties of an event with values that two persons have, or one, are a long tail.
TAIL = 2

COUNTS = """select {name} as name, count(distinct f.a) filter (won) as won, count(distinct f.a) filter (not won) as lost
from {found} group by all{having}
union all select null, count(distinct a) filter (won), count(distinct a) filter (not won) from people"""
DID = "select {who} as a, n.timestamp as ts{columns} from {tables} where {where}"
PAIRS = "unnest(map_entries(from_json({properties}, '\"MAP(VARCHAR, VARCHAR)\"')))"
PERSON = "join persons o on o.pid = f.a"
GROUP = "left join groups o on o.group_type_index = {number} and o.group_key = f.a"
NOBODY = "join persons o on false"


@dataclass(frozen=True)
class Plan:
    """The statement, the funnel, and whether what was clicked is told by its elements."""

    statements: list[Sql]
    funnel: Funnel
    clicked: bool


def interval(query: FunnelCorrelationQuery) -> None:
    """A correlation has no interval."""


def compile(query: FunnelCorrelationQuery, context: Context) -> Plan:  # noqa: A001 (each kind: check, compile, shape)
    """The statement for a query. Raises QueryError for what is not supported."""
    asked = query.funnelCorrelationType or "events"
    funnel = replace(Funnel.of(FunnelsQuery.model_validate(source_of(query.source.source)), context), keeps_events=True)
    tables = [*furthest(funnel), ("people", people(funnel, query.source.funnelStep or 1))]
    statement = funnel.scan.statement(with_tables(iter(tables), TYPES[asked](query, funnel)))
    return Plan([statement], funnel, asked == "event_with_properties" and _clicked(query))


def _clicked(query: FunnelCorrelationQuery) -> bool:
    return AUTOCAPTURE in (query.funnelCorrelationEventNames or [])


def _events(query: FunnelCorrelationQuery, funnel: Funnel) -> str:
    """SQL: who did which other event on their way."""
    conditions = _besides(funnel, query.funnelCorrelationExcludeEventNames or [])
    return COUNTS.format(name="d.event", found=_on_the_way(funnel, ", n.event", conditions), having="")


def _event_properties(query: FunnelCorrelationQuery, funnel: Funnel) -> str:
    """SQL: who did events with which values of which properties on their way; or what they clicked."""
    scan, names = funnel.scan.inner("n"), query.funnelCorrelationEventNames
    if not names:
        raise QueryError("Say which events: funnelCorrelationEventNames.", attr="funnelCorrelationEventNames")
    conditions = [*_besides(funnel, []), _among("n.event", names, funnel)]
    if _clicked(query):
        kind, chain = (f"coalesce({text}, '')" for text in (scan.event_property("$event_type"), f"n.{CHAIN}"))
        columns = f", n.event, {{'key': '{CHAIN}', 'value': {kind} || '{DIVIDER}' || {chain}}} as pair"
    else:
        columns = f", n.event, {PAIRS.format(properties='n.properties')} as pair"
    found = _on_the_way(funnel, columns, conditions) + " where d.pair.value is not null"
    if excluded := query.funnelCorrelationEventExcludePropertyNames:
        found += f" and not {_among('d.pair.key', excluded, funnel)}"
    return COUNTS.format(
        name="concat_ws('::', d.event, d.pair.key, d.pair.value)", found=found, having=f" having won + lost > {TAIL}"
    )


def _properties(query: FunnelCorrelationQuery, funnel: Funnel) -> str:
    """SQL: who (or which group) has which values of which properties."""
    names = query.funnelCorrelationNames
    if not names:
        raise QueryError("Say which properties: funnelCorrelationNames, or $all.", attr="funnelCorrelationNames")
    bind = funnel.scan.bind
    values = (
        f"{{'key': {bind(name)}, 'value': coalesce(o.properties ->> {bind(pointer(name))}, '')}}" for name in names
    )
    pairs = PAIRS.format(properties="o.properties") if ALL in names else f"unnest([{', '.join(values)}])"
    found = f"(select f.a, won, {pairs} as pair from people f {_owner(funnel)}) f where f.pair.value is not null"
    if excluded := query.funnelCorrelationExcludeNames:
        found += f" and not {_among('f.pair.key', excluded, funnel)}"
    return COUNTS.format(name="concat_ws('::', f.pair.key, f.pair.value)", found=found, having="")


def _owner(funnel: Funnel) -> str:
    """SQL: the join with whose properties are asked for; an expression that is counted is nobody."""
    number = funnel.query.aggregation_group_type_index
    if number is not None:
        return GROUP.format(number=number)
    return NOBODY if funnel.given.funnelAggregateByHogQL not in (None, "", "person_id") else PERSON


TYPES: dict[str, Callable[[FunnelCorrelationQuery, Funnel], str]] = {
    "events": _events,
    "properties": _properties,
    "event_with_properties": _event_properties,
}


def _on_the_way(funnel: Funnel, columns: str, conditions: list[str]) -> str:
    """SQL: those in the funnel with what they did between its first step and its last."""
    scan = funnel.scan.inner("n")
    where = " and ".join([in_range(funnel, "n"), *conditions])
    did = DID.format(who=actor(funnel, scan), columns=columns, tables=scan.tables, where=where)
    return f"people f join ({did}) d on {during(funnel)}"


def _besides(funnel: Funnel, excluded: list[str]) -> list[str]:
    """SQL that leaves out the events that are steps, and others."""
    steps = (name for step in funnel.steps for name in entities.events_of(step, funnel.filters) if name is not None)
    names = sorted({*steps, *excluded})
    return [f"not {_among('n.event', names, funnel)}"] if names else []


def _among(text: str, names: list[str], funnel: Funnel) -> str:
    return f"list_contains({funnel.scan.bind(names)}::varchar[], {text})"


# -- results -----------------------------------------------------------------------------------------------------------


def shape(plan: Plan, answers: list[Rows]) -> dict[str, Any]:
    """Rows (name, converted, not converted) as what speaks for converting most, then what speaks against it most."""
    return {"results": _results(plan, answers[0]), "resolved_date_range": plan.funnel.period.resolved()}


def _results(plan: Plan, answer: Rows) -> dict[str, Any]:
    [(_, won, lost)] = [row for row in answer.rows if row[0] is None]
    if not (won and lost):
        return {"events": [], "skewed": True}
    found = [
        _correlated(name, did, did_not, won, lost)
        for name, did, did_not in answer.rows
        if name is not None and did + did_not >= min(FEW, SHARE * (won + lost))
    ]
    shown = _strongest(found, "success", -1) + _strongest(found, "failure", 1)
    events = [each | {"event": _written_out(each["event"], plan)} for each in shown]
    return {"events": events, "skewed": max(won / lost, lost / won) > SKEWED}


def _strongest(found: list[dict[str, Any]], kind: str, sign: int) -> list[dict[str, Any]]:
    alike = (each for each in found if each["correlation_type"] == kind)
    return sorted(alike, key=lambda each: (sign * each["odds_ratio"], each["event"]))[:SHOWN]


def _correlated(name: str, did: int, did_not: int, won: int, lost: int) -> dict[str, Any]:
    ratio = (did + 1) * (lost - did_not + 1) / ((won - did + 1) * (did_not + 1))
    return {
        "event": name,
        "success_count": did,
        "failure_count": did_not,
        "odds_ratio": ratio,
        "correlation_type": "success" if ratio > 1 else "failure",
    }


def _written_out(name: str, plan: Plan) -> dict[str, Any]:
    """What it is: a name, and of what was clicked how, and the elements."""
    event, _, clicked = name.partition(f"::{CHAIN}::") if plan.clicked else (name, "", "")
    kind, _, chain = clicked.partition(DIVIDER)
    if event != AUTOCAPTURE or not clicked:
        return {"event": name, "properties": {}, "elements": []}
    return {"event": name, "properties": {"$event_type": kind}, "elements": elements.shown(chain)}
