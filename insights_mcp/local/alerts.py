"""Alerts: the writable side of thresholds. Mirrors `/api/projects/:project_id/alerts/`."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from insights_mcp.endpoint import Effect, Route
from insights_mcp.endpoints.definitions import PROJECT
from insights_mcp.local import fields
from insights_mcp.local.account import people
from insights_mcp.local.alarms import INTERVALS, NOT_FIRING
from insights_mcp.local.alert_shape import alert, checks_of
from insights_mcp.local.calls import Call, answers, bounds, encoded, page, reply, whole
from insights_mcp.local.errors import invalid, not_found
from insights_mcp.local.insight_shape import SELECT, basic
from insights_mcp.local.insights import may_alert
from insights_mcp.local.store import Row, stamp
from insights_mcp.scopes import Scope

ALERTS = PROJECT + "alerts/"
ALERT = ALERTS + "{alert_id}/"
CONDITIONS = ("absolute_value", "relative_increase", "relative_decrease")
NEEDED = ("insight", "subscribed_users", "threshold", "condition", "config", "calculation_interval")
SNOOZE = re.compile(r"(\d{1,4})([hdwm])")
SNOOZE_HOURS = {"h": 1, "d": 24, "w": 168, "m": 720}
CHECKS_SHOWN, MOST_CHECKS = 5, 500


@answers(Route("GET", ALERTS, Scope.ALERT_READ))
def list_alerts(call: Call) -> Response:
    """One page of the alerts, of one insight when `insight_id` is given."""
    limit, offset = bounds(call)
    number = whole(call.query.get("insight_id") or call.query.get("insight") or "")
    text = call.query.get("search", "").casefold()
    where = "(? is null or insight_id = ?) and instr(folded(name), ?)" if text else "(? is null or insight_id = ?)"
    values = (number, number, *([text] if text else []))
    count = call.store.value(f"select count(*) from alerts where {where}", *values)
    rows = call.store.rows(
        f"select * from alerts where {where} order by created_at limit ? offset ?", *values, limit, offset
    )
    return page(call, [_shape(call, row) for row in rows], count, limit, offset)


@answers(Route("GET", ALERT, Scope.ALERT_READ))
def get_alert(call: Call) -> Response:
    """One alert with its latest checks."""
    row = _find(call)
    limit = min(call.whole("checks_limit", CHECKS_SHOWN), MOST_CHECKS)
    return reply(
        _shape(call, row) | {"checks": checks_of(call.store, row["id"], limit, call.whole("checks_offset", 0))}
    )


@answers(Route("POST", ALERTS, Scope.ALERT_WRITE, Effect.WRITE, repeatable=False))
def create_alert(call: Call) -> Response:
    """Make an alert and its threshold."""
    fields.required(call.body, NEEDED)
    given = fields.read(call.body, WRITABLE)
    insight = _insight(call, given.pop("insight"))
    threshold = given.pop("threshold")
    if "configuration" not in threshold:
        raise invalid("This field is required.", "threshold__configuration", "required")
    with call.store.transaction():
        threshold_id, alert_id = str(uuid4()), str(uuid4())
        call.store.insert(
            "thresholds", id=threshold_id, insight_id=insight["id"], created_at=call.stamp, **_threshold(threshold)
        )
        call.store.insert(
            "alerts", id=alert_id, insight_id=insight["id"], threshold_id=threshold_id, state=NOT_FIRING,
            created_at=call.stamp, created_by=call.user_id, **_columns(call, given),
        )  # fmt: skip
    return reply(_shape(call, _row(call, alert_id)), 201)


@answers(Route("PATCH", ALERT, Scope.ALERT_WRITE, Effect.WRITE))
def update_alert(call: Call) -> Response:
    """Change an alert, its threshold's bounds, or let it sleep (`snoozed_until`: `2h`, or null to wake it)."""
    row = _find(call)
    given = fields.read(call.body, WRITABLE)
    given.pop("insight", None)
    with call.store.transaction():
        if threshold := given.pop("threshold", None):
            call.store.update("thresholds", row["threshold_id"], **_threshold(threshold))
        call.store.update("alerts", row["id"], **_columns(call, given))
    return reply(_shape(call, _row(call, row["id"])))


