"""Thresholds of an insight and the alerts that watch them: state, bounds, and how far the value is from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp import computation
from insights_mcp.answer import Answer, Table
from insights_mcp.answer.asked import Asked
from insights_mcp.answer.numbers import plain
from insights_mcp.endpoints import thresholds
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.endpoints.queries import GetQuery
from insights_mcp.errors import InsightsError, NotFound, UnknownReference
from insights_mcp.schema.alert import Threshold
from insights_mcp.schema.insight import Refresh
from insights_mcp.stories.alerts import Result, Watch, bounds_told, clock, distance, sentence, watches
from insights_mcp.text import clean, counted, quoted
from insights_mcp.tools.insight_facts import asked
from insights_mcp.tools.tool import InsightReference, Tool, Work
from insights_mcp.watching import rule_of

COLUMNS = ("threshold_id", "alert", "state", "lower", "upper", "now", "distance", "last fired", "last checked",
           "next check")  # fmt: skip
NEVER = "never"
LONG_OVER = 31  # days since a window's end, after which no interval of it goes on


class ListThresholds(Tool):
    """The thresholds of an insight, and for each the alerts on it and whether they fire."""

    title: ClassVar[str] = "List an insight's thresholds"
    tabular = True
    uses = (thresholds.ListThresholds, GetInsight)
    may_use = (ListInsights, GetQuery)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """The insight is looked up first: of an unknown one the API says it has no thresholds."""
        number = await work.references.insight_number(self.id)
        found = (await work.client.send(thresholds.ListThresholds(insight_id=number))).results
        told, left_out = await _watched(work, number, found)
        rows = [*map(_row, told), *(_unwatched(threshold) for threshold in found if not threshold.alerts)]
        digest = tuple(map(sentence, told))
        table = Table(COLUMNS, rows) if rows else None
        next_ = () if found else ("Alerts are made in PostHog's web app, on the insight; no tool here makes one.",)
        return Answer(_said(found, told), table=table, left_out=left_out, digest=digest, next=next_)


class GetThreshold(Tool):
    """One threshold of an insight, with its alerts."""

    title: ClassVar[str] = "Read a threshold"
    uses = (thresholds.GetThreshold, GetInsight)
    may_use = (ListInsights, GetQuery)

    id: InsightReference
    threshold_id: Annotated[str, Field(max_length=100, description="Id from list_thresholds.")]

    async def run(self, work: Work) -> Answer:
        """The threshold and its alerts."""
        number = await work.references.insight_number(self.id)
        call = thresholds.GetThreshold(insight_id=number, threshold_id=self.threshold_id)
        try:
            found = await work.client.send(call)
        except NotFound:
            raise UnknownReference(
                f"There is no threshold {quoted(self.threshold_id)} on this insight.", "list_thresholds has their ids."
            ) from None
        told, left_out = await _watched(work, number, [found])
        facts = {"id": found.id, "name": found.name, "created": clock(found.created_at), "alerts": _facts(told)}
        return Answer(_said([found], told), facts, left_out=left_out, digest=tuple(map(sentence, told)))


async def _watched(work: Work, number: int, found: Sequence[Threshold]) -> tuple[list[Watch], tuple[str, ...]]:
    """The alerts, with what they see in the insight's result; and why they see none."""
    if not any(threshold.alerts for threshold in found):
        return [], ()
    try:
        call = GetInsight(id=number, refresh=Refresh.BLOCKING)
        insight = await computation.get_insight(work.client, call, work.watch)
    except InsightsError as error:
        return watches(found, Result(Asked())), (f"the values now: {error.what}",)
    result = Result(asked(insight, insight.query), insight.result, insight.columns)
    if insight.result is None:
        return watches(found, result), ("the values now: there is no result",)
    return watches(found, result), _ended(result.asked)


def _ended(of: Asked) -> tuple[str, ...]:
    """An alert looks at the last intervals up to now, whatever the insight's own window is."""
    until = of.part("dateRange").get("date_to")
    over = of.now is not None and of.until < of.now - timedelta(days=LONG_OVER)
    if of.source.get("kind") != "TrendsQuery" or not until or not over:
        return ()
    return (f"the values now: the insight's window ended {of.until:%Y-%m-%d}, and an alert looks at what came since",)


def _said(found: Sequence[Threshold], told: Sequence[Watch]) -> str:
    if not found:
        return "No thresholds: no alert watches this insight."
    firing = sum(watch.state == "Firing" for watch in told)
    alerts = f"{counted(len(told), 'alert')}, {firing or 'none'} firing" if told else "no alert, so that nothing fires"
    return f"{counted(len(found), 'threshold')} with {alerts}."


def _row(watch: Watch) -> list[Any]:
    alert = watch.alert
    times = [clock(alert.last_notified_at) or NEVER, clock(alert.last_checked_at) or NEVER, clock(alert.next_check_at)]
    now = watch.nearest.now if watch.nearest else alert.last_value
    shown = [watch.state, *bounds_told(watch.rule), now if now is None else plain(now), distance(watch)]
    return [watch.threshold.id, alert.name, *shown, *times]


def _unwatched(threshold: Threshold) -> list[Any]:
    rule = rule_of(threshold.configuration and threshold.configuration.model_dump(), None, None)
    return [threshold.id, None, "no alert", *bounds_told(rule), None, None, None, None, None]


def _facts(told: Sequence[Watch]) -> list[dict[str, Any]]:
    whole = [dict(zip(COLUMNS[1:], _row(watch)[1:], strict=True)) | _further(watch) for watch in told]
    return [{name: value for name, value in facts.items() if value is not None} for facts in whole]


def _further(watch: Watch) -> dict[str, Any]:
    """What no row has room for."""
    users = [
        user if isinstance(user, int) else user.email or user.first_name for user in watch.alert.subscribed_users or ()
    ]
    by_value = [f"{quoted(r.label, 60)}: {plain(r.now)}" for r in watch.seen if r.now is not None][:10]
    return {
        "id": watch.alert.id,
        "condition": clean((watch.alert.condition or {}).get("type") or "absolute_value", 40),
        "notifies": users or "nobody",
        "skips weekends": watch.alert.skip_weekend or None,
        "values": by_value if len(watch.seen) > 1 else None,
    }
