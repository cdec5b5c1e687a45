"""Which insights people look at: recording views, the trending list, what the caller saw last.

A person and an insight have one row, whose time is overwritten: the count is of viewers, not of views.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from insights_mcp.endpoint import Route
from insights_mcp.endpoints.insights import INSIGHTS, ListTrendingInsights, MarkInsightsViewed
from insights_mcp.local import fields
from insights_mcp.local.account import people
from insights_mcp.local.calls import Call, answers, reply, whole
from insights_mcp.local.errors import invalid
from insights_mcp.local.insight_shape import SELECT, basic
from insights_mcp.local.store import Store, stamp

MOST_TRENDING = 100
MOST_VIEWED_AT_ONCE = 2500
VIEWERS_SHOWN = 3
LAST_VIEWED_SHOWN = 5
VISITOR_ID = 0
BAD_NUMBERS = "days and limit must be valid integers"

VIEWED = "select id from insights where id = ? and not deleted"
TRENDING = (
    SELECT
    + """
    join (select insight_id, count(*) as view_count from views where last_viewed_at >= ? group by insight_id) v
      on v.insight_id = i.id
    where not i.deleted order by v.view_count desc, i.last_modified_at desc limit ?"""
).replace("select i.*", "select v.view_count, i.*", 1)
VIEWERS = """select user_id from views where insight_id = ? and last_viewed_at >= ? and user_id != ?
    order by last_viewed_at desc limit ?"""
MY_LAST = (
    SELECT
    + """ join views v on v.insight_id = i.id and v.user_id = ?
    where not i.deleted order by v.last_viewed_at desc limit ?"""
)


@answers(MarkInsightsViewed)
def mark_insights_viewed(call: Call) -> Response:
    """Record that the caller has just seen these. Numbers that name nothing are dropped."""
    with call.store.transaction():
        viewed = [number for number in _insight_ids(call.body) if call.store.row(VIEWED, number)]
        for number in viewed:
            record_view(call.store, number, call.user_id, call.stamp)
    return Response(status_code=201)


@answers(ListTrendingInsights)
def list_trending_insights(call: Call) -> Response:
    """The most viewed insights in the newer envelope, each with its latest viewers."""
    days, limit = (whole(call.query.get(name, default)) for name, default in (("days", "7"), ("limit", "10")))
    if days is None or limit is None:
        raise invalid(BAD_NUMBERS)
    since = stamp(call.now - timedelta(days=min(max(days, 0), 36500)))
    users = people(call.store)
    rows = call.store.rows(TRENDING, since, min(max(limit, 0), MOST_TRENDING))
    items = [
        basic(row, users)
        | {
            "view_count": row["view_count"],
            "viewers": _viewers(call.store, row["id"], since, users),
            "last_modified_by": users.get(row["last_modified_by"]),
        }
        for row in rows
    ]
    return reply({"count": len(items), "next": None, "previous": None, "results": items})


@answers(Route("GET", INSIGHTS + "my_last_viewed/", None, session_only=True))
def my_last_viewed(call: Call) -> Response:
    """What the caller saw last, newest first, as a bare list."""
    users = people(call.store)
    return reply([basic(row, users) for row in call.store.rows(MY_LAST, call.user_id, LAST_VIEWED_SHOWN)])


def record_view(store: Store, insight_id: int, user_id: int, at: str) -> None:
    """A person has seen an insight. All visitors of shared pages count as one person."""
    store.change(
        """insert into views (insight_id, user_id, last_viewed_at) values (?, ?, ?)
        on conflict do update set last_viewed_at = excluded.last_viewed_at""",
        insight_id, user_id, at,
    )  # fmt: skip


def _viewers(store: Store, insight_id: int, since: str, users: dict[int, Any]) -> Iterable[Any]:
    rows = store.rows(VIEWERS, insight_id, since, VISITOR_ID, VIEWERS_SHOWN)
    return [users[row["user_id"]] for row in rows if row["user_id"] in users]


def _insight_ids(body: dict[str, Any]) -> list[int]:
    given = body.get("insight_ids")
    if not isinstance(given, list) or not given:
        raise invalid("Must be a non-empty list of insight IDs", "insight_ids")
    if len(given) > MOST_VIEWED_AT_ONCE:
        limit = f"Ensure this field has no more than {MOST_VIEWED_AT_ONCE} elements."
        raise invalid(limit, "insight_ids", "max_length")
    numbers = [fields.integer(item, f"insight_ids__{position}") for position, item in enumerate(given)]
    return [number for number in numbers if abs(number) < 2**63]
