"""A query with a dashboard's filters, or a caller's, laid over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insights_mcp.schema.query import PRODUCT_ANALYTICS, source_of

Query = dict[str, Any]


def overridden(query: Query, filters: Mapping[str, Any] | None, variables: Mapping[str, Any] | None) -> Query:
    """The query with dates replaced, property filters added, and variables set. The given one is left as it is."""
    if not filters and not variables:
        return query
    source = dict(source_of(query))
    if filters:
        source = _filtered(source, filters)
    if variables and isinstance(source.get("variables"), dict):
        source["variables"] = source["variables"] | {k: v for k, v in variables.items() if k in source["variables"]}
    return source if source_of(query) is query else {**query, "source": source}


def _filtered(source: Query, filters: Mapping[str, Any]) -> Query:
    if source.get("kind") == "HogQLQuery":
        return source | {"filters": _dated_and_narrowed(source.get("filters") or {}, filters)}
    return _dated_and_narrowed(source, filters) if source.get("kind") in PRODUCT_ANALYTICS else source


def _dated_and_narrowed(source: Query, filters: Mapping[str, Any]) -> Query:
    changed = dict(source)
    dates = {name: filters[name] for name in ("date_from", "date_to") if filters.get(name)}
    if dates:
        changed["dateRange"] = dates
    if filters.get("properties"):
        changed["properties"] = _both(source.get("properties"), filters["properties"])
    if filters.get("breakdown_filter") and source.get("kind") == "TrendsQuery":
        changed["breakdownFilter"] = filters["breakdown_filter"]
    return changed


def _both(own: Any, added: list[Any]) -> Any:
    """Both sets of property filters must hold. A set is a list, or a group of groups."""
    if not own:
        return added
    if isinstance(own, list):
        return own + added
    return {"type": "AND", "values": [own, {"type": "AND", "values": added}]}
