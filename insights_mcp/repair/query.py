"""What a model wrote, as PostHog's query: which kind is meant, what is wrapped around it, and then part by part."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from insights_mcp.repair.checks import checked
from insights_mcp.repair.findings import BadQuery, Findings, Path, shown
from insights_mcp.repair.kinds import COMMON, EXAMPLE, MODELS, SERIES_KINDS, TELLING, headed, kind_meant
from insights_mcp.repair.objects import by_words, meant, part
from insights_mcp.repair.opening import alone, from_text, opened, with_actors, with_text
from insights_mcp.repair.placing import placed
from insights_mcp.repair.shapes import Part, fields
from insights_mcp.repair.words import EASY_KINDS, word
from insights_mcp.schema.actors import FunnelCorrelationQuery
from insights_mcp.schema.hogql import HogQLQuery
from insights_mcp.schema.query import PRODUCT_ANALYTICS
from insights_mcp.schema.wrappers import Wrapper

MOST_ROUNDS = 5


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
    value = alone(from_text(value, at, found) if isinstance(value, str) else value, at, found)
    if not isinstance(value, dict):
        found.wrong(at, f"{shown(value)} is no query", example=EXAMPLE)
        return value
    value = headed(opened(value, at, found), at, found)
    kind, easy = kind_meant(value, at, found)
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
        query = with_text(query, at, found)
    if model is FunnelCorrelationQuery:
        query = with_actors(query, at, found)
    if model in COMMON:
        query = _with_actions(query, at, found)
        query = checked(placed(model, query, at, found), at, found)
    return part(model, query, at, found, query_at)


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
        source = from_text(source, (*at, "source"), found)
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
