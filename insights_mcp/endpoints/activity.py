"""Who changed what: the activity log of one insight, and of all.

Mirrors `/insights/:id/activity/` and `/insights/activity/`.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from insights_mcp.endpoint import Endpoint, Route
from insights_mcp.endpoints.insights import INSIGHT, INSIGHTS
from insights_mcp.schema.activity import ActivityPage
from insights_mcp.scopes import Scope

PageSize = Annotated[int, Field(ge=1, le=100, description="Entries per page.")]
PageNumber = Annotated[int, Field(ge=1, description="Page, from 1.")]


class GetInsightActivity(Endpoint[ActivityPage]):
    """The changes made to one insight, newest first."""

    route: ClassVar[Route] = Route("GET", INSIGHT + "activity/", Scope.ACTIVITY_READ)

    id: int | str
    limit: PageSize = 10
    page: PageNumber = 1


class ListActivity(Endpoint[ActivityPage]):
    """The changes made to all insights of the project, deleted ones too, newest first."""

    route: ClassVar[Route] = Route("GET", INSIGHTS + "activity/", Scope.ACTIVITY_READ)

    limit: PageSize = 10
    page: PageNumber = 1
