"""The key, the user, the projects and the dashboards behind an account."""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.insight import Insight
from insights_mcp.schema.reply import Listed, ReplyShape


class Key(ReplyShape):
    """What a personal API key may do. No `scoped_teams`: every project."""

    label: str | None = None
    scopes: list[str] | None = None
    scoped_teams: list[int] | None = None
    scoped_organizations: list[str] | None = None


class CurrentUser(ReplyShape):
    """The user a key belongs to; `team` is the project open in the web app."""

    id: int | None = None
    uuid: str | None = None
    first_name: str | None = None
    email: str | None = None
    team: dict[str, Any] | None = None
    organization: dict[str, Any] | None = None


class Project(ReplyShape):
    """A project. `timezone` is an IANA name."""

    id: int
    name: str | None = None
    timezone: str | None = None
    test_account_filters: Listed[Any] = []


class Dashboard(ReplyShape):
    """A dashboard, in the form of the list."""

    id: int
    name: str | None = None
    description: str | None = None
    pinned: bool | None = None
    tags: Listed[str] = []
    created_at: str | None = None
    last_accessed_at: str | None = None
    is_shared: bool | None = None


class Tile(ReplyShape):
    """A place on a dashboard: an insight or a text."""

    id: int | None = None
    insight: Insight | None = None
    text: dict[str, Any] | None = None


class DashboardWithTiles(Dashboard):
    """A dashboard with everything on it. May be megabytes."""

    tiles: list[Tile] | None = None
