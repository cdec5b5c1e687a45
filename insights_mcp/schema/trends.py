"""TrendsQuery: how often things happened, over time or in all."""

from __future__ import annotations

from typing import Any, Literal

from insights_mcp.schema.filters import (
    BreakdownFilter,
    CompareFilter,
    DateRange,
    Display,
    Entity,
    InsightQuery,
    Interval,
    Properties,
    QueryShape,
)

AxisFormat = Literal[
    "numeric", "duration", "duration_ms", "percentage", "percentage_scaled", "currency", "short"
]  # fmt: skip


class Series(Entity):
    """One thing to count, and how."""


class FormulaNode(QueryShape):
    """A formula over the series, which are A, B, … in it."""

    formula: str
    custom_name: str | None = None


class TrendsFilter(QueryShape):
    """What is computed from the series, and how the result is drawn."""

    display: Display | None = None
    formula: str | None = None
    formulas: list[str] | None = None
    formulaNodes: list[FormulaNode] | None = None
    smoothingIntervals: int | None = None
    aggregationAxisFormat: AxisFormat | None = None
    aggregationAxisPrefix: str | None = None
    aggregationAxisPostfix: str | None = None
    decimalPlaces: float | None = None
    minDecimalPlaces: float | None = None
    breakdown_histogram_bin_count: int | None = None
    showLegend: bool | None = None
    legendPosition: Literal["top", "bottom", "left", "right"] | None = None
    showValuesOnSeries: bool | None = None
    showLabelsOnSeries: bool | None = None
    showPercentStackView: bool | None = None
    showAlertThresholdLines: bool | None = None
    showMultipleYAxes: bool | None = None
    showTrendLines: bool | None = None
    showMovingAverage: bool | None = None
    movingAverageIntervals: float | None = None
    showConfidenceIntervals: bool | None = None
    confidenceLevel: float | None = None
    showAnnotations: bool | None = None
    stackBreakdownValues: bool | None = None
    hideWeekends: bool | None = None
    excludeBoxPlotOutliers: bool | None = None
    yAxisScaleType: Literal["linear", "log10"] | None = None
    xAxisLabel: str | None = None
    yAxisLabel: str | None = None
    goalLines: list[dict[str, Any]] | None = None
    hiddenLegendIndexes: list[int] | None = None
    resultCustomizationBy: Literal["value", "position"] | None = None
    resultCustomizations: dict[str, Any] | None = None
    detailedResultsAggregationType: Literal["total", "average", "median"] | None = None
    metricShowChange: bool | None = None
    metricSummary: Literal["total", "average", "latest"] | None = None
    metricColorByDirection: bool | None = None
    metricChangeIncreaseColor: str | None = None
    metricChangeDecreaseColor: str | None = None
    metricLineIncreaseColor: str | None = None
    metricLineDecreaseColor: str | None = None


class TrendsQuery(InsightQuery):
    """The whole query, as PostHog stores it."""

    kind: Literal["TrendsQuery"]
    series: list[Series]
    interval: Interval | None = None
    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None
    breakdownFilter: BreakdownFilter | None = None
    compareFilter: CompareFilter | None = None
    trendsFilter: TrendsFilter | None = None
    calendarHeatmapFilter: dict[str, Any] | None = None
    conversionGoal: dict[str, Any] | None = None
    samplingFactor: float | None = None
    aggregation_group_type_index: int | None = None
