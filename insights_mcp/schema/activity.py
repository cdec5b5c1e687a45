"""The activity log: who changed what, and when."""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.reply import ReplyShape


class Change(ReplyShape):
    """One changed field. `action` is created, changed or deleted."""

    type: str | None = None
    action: str | None = None
    field: str | None = None
    before: Any = None
    after: Any = None


class ActivityUser(ReplyShape):
    """Who did it; `is_system` for PostHog itself and for visitors of shared pages."""

    first_name: str | None = None
    email: str | None = None
    is_system: bool = False


class ActivityDetail(ReplyShape):
    """What it was done to, and the changes."""

    name: str | None = None
    short_id: str | None = None
    changes: list[Change] | None = None


class Activity(ReplyShape):
    """One entry. `item_id` is the insight's number, as text."""

    user: ActivityUser | None = None
    activity: str = ""
    scope: str | None = None
    item_id: str | None = None
    detail: ActivityDetail | None = None
    created_at: str | None = None


class ActivityPage(ReplyShape):
    """One page of the log, newest first. Not the usual page: the size of the whole is `total_count`."""

    results: list[Activity]
    next: str | None = None
    previous: str | None = None
    total_count: int | None = None
