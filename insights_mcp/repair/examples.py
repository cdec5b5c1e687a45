"""Minimal valid examples: of each part, with any of its fields, and of each kind in both forms."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from insights_mcp.repair.shapes import Choice, Either, Many, Part, Plain, Shape, fields, kind_of

SERIES = {"kind": "EventsNode", "event": "$pageview"}
RANGE = {"date_from": "-30d"}
# The smallest that PostHog takes; and what makes a good example of a field.
PARTS: dict[str, dict[str, Any]] = {
    "Entity": SERIES,
    "Series": SERIES,
    "Step": SERIES,
    "StickinessSeries": SERIES,
    "Exclusion": {**SERIES, "funnelFromStep": 0, "funnelToStep": 1},
    "FormulaNode": {"formula": "A / B"},
    "RetentionFilter": {
        "period": "Week",
        "targetEntity": {"id": "signed up", "type": "events"},
        "returningEntity": {"id": "$pageview", "type": "events"},
    },
    "RetentionEntity": {"id": "$pageview", "type": "events"},
    "PathsFilter": {"includeEventTypes": ["$pageview"]},
    "Breakdown": {"property": "$browser", "type": "event"},
    "BreakdownFilter": {"breakdowns": [{"property": "$browser", "type": "event"}]},
    "DateRange": RANGE,
    "CompareFilter": {"compare": True},
    "PropertyFilter": {"key": "$browser", "operator": "exact", "value": ["Chrome"], "type": "event"},
    "StickinessCriteria": {"operator": "gte", "value": 2},
    "FunnelsFilter": {"funnelWindowInterval": 7, "funnelWindowIntervalUnit": "day"},
    "TrendsFilter": {"display": "ActionsBar"},
    "TrendsQuery": {"kind": "TrendsQuery", "series": [SERIES]},
    "FunnelsQuery": {"kind": "FunnelsQuery", "series": [SERIES, {"kind": "EventsNode", "event": "signed up"}]},
    "StickinessQuery": {"kind": "StickinessQuery", "series": [SERIES]},
    "LifecycleQuery": {"kind": "LifecycleQuery", "series": [SERIES]},
    "PathsQuery": {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["$pageview"]}},
    "HogQLQuery": {"kind": "HogQLQuery", "query": "select event, count() from events group by event"},
    "EventsQuery": {"kind": "EventsQuery", "select": ["event", "timestamp", "person"]},
}
PARTS["FunnelsActorsQuery"] = {"kind": "FunnelsActorsQuery", "source": PARTS["FunnelsQuery"]}
PARTS["FunnelCorrelationQuery"] = {
    "kind": "FunnelCorrelationQuery",
    "source": PARTS["FunnelsActorsQuery"],
    "funnelCorrelationType": "events",
}
PARTS["InsightVizNode"] = {"kind": "InsightVizNode", "source": PARTS["TrendsQuery"]}
PARTS["DataVisualizationNode"] = {"kind": "DataVisualizationNode", "source": PARTS["HogQLQuery"]}
PARTS["DataTableNode"] = {"kind": "DataTableNode", "source": PARTS["EventsQuery"]}
FIELDS: dict[str, Any] = {
    "properties": [PARTS["PropertyFilter"]],
    "fixedProperties": [PARTS["PropertyFilter"]],
    "funnelSource": PARTS["FunnelsQuery"],
    "math": "dau",
    "math_property": "$session_duration",
    "interval": "week",
    "breakdown": "$browser",
    "breakdown_type": "event",
    "breakdown_limit": 10,
    "compare_to": "-1w",
    "formula": "A / B",
    "samplingFactor": 0.1,
}
# The common form: each kind's first is the smallest.
COMMON: dict[str, list[dict[str, Any]]] = {
    "TrendsQuery": [
        {"kind": "trends", "events": ["$pageview"], "from": "-30d"},
        {
            "kind": "trends",
            "events": ["$pageview", {"event": "signed up", "math": "dau"}],
            "by": "$browser",
            "interval": "week",
            "from": "-90d",
            "where": {"person.plan": ["free", "team"]},
            "compare": True,
        },
        {
            "kind": "trends",
            "events": ["signed up", "$pageview"],
            "math": "dau",
            "formula": "A / B",
            "from": "mStart",
        },
    ],
    "FunnelsQuery": [
        {"kind": "funnel", "steps": ["$pageview", "signed up"], "window": "7 days", "from": "-30d"},
        {"kind": "funnel", "steps": ["signed up", {"event": ["note created", "note shared"]}], "by": "$browser"},
    ],
    "RetentionQuery": [
        {"kind": "retention", "start": "signed up", "return": "note created", "period": "week", "from": "-60d"},
    ],
    "StickinessQuery": [{"kind": "stickiness", "events": ["note created"], "from": "-30d"}],
    "LifecycleQuery": [{"kind": "lifecycle", "events": ["$pageview"], "interval": "week", "from": "-90d"}],
    "PathsQuery": [{"kind": "paths", "events": ["signed up", "note created", "note shared"], "from": "-30d"}],
    "FunnelCorrelationQuery": [
        {"kind": "correlation", "steps": ["$pageview", "signed up"], "window": "7 days", "from": "-30d"},
        {"kind": "correlation", "steps": ["$pageview", "signed up"], "properties": ["plan", "country"]},
    ],
    "HogQLQuery": [{"sql": "select properties.$browser, count() from events where event = '$pageview' group by 1"}],
}


def example_of(model: type[BaseModel]) -> dict[str, Any]:
    """The smallest of its kind."""
    if model.__name__ in PARTS:
        return PARTS[model.__name__]
    made = {name: _value(name, field.shape) for name, field in fields(model).items() if field.required}
    if kind := kind_of(model):
        return {"kind": kind, **made}
    first = next(iter(fields(model)))
    return made or {first: _value(first, fields(model)[first].shape)}


def example_with(model: type[BaseModel], field: str) -> dict[str, Any]:
    """The smallest of its kind that has this field."""
    smallest = example_of(model)
    return smallest if field in smallest else smallest | {field: _value(field, fields(model)[field].shape)}


def _value(name: str, shape: Shape) -> Any:
    if name in FIELDS:
        return FIELDS[name]
    if isinstance(shape, Choice):
        return shape.values[0]
    if isinstance(shape, Part):
        return example_of(shape.model)
    if isinstance(shape, Many):
        return [_value("", shape.of)]
    if isinstance(shape, Either):
        return _value("", shape.of[-1])
    return _plain(shape)


def _plain(shape: Plain) -> Any:
    least = int(shape.least or 1)
    return {"text": "text", "whole": least, "number": least, "switch": True, "mapping": {}, "anything": None}[
        shape.kind
    ]
