"""When an alert fires: its value in a fresh result of its insight, held against its bounds."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from insights_mcp.local.store import Row, Store, stamp
from insights_mcp.watching import circumstances, closest, readings, rule_of

FIRING, NOT_FIRING, ERRORED, SNOOZED = "Firing", "Not firing", "Errored", "Snoozed"
INTERVALS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(weeks=1),
    "monthly": timedelta(days=30),
}
OF_INSIGHT = """select a.*, t.configuration from alerts a join thresholds t on t.id = a.threshold_id
    where a.insight_id = ? and a.enabled"""


def check_alerts(store: Store, insight_id: int, answer: dict[str, Any], source: dict[str, Any], now: datetime) -> None:
    """Check every enabled alert of an insight against its newest result, and record the checks."""
    for alert in store.rows(OF_INSIGHT, insight_id):
        if not alert["snoozed_until"] or alert["snoozed_until"] <= stamp(now):
            _record(store, alert, *evaluated(alert, answer, source, now), now)


def evaluated(alert: Row, answer: dict[str, Any], source: dict[str, Any], now: datetime) -> tuple[float | None, str]:
    """An alert's value in a result and the state that follows. No such series, or no number in it: Errored."""
    config = json.loads(alert["config"])
    rule = rule_of(json.loads(alert["configuration"]), json.loads(alert["condition"]), config)
    found = readings(answer.get("results"), answer.get("columns"), circumstances(answer, source, now), config, rule)
    reading = closest(found, rule)
    if reading is None or reading.value is None:
        return None, ERRORED
    return reading.value, FIRING if rule.margin(reading.value) < 0 else NOT_FIRING


def _record(store: Store, alert: Row, value: float | None, state: str, now: datetime) -> None:
    at, following = stamp(now), stamp(now + INTERVALS[alert["calculation_interval"]])
    notified = at if state == FIRING else alert["last_notified_at"]
    times = {"last_checked_at": at, "next_check_at": following, "last_notified_at": notified}
    with store.transaction():
        store.insert(
            "checks", id=str(uuid4()), alert_id=alert["id"], calculated_value=value, state=state, created_at=at
        )
        store.update("alerts", alert["id"], state=state, last_value=value, snoozed_until=None, **times)
