"""The activity log: who changed what, and when.

One odd entry must not hide the whole log: what is not of its type is read as absent.
"""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.reply import Lenient, Listed, ReplyShape


class Change(ReplyShape):
    """One changed field. `action` is created, changed or deleted."""

    type: Lenient[str] = None
    action: Lenient[str] = None
    field: Lenient[str] = None
    before: Any = None
    after: Any = None


class ActivityUser(ReplyShape):
    """Who did it; `is_system` for PostHog itself and for visitors of shared pages."""

    first_name: Lenient[str] = None
    email: Lenient[str] = None
    is_system: Lenient[bool] = None


class ActivityDetail(ReplyShape):
    """What it was done to, and the changes."""

    name: Lenient[str] = None
    short_id: Lenient[str] = None
    changes: Lenient[list[Lenient[Change]]] = None


class Activity(ReplyShape):
    """One entry. `item_id` is the insight's number, as text."""

    user: Lenient[ActivityUser] = None
    activity: Lenient[str] = None
    scope: Lenient[str] = None
    item_id: Lenient[str] = None
    detail: Lenient[ActivityDetail] = None
    created_at: Lenient[str] = None


class ActivityPage(ReplyShape):
    """One page of the log, newest first. Not the usual page: the size of the whole is `total_count`."""

    results: Listed[Activity]
    next: str | None = None
    previous: str | None = None
    total_count: Lenient[int] = None
