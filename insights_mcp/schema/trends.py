"""TrendsQuery: how often things happened, over time or in all."""

from __future__ import annotations

from typing import Literal

from insights_mcp.schema.filters import (
    BreakdownFilter,
    CompareFilter,
    DateRange,
    Entity,
    Interval,
    Properties,
    QueryShape,
)

Math = Literal[
    "total", "dau", "weekly_active", "monthly_active", "unique_session", "first_time_for_user",
    "first_matching_event_for_user", "sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99",
    "avg_count_per_actor", "min_count_per_actor", "max_count_per_actor", "median_count_per_actor",
    "p75_count_per_actor", "p90_count_per_actor", "p95_count_per_actor", "p99_count_per_actor", "unique_group", "hogql",
]  # fmt: skip
Display = Literal[
    "Auto", "ActionsLineGraph", "ActionsBar", "ActionsUnstackedBar", "ActionsStackedBar", "ActionsAreaGraph",
    "ActionsLineGraphCumulative", "BoldNumber", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap",
    "CalendarHeatmap", "TwoDimensionalHeatmap", "BoxPlot", "SlopeGraph",
]  # fmt: skip


class Series(Entity):
    """One thing to count, and how."""

    math: Math | None = None
    math_property: str | None = None
    math_property_type: str | None = None
    math_hogql: str | None = None
    math_multiplier: float | None = None
    math_group_type_index: int | None = None


class FormulaNode(QueryShape):
    """A formula over the series, which are A, B, … in it."""

    formula: str
    custom_name: str | None = None


class TrendsFilter(QueryShape):
    """How the result is drawn, where that changes what is computed."""

    display: Display | None = None
    formula: str | None = None
    formulas: list[str] | None = None
    formulaNodes: list[FormulaNode] | None = None
    smoothingIntervals: int | None = None


class TrendsQuery(QueryShape):
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
    samplingFactor: float | None = None
    aggregation_group_type_index: int | None = None
