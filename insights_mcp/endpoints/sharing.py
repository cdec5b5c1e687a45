"""An insight's public link and its passwords. Mirrors `/insights/:insight_id/sharing/`.

These routes take the insight's number only, in every version of PostHog.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.endpoint import Effect, Endpoint, Route
from insights_mcp.endpoints.insights import INSIGHTS, InsightNumber
from insights_mcp.schema.sharing import NewSharePassword, SharingConfiguration
from insights_mcp.scopes import Scope

SHARING = INSIGHTS + "{insight_id}/sharing/"


class GetSharing(Endpoint[SharingConfiguration]):
    """Whether an insight is shared, by which link, and with which passwords (never their text)."""

    route: ClassVar[Route] = Route("GET", SHARING, Scope.SHARING_READ)

    insight_id: InsightNumber


class UpdateSharing(Endpoint[SharingConfiguration]):
    """Switch the public link, or its password protection, on or off."""

    route: ClassVar[Route] = Route("PATCH", SHARING, Scope.SHARING_WRITE, Effect.DESTRUCTIVE)

    insight_id: InsightNumber
    enabled: bool | None = None
    password_required: bool | None = None
    settings: dict[str, Any] | None = None


class AddSharingPassword(Endpoint[NewSharePassword]):
    """Add a password to the link. The reply is the only time its text is sent."""

    route: ClassVar[Route] = Route("POST", SHARING + "passwords/", Scope.SHARING_WRITE, Effect.WRITE, repeatable=False)

    insight_id: InsightNumber
    raw_password: Annotated[str | None, Field(min_length=8, repr=False)] = None
    note: Annotated[str | None, Field(max_length=100)] = None


class DeleteSharingPassword(Endpoint[None]):
    """Take a password away. Whoever knows only this one is locked out."""

    route: ClassVar[Route] = Route(
        "DELETE", SHARING + "passwords/{password_id}/", Scope.SHARING_WRITE, Effect.DESTRUCTIVE
    )

    insight_id: InsightNumber
    password_id: Annotated[int, Field(ge=1)]


class RefreshSharingLink(Endpoint[SharingConfiguration]):
    """Replace the link by a new one. The old link works for five more minutes; passwords get new numbers."""

    route: ClassVar[Route] = Route(
        "POST", SHARING + "refresh/", Scope.SHARING_WRITE, Effect.DESTRUCTIVE, repeatable=False
    )

    insight_id: InsightNumber
