"""The bounds set on an insight, to be read only: they are written through `/alerts`."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from insights_mcp.endpoints.thresholds import GetThreshold, ListThresholds
from insights_mcp.local.account import people
from insights_mcp.local.alert_shape import alert, plain_threshold
from insights_mcp.local.calls import Call, answers, bounds, page, reply, whole
from insights_mcp.local.errors import not_found
from insights_mcp.local.insight_shape import SELECT, People, basic
from insights_mcp.local.store import Row


@answers(ListThresholds)
def list_thresholds(call: Call) -> Response:
    """One page of an insight's thresholds; an unknown insight has none."""
    limit, offset = bounds(call)
    number, users = _insight_number(call), people(call.store)
    count = call.store.value("select count(*) from thresholds where insight_id = ?", number)
    rows = call.store.rows(
        "select * from thresholds where insight_id = ? order by created_at limit ? offset ?", number, limit, offset
    )
    return page(call, [_threshold(call, row, users) for row in rows], count, limit, offset)


@answers(GetThreshold)
def get_threshold(call: Call) -> Response:
    """One threshold. 404 when it is another insight's."""
    row = call.store.row(
        "select * from thresholds where id = ? and insight_id = ?",
        call.path["threshold_id"].lower(),
        _insight_number(call),
    )
    if row is None:
        raise not_found()
    return reply(_threshold(call, row, people(call.store)))


def _insight_number(call: Call) -> int:
    number = whole(call.path["insight_id"])
    if number is None:
        raise not_found()
    return number


def _threshold(call: Call, row: Row, users: People) -> dict[str, Any]:
    insight = call.store.row(f"{SELECT} where i.id = ?", row["insight_id"])
    assert insight is not None, "a threshold's insight is never removed, only marked as deleted"
    rows = call.store.rows("select * from alerts where threshold_id = ? order by created_at", row["id"])
    shape = basic(insight, users)
    return plain_threshold(row) | {"alerts": [alert(call.store, found, shape, users) for found in rows]}
