"""Thresholds of an insight and the alerts that watch them."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.answer import Answer, Table
from insights_mcp.endpoints import thresholds
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.schema.alert import Alert, Bounds, Threshold
from insights_mcp.text import counted
from insights_mcp.tools.tool import InsightReference, Tool, Work

COLUMNS = ("threshold_id", "name", "type", "lower", "upper", "alert", "state", "enabled", "last notified")


class ListThresholds(Tool):
    """The thresholds of an insight, and for each the alerts on it and whether they fire."""

    title: ClassVar[str] = "List an insight's thresholds"
    tabular = True
    uses = (thresholds.ListThresholds, GetInsight)
    may_use = (ListInsights,)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """The insight is looked up first: of an unknown one the API says it has no thresholds."""
        number = await work.references.insight_number(self.id)
        page = await work.client.send(thresholds.ListThresholds(insight_id=number))
        rows = [row for threshold in page.results for row in _rows(threshold)]
        said = (
            f"{counted(len(page.results), 'threshold')}." if rows else "No thresholds: no alert watches this insight."
        )
        return Answer(said, table=Table(COLUMNS, rows))


class GetThreshold(Tool):
    """One threshold of an insight, with its alerts."""

    title: ClassVar[str] = "Read a threshold"
    uses = (thresholds.GetThreshold, GetInsight)
    may_use = (ListInsights,)

    id: InsightReference
    threshold_id: Annotated[str, Field(max_length=100, description="Id from list_thresholds.")]

    async def run(self, work: Work) -> Answer:
        """The threshold and its alerts."""
        number = await work.references.insight_number(self.id)
        call = thresholds.GetThreshold(insight_id=number, threshold_id=self.threshold_id)
        found = await work.client.send(call)
        alerts = [_alert_facts(alert) for alert in found.alerts]
        return Answer(f"Threshold {_bounds_text(found)}.", {"id": found.id, "name": found.name, "alerts": alerts})


def _bounds(threshold: Threshold) -> Bounds:
    return (threshold.configuration and threshold.configuration.bounds) or Bounds()


def _bounds_text(threshold: Threshold) -> str:
    bounds = _bounds(threshold)
    parts = (("below", bounds.lower), ("above", bounds.upper))
    return "fires " + (" or ".join(f"{word} {value:g}" for word, value in parts if value is not None) or "never")


def _rows(threshold: Threshold) -> list[list[Any]]:
    bounds = _bounds(threshold)
    kind = threshold.configuration.type if threshold.configuration else None
    head = [threshold.id, threshold.name, kind, bounds.lower, bounds.upper]
    alerts = [[a.name, a.state, a.enabled, a.last_notified_at] for a in threshold.alerts]
    return [head + alert for alert in alerts or [[None] * 4]]


def _alert_facts(alert: Alert) -> dict[str, Any]:
    return alert.model_dump(
        include={
            "id", "name", "state", "enabled", "condition", "calculation_interval",
            "last_checked_at", "last_notified_at", "next_check_at",
        },
        exclude_none=True,
    )  # fmt: skip
