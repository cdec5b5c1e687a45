"""Thresholds and the alerts that watch them."""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.insight import User
from insights_mcp.schema.reply import Listed, ReplyShape


class Bounds(ReplyShape):
    """An alert fires below `lower` or above `upper`."""

    lower: float | None = None
    upper: float | None = None


class ThresholdConfiguration(ReplyShape):
    """`type` is absolute or percentage."""

    type: str | None = None
    bounds: Bounds | None = None


class Alert(ReplyShape):
    """A watch over one series of an insight. `state` is Firing, Not firing, Errored or Snoozed."""

    id: str
    name: str | None = None
    state: str | None = None
    enabled: bool | None = None
    condition: dict[str, Any] | None = None
    config: dict[str, Any] | None = None
    calculation_interval: str | None = None
    last_checked_at: str | None = None
    last_notified_at: str | None = None
    next_check_at: str | None = None
    snoozed_until: str | None = None
    skip_weekend: bool | None = None
    last_value: float | None = None
    detector_config: dict[str, Any] | None = None
    subscribed_users: Listed[User | int] = []


class Threshold(ReplyShape):
    """Bounds on an insight's value, with the alerts that use them."""

    id: str
    name: str | None = None
    created_at: str | None = None
    configuration: ThresholdConfiguration | None = None
    alerts: Listed[Alert] = []
