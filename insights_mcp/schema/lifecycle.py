"""LifecycleQuery: who of each period is new, still there, back again, or gone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from insights_mcp.schema.filters import DateRange, Entity, InsightQuery, Interval, Properties, QueryShape

Status = Literal["new", "returning", "resurrecting", "dormant"]


class LifecycleFilter(QueryShape):
    """How the result is drawn: `toggledLifecycles` are those that are shown. With `onlyUseInsightDates` whoever is
    there in the first period is new: what came before is not looked at."""

    toggledLifecycles: list[Status] | None = None
    showValuesOnSeries: bool | None = None
    showPercentagesOnSeries: bool | None = None
    showLegend: bool | None = None
    legendPosition: Literal["top", "bottom", "left", "right"] | None = None
    stacked: bool | None = None
    onlyUseInsightDates: bool | None = None


class LifecycleQuery(InsightQuery):
    """The whole query, as PostHog stores it."""

    kind: Literal["LifecycleQuery"]
    series: list[Entity]
    interval: Interval | None = None
    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None
    lifecycleFilter: LifecycleFilter | None = None
    aggregation_group_type_index: int | None = None
    samplingFactor: Annotated[float, Field(allow_inf_nan=False)] | None = None
