"""RetentionQuery: who comes back, so many periods after they first did something."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from insights_mcp.schema.filters import BreakdownFilter, DateRange, Properties, QueryShape

Period = Literal["Hour", "Day", "Week", "Month"]
RetentionType = Literal["retention_recurring", "retention_first_time", "retention_first_ever_occurrence"]


class RetentionEntity(QueryShape):
    """What starts a cohort, or counts as coming back: an event by name (no `id` is every event), or an action."""

    id: str | int | float | None = None
    type: str | None = None
    name: str | None = None
    custom_name: str | None = None
    properties: Properties = None


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
    aggregationPropertyType: Literal["event", "person"] | None = None
    meanRetentionCalculation: Any = None


class RetentionQuery(QueryShape):
    """The whole query, as PostHog stores it."""

    kind: Literal["RetentionQuery"]
    retentionFilter: RetentionFilter
    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None
    breakdownFilter: BreakdownFilter | None = None
    aggregation_group_type_index: int | None = None
    samplingFactor: Annotated[float, Field(allow_inf_nan=False)] | None = None
