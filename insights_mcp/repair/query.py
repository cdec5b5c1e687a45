"""What a model wrote, as PostHog's query: which kind is meant, what is wrapped around it, and then part by part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from insights_mcp.repair import texts
from insights_mcp.repair.checks import checked
from insights_mcp.repair.findings import BadQuery, Findings, Path, shown
from insights_mcp.repair.objects import by_words, meant, part
from insights_mcp.repair.placing import placed
from insights_mcp.repair.shapes import Part, fields
from insights_mcp.repair.words import EASY_KINDS, ENTITIES, KINDS, word
from insights_mcp.schema.actors import (
    ActorsQuery,
    FunnelCorrelationActorsQuery,
    FunnelCorrelationQuery,
    FunnelsActorsQuery,
    InsightActorsQuery,
    StickinessActorsQuery,
)
from insights_mcp.schema.events_table import EventsQuery
from insights_mcp.schema.funnels import FunnelsQuery
from insights_mcp.schema.hogql import HogQLQuery
from insights_mcp.schema.lifecycle import LifecycleQuery
from insights_mcp.schema.paths import PathsQuery
from insights_mcp.schema.query import PRODUCT_ANALYTICS
from insights_mcp.schema.retention import RetentionQuery
from insights_mcp.schema.stickiness import StickinessQuery
from insights_mcp.schema.trends import TrendsQuery
from insights_mcp.schema.wrappers import DataTableNode, DataVisualizationNode, InsightVizNode, Wrapper
from insights_mcp.text import nearest

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        TrendsQuery, FunnelsQuery, RetentionQuery, PathsQuery, StickinessQuery, LifecycleQuery, HogQLQuery, EventsQuery,
        ActorsQuery, InsightActorsQuery, FunnelsActorsQuery, StickinessActorsQuery, FunnelCorrelationQuery,
        FunnelCorrelationActorsQuery, InsightVizNode, DataVisualizationNode, DataTableNode,
    )
}  # fmt: skip
COMMON = (TrendsQuery, FunnelsQuery, RetentionQuery, PathsQuery, StickinessQuery, LifecycleQuery, HogQLQuery)
NODES = frozenset(ENTITIES.values())
# Kinds that PostHog has and that are not described here: they pass as they are.
OTHERS = re.compile(r"[A-Z][A-Za-z]+(Query|Node|Options|Metadata|Autocomplete)")
OTHER_KINDS = frozenset(
    """CalendarHeatmapQuery SessionsQuery PersonsNode HogQuery GroupsQuery RecordingsQuery TracesQuery TraceQuery
    LogsQuery SavedInsightNode SessionsTimelineQuery ErrorTrackingQuery ExperimentQuery ExperimentTrendsQuery
    ExperimentFunnelsQuery WebStatsTableQuery WebOverviewQuery WebGoalsQuery InsightActorsQueryOptions""".split()  # noqa: SIM905
)
# What only one kind has, by letters alone: the kind that is meant where none is named.
TELLING = {
    "HogQLQuery": "sql hogql",
    "FunnelsQuery": "steps funnelsfilter funnelwindowinterval funnelorder funnelviztype window",
    "RetentionQuery": "retentionfilter targetentity returningentity return retentiontype totalintervals",
    "StickinessQuery": "stickinessfilter",
    "LifecycleQuery": "lifecyclefilter toggledlifecycles",
    "PathsQuery": "pathsfilter includeeventtypes startpoint endpoint steplimit edgelimit",
    "EventsQuery": "select",
    "TrendsQuery": "series events event trendsfilter actions",
}
FILTERED_KINDS = ("RetentionQuery", "PathsQuery")
SERIES_KINDS = ("TrendsQuery", "FunnelsQuery", "StickinessQuery", "LifecycleQuery")
# What stands around a query when a whole insight, a request or a call is given for it.
AROUND = ("query", "source", "filters", "params", "parameters", "config", "definition", "arguments", "body", "data")
CALLED_KIND = frozenset({"type", "querytype", "querykind", "insighttype", "kind"})
MOST_ROUNDS = 5
EXAMPLE = {"kind": "trends", "events": ["$pageview"], "from": "-30d"}
ALLOWED = ", ".join(list(EASY_KINDS)[:7]) + ", or PostHog's own, such as TrendsQuery"


@dataclass(frozen=True)
class Repaired:
    """A valid query, what was repaired in it, and the fields in it that are not known here."""

    query: dict[str, Any]
    repairs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def repaired(value: Any) -> Repaired:
    """PostHog's query for what a model wrote. Raises BadQuery with all mistakes that cannot be repaired.

    What was repaired is read again, until nothing is left to repair: a query that comes out goes in unchanged.
    """
    found = Findings()
    query = value
    for _ in range(MOST_ROUNDS):
        found = Findings(repairs=found.repairs, told={t for t in found.told if t.startswith("repaired ")})
        before, query = query, query_at(query, (), found)
        if found.mistakes:
            raise BadQuery(found.mistakes)
        if query == before:
            break
    return Repaired(query, tuple(found.repairs), tuple(found.unknown))


def query_at(value: Any, at: Path, found: Findings) -> Any:
    """The query at a place: alone, or inside another."""
    value = _alone(_from_text(value, at, found) if isinstance(value, str) else value, at, found)
    if not isinstance(value, dict):
        found.wrong(at, f"{shown(value)} is no query", example=EXAMPLE)
        return value
    value = _headed(_opened(value, at, found), at, found)
    kind, easy = _kind(value, at, found)
    if kind is None:
        return value
    model = MODELS.get(kind)
    rest = {key: item for key, item in value.items() if key not in ("kind", "insight")}
    query = {"kind": kind, **rest} if "kind" not in value else {**value, "kind": kind}
    if model is None:
        return query
    if issubclass(model, Wrapper):
        return _wrapped(model, query, at, found)
    with found.reading(easy=easy):
        return _read(model, query, at, found)


def _read(model: type[BaseModel], query: dict[str, Any], at: Path, found: Findings) -> Any:
    if model is HogQLQuery:
        query = _with_text(query, at, found)
    if model in COMMON:
        query = _with_actions(query, at, found)
        query = checked(placed(model, query, at, found), at, found)
    return part(model, query, at, found, query_at)


def _with_text(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """SQL that stands one deeper, under whatever name."""
    inner = query.get("query", query.get("sql"))
    inner = inner if isinstance(inner, dict) else {}
    text = next((inner[key] for key in ("query", "sql", "hogql") if isinstance(inner.get(key), str)), None)
    if text is None:
        return query
    found.said((*at, "query"), "what is inside is the SQL")
    return {key: item for key, item in query.items() if key != "sql"} | {"query": text}


def _from_text(text: str, at: Path, found: Findings) -> Any:
    """SQL, or JSON as text."""
    inside = texts.read(text)
    if not isinstance(inside, str):
        if not texts.is_json(text):
            found.said(at or ("query",), "text → JSON")
        return inside
    if not texts.is_sql(inside):
        return inside
    if inside != text:
        found.said(at or ("query",), "SQL in a code fence → SQL")
    return {"kind": "HogQLQuery", "query": inside}


def _alone(value: Any, at: Path, found: Findings) -> Any:
    """The query out of a list of one."""
    if isinstance(value, dict) and value.keys() == {"queries"}:
        value = value["queries"]
    if not isinstance(value, list) or not value or not all(isinstance(each, dict) for each in value):
        return value
    if len(value) > 1:
        found.wrong(at, f"{len(value)} queries in one list: each needs a call of its own", example=EXAMPLE)
        return value
    found.said(at or ("query",), "a list of one query → the query")
    return value[0]


def _opened(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """The query out of what was put around it: a whole insight, a request's body, old filters, its own kind."""
    for _ in range(3):
        if "kind" in value:
            break
        outer = next((key for key in AROUND if isinstance(value.get(key), dict)), None)
        if outer is None or (
            outer == "filters" and len(value) > 1 and not value["filters"].keys() & {"insight", "events"}
        ):
            break
        found.said((*at, outer), "what is inside is the query")
        value = value[outer]
    if isinstance(value.get("query"), str) and "kind" not in value and texts.is_sql(value["query"]):
        found.said((*at, "kind"), 'missing → "HogQLQuery"')
        return {"kind": "HogQLQuery", **value}
    return _named(value, at, found)


