"""FunnelsQuery: how many go on from one step to the next, and how long it takes them."""

from __future__ import annotations

from typing import Any, Literal

from insights_mcp.schema.filters import (
    BreakdownFilter,
    CompareFilter,
    DateRange,
    Entity,
    InsightQuery,
    Interval,
    Properties,
    QueryShape,
)

WindowUnit = Literal["second", "minute", "hour", "day", "week", "month"]
Attribution = Literal["first_touch", "last_touch", "all_events", "step"]


class Step(Entity):
    """One step. An optional one may be left out. Of `math`, only the `first_time_for_user` forms matter."""


class Exclusion(Step):
    """What must not happen after one step (0 is the first) and before another."""

    funnelFromStep: int
    funnelToStep: int


class FunnelsFilter(QueryShape):
    """In which order the steps must come, within which time, and what is asked about them."""

    funnelOrderType: Literal["ordered", "unordered", "strict"] | None = None
    funnelVizType: Literal["steps", "time_to_convert", "trends", "flow"] | None = None
    funnelWindowInterval: int | None = None
    funnelWindowIntervalUnit: WindowUnit | None = None
    funnelFromStep: int | None = None
    funnelToStep: int | None = None
    binCount: int | None = None
    exclusions: list[Exclusion] | None = None
    breakdownAttributionType: Attribution | None = None
    breakdownAttributionValue: int | None = None
    funnelAggregateByHogQL: str | None = None
    funnelStepReference: Literal["total", "previous"] | None = None
    hideIncompleteConversionWindowPeriods: bool | None = None
    layout: Literal["horizontal", "vertical"] | None = None
    useUdf: bool | None = None
    customAggregationTarget: bool | None = None
    breakdownSorting: str | None = None
    hiddenLegendBreakdowns: list[str] | None = None
    showLegend: bool | None = None
    legendPosition: Literal["top", "bottom", "left", "right"] | None = None
    showValuesOnSeries: bool | None = None
    showTrendLines: bool | None = None
    showAnnotations: bool | None = None
    goalLines: list[dict[str, Any]] | None = None
    resultCustomizations: dict[str, Any] | None = None


class FunnelsQuery(InsightQuery):
    """The whole query, as PostHog stores it."""

    kind: Literal["FunnelsQuery"]
    series: list[Step]
    interval: Interval | None = None
    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None
    breakdownFilter: BreakdownFilter | None = None
    funnelsFilter: FunnelsFilter | None = None
    compareFilter: CompareFilter | None = None
    samplingFactor: float | None = None
    aggregation_group_type_index: int | None = None
