"""Alerts and thresholds as the API sends them."""

from __future__ import annotations

import json
from typing import Any

import orjson

from insights_mcp.local.alarms import SNOOZED
from insights_mcp.local.insight_shape import People, basic
from insights_mcp.local.store import Row, Store, iso

Shape = dict[str, Any]

CHECKS = "select * from checks where alert_id = ? order by created_at desc, rowid desc limit ? offset ?"


def alerts_of(store: Store, insight: Row, users: People) -> list[Shape]:
    """The alerts on an insight, oldest first, without their checks."""
    rows = store.rows("select * from alerts where insight_id = ? order by created_at", insight["id"])
    return [alert(store, row, basic(insight, users), users) for row in rows]


def alert(store: Store, row: Row, insight: Shape, users: People) -> Shape:
    """One alert with its insight and its threshold."""
    found = store.row("select * from thresholds where id = ?", row["threshold_id"])
    return {
        "id": row["id"],
        "created_by": users.get(row["created_by"]),
        "created_at": iso(row["created_at"]),
        "insight": insight,
        "name": row["name"],
        "subscribed_users": [users[n] for n in json.loads(row["subscribed_users"]) if n in users],
        "threshold": found and plain_threshold(found),
        "condition": orjson.Fragment(row["condition"]),
        "state": SNOOZED if row["snoozed_until"] else row["state"],
        "enabled": bool(row["enabled"]),
        "last_notified_at": iso(row["last_notified_at"]),
        "last_checked_at": iso(row["last_checked_at"]),
        "next_check_at": iso(row["next_check_at"]),
        "checks": [],
        "config": orjson.Fragment(row["config"]),
        "calculation_interval": row["calculation_interval"],
        "snoozed_until": iso(row["snoozed_until"]),
        "skip_weekend": None if row["skip_weekend"] is None else bool(row["skip_weekend"]),
        "last_value": row["last_value"],
    }


def plain_threshold(row: Row) -> Shape:
    """A threshold without its alerts."""
    return {
        "id": row["id"],
        "created_at": iso(row["created_at"]),
        "name": row["name"],
        "configuration": orjson.Fragment(row["configuration"]),
    }


def checks_of(store: Store, alert_id: str, limit: int, offset: int) -> list[Shape]:
    """The latest checks of an alert, newest first."""
    return [
        {
            "id": row["id"],
            "created_at": iso(row["created_at"]),
            "calculated_value": row["calculated_value"],
            "state": row["state"],
            "targets_notified": False,
        }
        for row in store.rows(CHECKS, alert_id, limit, offset)
    ]
