"""PathsQuery: which way people go, step by step."""

from __future__ import annotations

from typing import Any, Literal

from insights_mcp.schema.filters import DateRange, InsightQuery, Properties, QueryShape

FunnelPathType = Literal["funnel_path_before_step", "funnel_path_between_steps", "funnel_path_after_step"]


class PathCleaningFilter(QueryShape):
    """What matches `regex` in a path is written as `alias`."""

    regex: str | None = None
    alias: str | None = None
    order: float | None = None


class PathsFilter(QueryShape):
    """Which events are steps, what they are called, where paths start and end, and how many steps and edges to show.

    `includeEventTypes` are `$pageview`, `$screen`, `custom_event` and `hogql` (none: every event).
    `pathStartKey`, `pathEndKey` and `pathDropoffKey` choose an edge (`1_/home`) when asked who took it.
    """

    includeEventTypes: list[str] | None = None
    excludeEvents: list[str] | None = None
    pathsHogQLExpression: str | None = None
    startPoint: str | None = None
    endPoint: str | None = None
    pathGroupings: list[str] | None = None
    pathReplacements: bool | None = None
    localPathCleaningFilters: list[PathCleaningFilter] | None = None
    stepLimit: int | None = None
    edgeLimit: int | None = None
    minEdgeWeight: int | None = None
    maxEdgeWeight: int | None = None
    showFullUrls: bool | None = None
    pathStartKey: str | None = None
    pathEndKey: str | None = None
    pathDropoffKey: str | None = None


class FunnelPathsFilter(QueryShape):
    """Only what those in a funnel did before, between or after its steps."""

    funnelPathType: FunnelPathType | None = None
    funnelSource: dict[str, Any]
    funnelStep: int | None = None


class PathsQuery(InsightQuery):
    """The whole query, as PostHog stores it."""

    kind: Literal["PathsQuery"]
    pathsFilter: PathsFilter | None = None
    funnelPathsFilter: FunnelPathsFilter | None = None
    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None
    samplingFactor: float | None = None
    aggregation_group_type_index: int | None = None
