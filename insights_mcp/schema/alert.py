"""Thresholds and the alerts that watch them."""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.insight import User
from insights_mcp.schema.reply import Lenient, Listed, ReplyShape


class Bounds(ReplyShape):
    """An alert fires below `lower` or above `upper`."""

    lower: Lenient[float] = None
    upper: Lenient[float] = None


class ThresholdConfiguration(ReplyShape):
    """`type` is absolute or percentage."""

    type: Lenient[str] = None
    bounds: Lenient[Bounds] = None


class Alert(ReplyShape):
    """A watch over one series of an insight. `state` is Firing, Not firing, Errored or Snoozed."""

    id: Lenient[str] = None
    name: Lenient[str] = None
    state: Lenient[str] = None
    enabled: Lenient[bool] = None
    condition: Lenient[dict[str, Any]] = None
    config: Lenient[dict[str, Any]] = None
    calculation_interval: Lenient[str] = None
    last_checked_at: Lenient[str] = None
    last_notified_at: Lenient[str] = None
    next_check_at: Lenient[str] = None
    snoozed_until: Lenient[str] = None
    skip_weekend: Lenient[bool] = None
    last_value: Lenient[float] = None
    detector_config: Lenient[dict[str, Any]] = None
    subscribed_users: Lenient[list[User | int]] = None


class Threshold(ReplyShape):
    """Bounds on an insight's value, with the alerts that use them."""

    id: Lenient[str] = None
    name: Lenient[str] = None
    created_at: Lenient[str] = None
    configuration: Lenient[ThresholdConfiguration] = None
    alerts: Listed[Alert] = []
