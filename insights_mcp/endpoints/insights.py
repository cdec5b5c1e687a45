"""Saved insights: list, read, write, delete, trending, viewed, analysis, suggestions, cancel.

Mirrors `/api/projects/:project_id/insights/` (`/api/environments/:id/insights/` is an alias).
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from insights_mcp.endpoint import Effect, Endpoint, InQuery, JsonText, Presence, Route
from insights_mcp.schema.insight import Analysis, Insight, InsightKind, Refresh, Suggestion, TrendingInsight
from insights_mcp.schema.reply import Page
from insights_mcp.scopes import Scope

INSIGHTS = "/api/projects/{project_id}/insights/"
INSIGHT = INSIGHTS + "{id}/"

InsightNumber = Annotated[int, Field(ge=1, description="The insight's number.")]
ShortText = Annotated[str, Field(max_length=400)]


class ListInsights(Endpoint[Page[Insight]]):
    """Find saved insights by words in name, description or tags, by author, kind, tags, dashboards, events, dates."""

    route: ClassVar[Route] = Route("GET", INSIGHTS, Scope.INSIGHT_READ)

    search: Annotated[str | None, Field(max_length=200, description="Words in name, description or tags.")] = None
    insight: Annotated[InsightKind | None, Field(description="Only this kind of query.")] = None
    tags: Annotated[list[str] | None, JsonText(), Field(description="With any of these tags.")] = None
    dashboards: Annotated[list[int] | None, JsonText(), Field(description="On all of these dashboards.")] = None
    events: Annotated[list[str] | None, JsonText(), Field(description="Using all of these events.")] = None
    favorited: Annotated[bool, Presence(), Field(description="Only favorites.")] = False
    user: Annotated[bool, Presence(), Field(description="Only those the key's owner made.")] = False
    created_by: Annotated[list[int] | None, JsonText(), Field(description="Made by one of these users.")] = None
    saved: Annotated[bool | None, Field(description="False: only those never saved by name.")] = None
    date_from: Annotated[str | None, Field(description="Modified after: date, or -7d.")] = None
    date_to: Annotated[str | None, Field(description="Modified before.")] = None
    created_date_from: Annotated[str | None, Field(description="Created after.")] = None
    created_date_to: Annotated[str | None, Field(description="Created before.")] = None
    last_viewed_date_from: Annotated[str | None, Field(description="Last viewed after.")] = None
    last_viewed_date_to: Annotated[str | None, Field(description="Last viewed before.")] = None
    feature_flag: Annotated[str | None, Field(description="Mentioning this feature flag.")] = None
    short_id: Annotated[str | None, Field(description="Exactly this short_id.")] = None
    order: Annotated[str, Field(pattern=r"^-?[a-z_]+$", description="Field to sort by; - for descending.")] = (
        "-last_modified_at"
    )
    limit: Annotated[int, Field(ge=1, le=500, description="Insights per page.")] = 20
    offset: Annotated[int, Field(ge=0, description="Insights to skip.")] = 0
    basic: Annotated[bool, Field(description="Without results.")] = True
    refresh: Annotated[Refresh | None, Field(description="Applies to every row; leave it out.")] = None


class CreateInsight(Endpoint[Insight]):
    """Save a new insight."""

    route: ClassVar[Route] = Route("POST", INSIGHTS, Scope.INSIGHT_WRITE, Effect.WRITE, repeatable=False)

    name: ShortText | None = None
    derived_name: ShortText | None = None
    description: ShortText | None = None
    query: dict[str, Any] | None = None
    tags: list[str] | None = None
    dashboards: list[int] | None = None
    favorited: bool | None = None
    refresh: Annotated[Refresh | None, InQuery()] = None


class GetInsight(Endpoint[Insight]):
    """Fetch one saved insight: its name, its query and its result. Records no view."""

    route: ClassVar[Route] = Route("GET", INSIGHT, Scope.INSIGHT_READ)

    id: int | str
    refresh: Refresh = Refresh.BLOCKING
    client_query_id: str | None = None
    from_dashboard: int | None = None
    filters_override: Annotated[dict[str, Any] | None, JsonText()] = None
    variables_override: Annotated[dict[str, Any] | None, JsonText()] = None


class UpdateInsight(Endpoint[Insight]):
    """Change fields of an insight; `tags` and `dashboards` replace the whole list.

    `deleted: true` deletes (its alerts for good), `deleted: false` restores.
    """

    route: ClassVar[Route] = Route("PATCH", INSIGHT, Scope.INSIGHT_WRITE, Effect.DESTRUCTIVE)

    id: int | str
    name: ShortText | None = None
    derived_name: ShortText | None = None
    description: ShortText | None = None
    query: dict[str, Any] | None = None
    tags: list[str] | None = None
    dashboards: list[int] | None = None
    favorited: bool | None = None
    deleted: bool | None = None
    refresh: Annotated[Refresh | None, InQuery()] = None


class DestroyInsight(Endpoint[None]):
    """DELETE of an insight: PostHog always answers 405. Deleting is UpdateInsight with `deleted: true`."""

    route: ClassVar[Route] = Route("DELETE", INSIGHT, Scope.INSIGHT_WRITE, Effect.DESTRUCTIVE)

    id: int | str


class ListTrendingInsights(Endpoint[Page[TrendingInsight]]):
    """The insights most people looked at in the last days; a viewer counts once however often they look."""

    route: ClassVar[Route] = Route("GET", INSIGHTS + "trending/", Scope.INSIGHT_READ, session_only=True)

    days: Annotated[int, Field(ge=1, le=365, description="Days to look back.")] = 7
    limit: Annotated[int, Field(ge=1, le=100, description="Insights at most.")] = 10


class MarkInsightsViewed(Endpoint[None]):
    """Record that the key's owner has just viewed these insights. Unknown numbers are ignored."""

    route: ClassVar[Route] = Route("POST", INSIGHTS + "viewed/", Scope.INSIGHT_READ, Effect.WRITE)

    insight_ids: Annotated[list[InsightNumber], Field(min_length=1, max_length=2500)]


class AnalyzeInsight(Endpoint[Analysis]):
    """An analysis in words of the insight's cached result. Empty when there is none."""

    route: ClassVar[Route] = Route("GET", INSIGHT + "analyze/", Scope.INSIGHT_READ, session_only=True)

    id: int | str


class GetSuggestions(Endpoint[list[Suggestion]]):
    """Follow-up queries for an insight."""

    route: ClassVar[Route] = Route("GET", INSIGHT + "suggestions/", Scope.INSIGHT_READ, session_only=True)

    id: int | str


class SuggestNext(Endpoint[list[Suggestion]]):
    """Follow-up queries for an insight, given what is already known (such as its analysis)."""

    route: ClassVar[Route] = Route("POST", INSIGHT + "suggestions/", Scope.INSIGHT_READ, session_only=True)

    id: int | str
    context: str


class CancelInsightQuery(Endpoint[None]):
    """Stop the running query whose id begins so. PostHog matches by prefix, hence the least length."""

    route: ClassVar[Route] = Route("POST", INSIGHTS + "cancel/", Scope.INSIGHT_READ, Effect.WRITE, session_only=True)

    client_query_id: Annotated[str, Field(min_length=8, max_length=200)]
