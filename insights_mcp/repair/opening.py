"""What is wrapped around a query when more than the query is given: text, lists, whole insights, its own kind."""

from __future__ import annotations

from typing import Any

from insights_mcp.repair import texts
from insights_mcp.repair.findings import Findings, Path
from insights_mcp.repair.kinds import EXAMPLE, FILTERED_KINDS, MODELS, SERIES_KINDS
from insights_mcp.repair.words import EASY_KINDS, KINDS, word

# What stands around a query when a whole insight, a request or a call is given for it.
AROUND = ("query", "source", "filters", "params", "parameters", "config", "definition", "arguments", "body", "data")


def with_text(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """SQL that stands one deeper, under whatever name."""
    inner = query.get("query", query.get("sql"))
    inner = inner if isinstance(inner, dict) else {}
    text = next((inner[key] for key in ("query", "sql", "hogql") if isinstance(inner.get(key), str)), None)
    if text is None:
        return query
    found.said((*at, "query"), "what is inside is the SQL")
    return {key: item for key, item in query.items() if key != "sql"} | {"query": text}


def with_actors(query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """A funnel under the actors who are asked about, where it stands in their place."""
    source = query.get("source")
    kind = source.get("kind") if isinstance(source, dict) else None
    if "FunnelsQuery" not in (kind, KINDS.get(word(kind)) if isinstance(kind, str) else None):
        return query
    found.said((*at, "source"), "a funnel → the FunnelsActorsQuery of it")
    return query | {"source": {"kind": "FunnelsActorsQuery", "source": source}}


def from_text(text: str, at: Path, found: Findings) -> Any:
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


def alone(value: Any, at: Path, found: Findings) -> Any:
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


def opened(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
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
