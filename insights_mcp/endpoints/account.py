"""The key, its user, the projects and their dashboards: what an insight's work needs around it.

Mirrors `/api/personal_api_keys/@current/`, `/api/users/@me/`, `/api/projects/` and `/dashboards/`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from insights_mcp.endpoint import Endpoint, Route
from insights_mcp.schema.account import CurrentUser, Dashboard, DashboardWithTiles, Key, Project
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.reply import Page
from insights_mcp.scopes import Scope

DASHBOARDS = "/api/projects/{project_id}/dashboards/"


class GetCurrentKey(Endpoint[Key]):
    """What the key in use may do. Any valid personal API key may ask."""

    route: ClassVar[Route] = Route("GET", "/api/personal_api_keys/@current/", None)


class GetCurrentUser(Endpoint[CurrentUser]):
    """The user the key belongs to."""

    route: ClassVar[Route] = Route("GET", "/api/users/@me/", Scope.USER_READ)


class ListProjects(Endpoint[Page[Project]]):
    """The projects the key can see. A key limited to projects is refused here."""

    route: ClassVar[Route] = Route("GET", "/api/projects/", Scope.PROJECT_READ)

    limit: Annotated[int, Field(ge=1, le=500)] = 100


class GetProject(Endpoint[Project]):
    """The project in use: name and time zone."""

    route: ClassVar[Route] = Route("GET", "/api/projects/{project_id}/", Scope.PROJECT_READ)


class ListDashboards(Endpoint[Page[Dashboard]]):
    """Find dashboards by words in their name or description, pinned ones first."""

    route: ClassVar[Route] = Route("GET", DASHBOARDS, Scope.DASHBOARD_READ)

    search: Annotated[str | None, Field(max_length=200, description="Words in name or description.")] = None
    limit: Annotated[int, Field(ge=1, le=500, description="Dashboards per page.")] = 20
    offset: Annotated[int, Field(ge=0, description="Dashboards to skip.")] = 0


class GetDashboard(Endpoint[DashboardWithTiles]):
    """A dashboard and the insights on it, each with what is cached of its result."""

    route: ClassVar[Route] = Route("GET", DASHBOARDS + "{id}/", Scope.DASHBOARD_READ)

    id: Annotated[int, Field(ge=1)]
    refresh: Refresh = Refresh.FORCE_CACHE
