"""Which kind of query is meant: by its name, by other words for it, or by what only one kind has."""

from __future__ import annotations

import re
from typing import Any

from pydantic import BaseModel

from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.words import COMMON_KINDS, EASY_KINDS, ENTITIES, KINDS, word
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
from insights_mcp.schema.retention import RetentionQuery
from insights_mcp.schema.stickiness import StickinessQuery
from insights_mcp.schema.trends import TrendsQuery
from insights_mcp.schema.wrappers import DataTableNode, DataVisualizationNode, InsightVizNode
from insights_mcp.text import nearest

MODELS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        TrendsQuery, FunnelsQuery, RetentionQuery, PathsQuery, StickinessQuery, LifecycleQuery, HogQLQuery, EventsQuery,
        ActorsQuery, InsightActorsQuery, FunnelsActorsQuery, StickinessActorsQuery, FunnelCorrelationQuery,
        FunnelCorrelationActorsQuery, InsightVizNode, DataVisualizationNode, DataTableNode,
    )
}  # fmt: skip
COMMON = (
    TrendsQuery, FunnelsQuery, RetentionQuery, PathsQuery, StickinessQuery, LifecycleQuery, HogQLQuery,
    FunnelCorrelationQuery,
)  # fmt: skip
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
CALLED_KIND = frozenset({"type", "querytype", "querykind", "insighttype", "kind"})
EXAMPLE = {"kind": "trends", "events": ["$pageview"], "from": "-30d"}
ALLOWED = ", ".join(COMMON_KINDS) + ", or PostHog's own, such as TrendsQuery"


def headed(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
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


def kind_meant(value: dict[str, Any], at: Path, found: Findings) -> tuple[str | None, bool]:
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
