"""RetentionQuery: who comes back, so many periods after they first did something."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from insights_mcp.schema.filters import (
    BreakdownFilter,
    DateRange,
    Display,
    InsightQuery,
    Properties,
    QueryShape,
)

Period = Literal["Hour", "Day", "Week", "Month"]
RetentionType = Literal["retention_recurring", "retention_first_time", "retention_first_ever_occurrence"]


class RetentionEntity(QueryShape):
    """What starts a cohort, or counts as coming back: an event by name (no `id` is every event), or an action."""

    id: str | int | float | None = None
    type: str | None = None
    name: str | None = None
    custom_name: str | None = None
    properties: Properties = None
    kind: Literal["ActionsNode", "EventsNode"] | None = None
    order: int | None = None
    uuid: str | None = None
    aggregation_target_field: str | None = None
    table_name: str | None = None
    timestamp_field: str | None = None


class RetentionFilter(QueryShape):
    """How retention is counted. `retentionCustomBrackets` are numbers of periods: [1, 3] is period 1, then 2 to 4."""

    period: Period | None = None
    totalIntervals: int | None = None
    retentionType: RetentionType | None = None
    targetEntity: RetentionEntity | None = None
    returningEntity: RetentionEntity | None = None
    retentionCustomBrackets: list[Annotated[float, Field(allow_inf_nan=False)]] | None = None
    timeWindowMode: Literal["strict_calendar_dates", "24_hour_windows"] | None = None
    cumulative: bool | None = None
    minimumOccurrences: int | None = None
    aggregationType: Literal["count", "sum", "avg"] | None = None
    aggregationProperty: str | None = None
    aggregationPropertyType: Literal["event", "person", "data_warehouse"] | None = None
    customAggregationTarget: bool | None = None
    retentionReference: Literal["total", "previous"] | None = None
    meanRetentionCalculation: Any = None
    display: Display | None = None
    dashboardDisplay: Literal["table_only", "graph_only", "all"] | None = None
    showTrendLines: bool | None = None
    selectedInterval: int | None = None
    cohortLabelStartIndex: int | None = None
    goalLines: list[dict[str, Any]] | None = None


class RetentionQuery(InsightQuery):
    """The whole query, as PostHog stores it."""

    kind: Literal["RetentionQuery"]
    retentionFilter: RetentionFilter
    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None
    breakdownFilter: BreakdownFilter | None = None
    aggregation_group_type_index: int | None = None
    samplingFactor: Annotated[float, Field(allow_inf_nan=False)] | None = None