def _named(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """`{"trends": {...}}` has its kind as a name; `{"kind": "trends", "query": {...}}` its fields one deeper."""
    (name, inner), *more = value.items() or [("", None)]
    if not more and isinstance(inner, dict) and (word(name) in KINDS or name in MODELS):
        found.said((*at, name), "what is inside is the query, of this kind")
        return {"kind": name, **inner}
    kind = str(value.get("kind"))
    if EASY_KINDS.get(kind, kind) not in SERIES_KINDS + FILTERED_KINDS:
        return value
    outer = next((key for key in AROUND if key != "filters" and isinstance(value.get(key), dict)), None)
    if outer is None:
        return value
    found.said((*at, outer), "what is inside belongs to the query itself")
    return {"kind": kind, **value[outer], **{key: item for key, item in value.items() if key != outer}}


def _headed(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """With its kind under that name; a series alone is a trend of it."""
    if str(value.get("kind")) in NODES:
        found.said((*at, "kind"), f"{shown(value['kind'])} alone → a TrendsQuery of it")
        return {"kind": "TrendsQuery", "series": [value]}
    name = next((key for key in value if word(key) in CALLED_KIND), None)
    said = value.get(name) if name else None
    if name is None or "kind" in value or not (isinstance(said, str) and (said in MODELS or word(said) in KINDS)):
        return value
    found.moved((*at, name), (*at, "kind"))
    return {"kind": said, **{key: item for key, item in value.items() if key != name}}


def _kind(value: dict[str, Any], at: Path, found: Findings) -> tuple[str | None, bool]:
    """PostHog's name of the kind, and whether the common form is written."""
    given = value.get("kind", value.get("insight"))
    if given is None:
        return _inferred(value, at, found)
    if isinstance(given, str):
        if "kind" in value and (given in MODELS or given in EASY_KINDS):
            return EASY_KINDS.get(given, given), given in EASY_KINDS
        said = word(given)
        kind = KINDS.get(said) or next((each for each in MODELS if word(each) == said), None)
        if kind:
            found.repaired((*at, "kind" if "kind" in value else "insight"), given, kind)
            return kind, "kind" in value and said != word(kind)
        if "kind" in value and OTHERS.fullmatch(given) and (given in OTHER_KINDS or not nearest(given, MODELS)):
            return given, False
    near = nearest(given, (*EASY_KINDS, *MODELS)) if isinstance(given, str) else None
    found.wrong((*at, "kind"), f"{shown(given)} is no kind of query; kinds are {ALLOWED}", near, EXAMPLE)
    return None, False


def _inferred(value: dict[str, Any], at: Path, found: Findings) -> tuple[str | None, bool]:
    said = {word(key) for key in value}
    kind = next((kind for kind, telling in TELLING.items() if said & set(telling.split())), None)
    if kind is None:
        found.wrong((*at, "kind"), f"is missing; one of {ALLOWED}", example=EXAMPLE)
        return None, False
    if kind != "HogQLQuery":
        found.said((*at, "kind"), f"missing → {shown(kind)}")
    return kind, True


def _with_actions(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """Old filters have lists of events and of actions, each with its place in `order`."""
    actions = query.get("actions")
    if query["kind"] not in SERIES_KINDS or not isinstance(actions, list):
        return query
    rest = {key: item for key, item in query.items() if key not in ("actions", "events", "series")}
    numbered = [{"type": "actions", **each} if isinstance(each, dict) else {"action": each} for each in actions]
    events = query.get("events") or query.get("series") or []
    both = [*(events if isinstance(events, list) else [events]), *numbered]
    both.sort(key=lambda each: _order(each))
    found.moved((*at, "actions"), (*at, "series"))
    return rest | {"series": both}


def _order(entity: Any) -> float:
    order = entity.get("order") if isinstance(entity, dict) else None
    return order if isinstance(order, int | float) else 0


def _wrapped(model: type[BaseModel], node: dict[str, Any], at: Path, found: Findings) -> Any:
    """A wrapper around its query: fields of the query that stand beside it are put into it."""
    node = _sourced(node, at, found)
    source = node.get("source")
    if isinstance(source, str):
        source = _from_text(source, (*at, "source"), found)
    if isinstance(source, dict):
        node = _gathered(model, node, source, at, found)
    return _right(part(model, node, at, found, query_at), at, found)


def _sourced(node: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """With what it is drawn from under that name."""
    if node.get("source") is not None:
        return node
    if not isinstance(inner := node.get("query"), dict | str):
        return _within(node, at, found)
    found.moved((*at, "query"), (*at, "source"))
    return {**{key: item for key, item in node.items() if key != "query"}, "source": inner}


def _within(node: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """With a query of its own around the fields of one, where the node is itself a query but for its kind."""
    own = {key: item for key, item in node.items() if meant(MODELS[node["kind"]], key, near=False)}
    rest = {key: item for key, item in node.items() if key not in own}
    if not any({word(key) for key in rest} & set(telling.split()) for telling in TELLING.values()):
        return node
    found.said((*at, "source"), "missing → what stands beside it")
    return own | {"source": rest}


def _gathered(
    model: type[BaseModel], node: dict[str, Any], source: dict[str, Any], at: Path, found: Findings
) -> dict[str, Any]:
    """With the fields of the query that stand beside it put into it."""
    kind = str(source.get("kind"))
    inside = MODELS.get(EASY_KINDS.get(kind, kind))
    stray = {key: node[key] for key in node if inside and not meant(model, key, near=False) and _belongs(inside, key)}
    for key in stray:
        found.moved((*at, key), (*at, "source", key))
    return {key: item for key, item in node.items() if key not in stray} | {
        "source": {**stray, **source} if stray else source
    }


def _belongs(model: type[BaseModel], key: str) -> bool:
    """Whether a query has such a field, itself or in one of its parts."""
    parts = [field.shape.model for field in fields(model).values() if isinstance(field.shape, Part)]
    return any(word(key) in by_words(each) for each in (model, *parts))


def _right(node: Any, at: Path, found: Findings) -> Any:
    """The wrapper that this kind of query is drawn in."""
    source = node.get("source") if isinstance(node, dict) else None
    kind = source.get("kind") if isinstance(source, dict) else None
    if node["kind"] != "DataTableNode" and kind in ("InsightVizNode", "DataVisualizationNode", "DataTableNode"):
        found.said(at or ("query",), f"{node['kind']} around {kind} → {kind}")
        return source
    right = {"HogQLQuery": "DataVisualizationNode"}.get(
        str(kind), "InsightVizNode" if kind in PRODUCT_ANALYTICS else None
    )
    if right is None or node["kind"] in (right, "DataTableNode"):
        return node
    return node | {"kind": found.repaired((*at, "kind"), node["kind"], right)}
