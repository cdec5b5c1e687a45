"""Bounds on an insight's value, and the alerts that watch them. Mirrors `/insights/:insight_id/thresholds/`."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from insights_mcp.endpoint import Endpoint, Route
from insights_mcp.endpoints.insights import INSIGHTS, InsightNumber
from insights_mcp.schema.alert import Threshold
from insights_mcp.schema.reply import Page
from insights_mcp.scopes import Scope

THRESHOLDS = INSIGHTS + "{insight_id}/thresholds/"


class ListThresholds(Endpoint[Page[Threshold]]):
    """The thresholds of an insight. An unknown insight has none: the API answers with an empty list."""

    route: ClassVar[Route] = Route("GET", THRESHOLDS, Scope.ALERT_READ)

    insight_id: InsightNumber
    limit: Annotated[int, Field(ge=1, le=500)] = 100
    offset: Annotated[int, Field(ge=0)] = 0


class GetThreshold(Endpoint[Threshold]):
    """One threshold of an insight."""

    route: ClassVar[Route] = Route("GET", THRESHOLDS + "{threshold_id}/", Scope.ALERT_READ)

    insight_id: InsightNumber
    threshold_id: str