@answers(Route("DELETE", ALERT, Scope.ALERT_WRITE, Effect.DESTRUCTIVE))
def delete_alert(call: Call) -> Response:
    """Remove an alert, its checks and its threshold."""
    row = _find(call)
    with call.store.transaction():
        call.store.change("delete from alerts where id = ?", row["id"])
        call.store.change("delete from thresholds where id = ?", row["threshold_id"])
    return Response(status_code=204)


def _find(call: Call) -> Row:
    return _row(call, call.path["alert_id"])


def _row(call: Call, alert_id: str) -> Row:
    row = call.store.row("select * from alerts where id = ?", alert_id)
    if row is None:
        raise not_found()
    return row


def _shape(call: Call, row: Row) -> dict[str, Any]:
    users = people(call.store)
    insight = call.store.row(f"{SELECT} where i.id = ?", row["insight_id"])
    assert insight is not None, "an alert's insight is never removed, only marked as deleted"
    return alert(call.store, row, basic(insight, users), users)


def _insight(call: Call, number: int) -> Row:
    row = call.store.row(f"{SELECT} where i.id = ? and not i.deleted", number)
    if row is None:
        raise fields.missing_object(number, "insight")
    if not may_alert(json.loads(row["query"] or "null")):
        raise invalid("Alerts are not supported for this insight.", "insight")
    return row


def _columns(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    columns = dict(given)
    for name in ("condition", "config", "subscribed_users"):
        if name in columns:
            columns[name] = encoded(columns[name]).decode()
    for number in given.get("subscribed_users", []):
        if not call.store.row("select id from users where id = ?", number):
            raise fields.missing_object(number, "subscribed_users")
    if columns.get("snoozed_until"):
        columns["snoozed_until"] = stamp(call.now + timedelta(hours=columns["snoozed_until"]))
    return columns


def _threshold(given: dict[str, Any]) -> dict[str, Any]:
    return {name: encoded(v).decode() if name == "configuration" else v for name, v in given.items()}


def _threshold_field(value: Any, name: str) -> dict[str, Any]:
    fields.json_object(value, name)
    inside = {f"{name}__{key}": item for key, item in value.items()}
    checks: dict[str, fields.Field] = {f"{name}__name": fields.text(255), f"{name}__configuration": _configuration}
    return {key.removeprefix(f"{name}__"): item for key, item in fields.read(inside, checks).items()}


def _configuration(value: Any, name: str) -> dict[str, Any]:
    fields.json_object(value, name)
    fields.one_of("absolute", "percentage")(value.get("type"), name)
    bounds_ = fields.json_object(value.get("bounds") or {}, name)
    for bound in (bounds_.get("lower"), bounds_.get("upper")):
        if bound is not None and (isinstance(bound, bool) or not isinstance(bound, int | float)):
            raise invalid("A valid number is required.", name)
    return {**value, "bounds": bounds_}


def _condition(value: Any, name: str) -> dict[str, Any]:
    fields.one_of(*CONDITIONS)(fields.json_object(value, name).get("type"), name)
    return dict(value)


def _config(value: Any, name: str) -> dict[str, Any]:
    fields.json_object(value, name)
    index = value.get("series_index", 0)
    if fields.whole_number(index, name) < 0:
        raise invalid("series_index counts from 0.", name)
    return dict(value)


def _snooze(value: Any, name: str) -> int:
    """Hours to sleep."""
    match = SNOOZE.fullmatch(str(value))
    if match is None:
        raise invalid("Use a length of time such as 2h, 1d or 1w.", name)
    return int(match[1]) * SNOOZE_HOURS[match[2]]


WRITABLE: dict[str, fields.Field] = {
    "name": fields.text(255),
    "insight": fields.primary_key,
    "subscribed_users": fields.many(fields.primary_key),
    "threshold": _threshold_field,
    "condition": _condition,
    "config": _config,
    "calculation_interval": fields.one_of(*INTERVALS),
    "enabled": fields.boolean,
    "skip_weekend": fields.nullable(fields.boolean),
    "snoozed_until": fields.nullable(_snooze),
}
