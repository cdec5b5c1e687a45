"""StickinessQuery: on how many days of a range people did something."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from insights_mcp.schema.filters import (
    CompareFilter,
    DateRange,
    Display,
    Entity,
    InsightQuery,
    Interval,
    Properties,
    QueryShape,
)


class StickinessSeries(Entity):
    """One thing to count, and by whom: persons, groups (`unique_group`) or a HogQL expression."""


class StickinessCriteria(QueryShape):
    """How often someone must do it in an interval for the interval to count."""

    operator: Literal["gte", "lte", "exact"]
    value: int


class StickinessFilter(QueryShape):
    """How stickiness is counted: on exactly so many intervals, or (`cumulative`) on so many or more."""

    computedAs: Literal["cumulative", "non_cumulative"] | None = None
    stickinessCriteria: StickinessCriteria | None = None
    display: Display | None = None
    showLegend: bool | None = None
    legendPosition: Literal["top", "bottom", "left", "right"] | None = None
    showValuesOnSeries: bool | None = None
    showMultipleYAxes: bool | None = None
    hiddenLegendIndexes: list[int] | None = None
    resultCustomizationBy: Literal["value", "position"] | None = None
    resultCustomizations: dict[str, Any] | None = None


class StickinessQuery(InsightQuery):
    """The whole query, as PostHog stores it."""

    kind: Literal["StickinessQuery"]
    series: list[StickinessSeries]
    interval: Interval | None = None
    intervalCount: int | None = Field(default=None, ge=1)
    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None
    compareFilter: CompareFilter | None = None
    stickinessFilter: StickinessFilter | None = None
    samplingFactor: Annotated[float, Field(allow_inf_nan=False)] | None = None
