"""StickinessQuery: on how many days of a range people did something."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from insights_mcp.schema.filters import CompareFilter, DateRange, Entity, Interval, Properties, QueryShape


class StickinessSeries(Entity):
    """One thing to count, and by whom: persons, groups (`unique_group`) or a HogQL expression."""

    math: str | None = None
    math_hogql: str | None = None
    math_group_type_index: int | None = None


class StickinessCriteria(QueryShape):
    """How often someone must do it in an interval for the interval to count."""

    operator: Literal["gte", "lte", "exact"]
    value: int


class StickinessFilter(QueryShape):
    """How stickiness is counted: on exactly so many intervals, or (`cumulative`) on so many or more."""

    computedAs: Literal["cumulative", "non_cumulative"] | None = None
    stickinessCriteria: StickinessCriteria | None = None


class StickinessQuery(QueryShape):
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
