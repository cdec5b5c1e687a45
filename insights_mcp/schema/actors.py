"""ActorsQuery: which persons or groups are behind a point of an insight."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from insights_mcp.schema.filters import Properties, QueryNode
from insights_mcp.schema.hogql import HogQLQuery


class InsightActorsQuery(QueryNode):
    """A point of a trend, a retention table, a stickiness or lifecycle chart, or a path.

    `day` is a bucket's date (stickiness: a number of intervals), `interval` a retention cohort's number, `series` an
    index into the series, `breakdown` a value, `status` one of lifecycle's.
    """

    kind: Literal["InsightActorsQuery"]
    source: dict[str, Any]
    day: str | int | None = None
    interval: int | None = None
    series: int | None = None
    breakdown: Any = None
    compare: Literal["current", "previous"] | None = None
    status: str | None = None
    includeRecordings: bool | None = None


class FunnelsActorsQuery(QueryNode):
    """A step of a funnel: who reached it (3), or left before it (-3); or one point of a funnel over time."""

    kind: Literal["FunnelsActorsQuery"]
    source: dict[str, Any]
    funnelStep: int | None = None
    funnelCustomSteps: list[int] | None = None
    funnelStepBreakdown: Any = None
    funnelTrendsDropOff: bool | None = None
    funnelTrendsEntrancePeriodStart: str | None = None
    includeRecordings: bool | None = None


class StickinessActorsQuery(QueryNode):
    """Who was active on exactly so many intervals, or on at least or at most so many (`operator`)."""

    kind: Literal["StickinessActorsQuery"]
    source: dict[str, Any]
    day: str | int | None = None
    series: int | None = None
    operator: Literal["gte", "lte", "exact"] | None = None
    compare: Literal["current", "previous"] | None = None
    includeRecordings: bool | None = None


class FunnelCorrelationQuery(QueryNode):
    """What goes along with converting in a funnel."""

    kind: Literal["FunnelCorrelationQuery"]
    source: FunnelsActorsQuery
    funnelCorrelationType: Literal["events", "properties", "event_with_properties"] | None = None
    funnelCorrelationNames: list[str] | None = None
    funnelCorrelationEventNames: list[str] | None = None
    funnelCorrelationExcludeNames: list[str] | None = None
    funnelCorrelationEventExcludePropertyNames: list[str] | None = None
    funnelCorrelationExcludeEventNames: list[str] | None = None


class FunnelCorrelationActorsQuery(QueryNode):
    """Who converted in a funnel, or did not, and also did an event or has property values."""

    kind: Literal["FunnelCorrelationActorsQuery"]
    source: FunnelCorrelationQuery
    funnelCorrelationPersonConverted: bool | None = None
    funnelCorrelationPersonEntity: dict[str, Any] | None = None
    funnelCorrelationPropertyValues: Properties = None
    includeRecordings: bool | None = None


Point = InsightActorsQuery | FunnelsActorsQuery | StickinessActorsQuery | FunnelCorrelationActorsQuery


class ActorsQuery(QueryNode):
    """Persons, or those behind a `source`; what to `select` of each, in which order, which page."""

    kind: Literal["ActorsQuery"]
    source: Annotated[Point | HogQLQuery, Field(discriminator="kind")] | None = None
    select: list[str] | None = None
    search: str | None = None
    properties: Properties = None
    fixedProperties: Properties = None
    orderBy: list[str] | None = None
    limit: Annotated[int, Field(ge=0)] | None = None
    offset: Annotated[int, Field(ge=0)] | None = None
