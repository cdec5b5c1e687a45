"""When an alert fires: its value in a fresh result of its insight, held against its bounds."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from insights_mcp.local.store import Row, Store, stamp

FIRING, NOT_FIRING, ERRORED, SNOOZED = "Firing", "Not firing", "Errored", "Snoozed"
INTERVALS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
}
OF_INSIGHT = """select a.*, t.configuration from alerts a join thresholds t on t.id = a.threshold_id
    where a.insight_id = ? and a.enabled"""


def check_alerts(store: Store, insight_id: int, results: Any, now: datetime) -> None:
    """Check every enabled alert of an insight against its newest result, and record the checks."""
    for alert in store.rows(OF_INSIGHT, insight_id):
        if not alert["snoozed_until"] or alert["snoozed_until"] <= stamp(now):
            _record(store, alert, *evaluated(alert, results), now)


def evaluated(alert: Row, results: Any) -> tuple[float | None, str]:
    """An alert's value in a result and the state that follows. No such series, or no number in it: Errored."""
    config, condition = json.loads(alert["config"]), json.loads(alert["condition"])
    points = _points(results, config.get("series_index", 0))
    if not config.get("check_ongoing_interval") and len(points) > 1:
        # The last interval is still going on, so that its value says little.
        points = points[:-1]
    threshold = json.loads(alert["configuration"])
    value = _value(points, condition.get("type"), threshold.get("type") == "percentage")
    return value, ERRORED if value is None else state_of(value, threshold.get("bounds") or {})


def state_of(value: float, bounds: dict[str, Any]) -> str:
    """Firing below `lower` or above `upper`."""
    lower, upper = bounds.get("lower"), bounds.get("upper")
    outside = (lower is not None and value < lower) or (upper is not None and value > upper)
    return FIRING if outside else NOT_FIRING


def _points(results: Any, index: int) -> list[float]:
    """The values of one series; a single number for a total. A table's last column counts as its series."""
    try:
        series = results[index]
        if isinstance(series, list):
            return [float(row[-1]) for row in results]
        return [float(v) for v in (series.get("data") or [series.get("aggregated_value")])]
    except (IndexError, KeyError, TypeError, ValueError, AttributeError):
        return []


def _value(points: list[float], condition: str | None, relative: bool) -> float | None:
    if condition == "absolute_value":
        return points[-1] if points else None
    if len(points) < 2:
        return None
    growth = points[-1] - points[-2] if condition == "relative_increase" else points[-2] - points[-1]
    return growth if not relative else (growth / points[-2] if points[-2] else None)


def _record(store: Store, alert: Row, value: float | None, state: str, now: datetime) -> None:
    at, following = stamp(now), stamp(now + INTERVALS[alert["calculation_interval"]])
    notified = at if state == FIRING else alert["last_notified_at"]
    times = {"last_checked_at": at, "next_check_at": following, "last_notified_at": notified}
    with store.transaction():
        store.insert(
            "checks", id=str(uuid4()), alert_id=alert["id"], calculated_value=value, state=state, created_at=at
        )
        store.update("alerts", alert["id"], state=state, last_value=value, snoozed_until=None, **times)
