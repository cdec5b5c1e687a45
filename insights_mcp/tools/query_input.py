"""A query as the model gives it: an object of a known kind, of a size that means something."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from insights_mcp.schema.query import KINDS, source_of
from insights_mcp.text import clean, meant

MAX_CHARACTERS = 500_000
MAX_DEPTH = 60
EXAMPLE = '{"kind":"TrendsQuery","series":[{"kind":"EventsNode","event":"$pageview"}],"dateRange":{"date_from":"-7d"}}'


def _query(value: Any) -> Any:
    """The query, also when it comes as JSON text. ValueError says what is wrong and shows a right one."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        _bounded(len(value))
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueError(f"a query is a JSON object, and this text is no JSON; such as {EXAMPLE}") from None
    if not isinstance(value, dict):
        raise ValueError(f"a query is a JSON object such as {EXAMPLE}")
    if _depth(value) > MAX_DEPTH:
        raise ValueError(f"a query is nested at most {MAX_DEPTH} deep")
    _bounded(len(json.dumps(value, default=str)))
    _check_kind(value)
    return value


def _bounded(size: int) -> None:
    if size > MAX_CHARACTERS:
        raise ValueError(
            f"a query has at most {MAX_CHARACTERS:,} characters, this one has {size:,}; "
            "use a cohort or a property instead of a long list of values"
        )


def _depth(value: Any) -> int:
    """How deep it is nested; counted in layers, so that no depth is too deep to count."""
    depth, layer = 0, [value]
    while layer and depth <= MAX_DEPTH:
        depth += 1
        layer = [
            item
            for outer in layer
            for item in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(item, dict | list)
        ]
    return depth


def _check_kind(query: dict[str, Any]) -> None:
    for node in (query, source_of(query)):
        kind = node.get("kind")
        if not isinstance(kind, str):
            raise ValueError(f"a query names its kind: {', '.join(KINDS)}; such as {EXAMPLE}")
        if kind not in KINDS and (near := meant(kind, KINDS)):
            raise ValueError(f"'{clean(kind, 60)}' is no kind of query{near} Kinds are {', '.join(KINDS)}")


Query = Annotated[
    dict[str, Any],
    BeforeValidator(_query),
    Field(description="PostHog query: TrendsQuery, FunnelsQuery, RetentionQuery, HogQLQuery …; wrapped or bare."),
]
