"""The saved insight, as the insights endpoints send it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Literal

from insights_mcp.schema.reply import Listed, ReplyShape


class Refresh(StrEnum):
    """How fresh a result must be. Mirrors the `refresh` parameter of insights and of query.

    force_cache: whatever is cached, or nothing; blocking: compute when stale or missing, and wait;
    async: the same, but answer at once with a query_status; lazy_async: the same with twice the patience;
    force_blocking, force_async: compute anew; async_except_on_cache_miss: async only over a stale result.
    """

    FORCE_CACHE = "force_cache"
    BLOCKING = "blocking"
    ASYNC = "async"
    LAZY_ASYNC = "lazy_async"
    FORCE_BLOCKING = "force_blocking"
    FORCE_ASYNC = "force_async"
    ASYNC_EXCEPT_ON_CACHE_MISS = "async_except_on_cache_miss"


InsightKind = Literal["TRENDS", "FUNNELS", "RETENTION", "PATHS", "STICKINESS", "LIFECYCLE", "SQL", "JSON"]


class User(ReplyShape):
    """A person of the organization, in PostHog's basic form."""

    id: int | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None


class DashboardTile(ReplyShape):
    """An insight's place on a dashboard. `deleted` null and false both mean it is there."""

    id: int | None = None
    dashboard_id: int | None = None
    deleted: bool | None = None


class ResolvedDateRange(ReplyShape):
    """The dates a result really covers, ISO 8601."""

    date_from: str | None = None
    date_to: str | None = None


class QueryStatus(ReplyShape):
    """The state of an asynchronous query. Look at `error` first: a failed one may say `complete: false`."""

    id: str = ""
    complete: bool = False
    error: bool = False
    error_message: str | None = None
    results: Any = None
    query_progress: dict[str, Any] | None = None


class Insight(ReplyShape):
    """A saved insight: name, query and, when one was cached or computed, its `result`."""

    id: int
    short_id: str = ""
    name: str | None = None
    derived_name: str | None = None
    description: str | None = None
    query: dict[str, Any] | None = None
    tags: Listed[str] = []
    favorited: bool | None = None
    deleted: bool | None = None
    dashboards: list[int] | None = None
    dashboard_tiles: list[DashboardTile] | None = None
    result: Any = None
    columns: list[str] | None = None
    types: Any = None
    boxplot_data: Any = None
    hasMore: bool | None = None
    is_cached: bool | None = None
    last_refresh: str | None = None
    cache_target_age: str | None = None
    timezone: str | None = None
    resolved_date_range: ResolvedDateRange | None = None
    query_status: QueryStatus | None = None
    created_at: str | None = None
    created_by: User | None = None
    last_modified_at: str | None = None
    last_modified_by: User | None = None
    updated_at: str | None = None
    last_viewed_at: str | None = None
    alerts: Listed[dict[str, Any]] = []

    @property
    def title(self) -> str:
        """The given name, else the derived one, else the short_id."""
        return self.name or self.derived_name or f"unnamed insight {self.short_id}"

    @property
    def outcome(self) -> Any:
        """What was computed: a box plot's boxes stand beside its result, which is empty."""
        return self.boxplot_data or self.result

    @property
    def on_dashboards(self) -> list[int]:
        """Numbers of the dashboards it is on; `dashboards` is going away, tiles are the newer form."""
        if self.dashboard_tiles is None:
            return self.dashboards or []
        return [t.dashboard_id for t in self.dashboard_tiles if t.dashboard_id is not None and not t.deleted]


class TrendingInsight(Insight):
    """An insight of the trending list. `view_count` counts distinct viewers, not views."""

    view_count: int | None = None
    viewers: Listed[User] = []


class Suggestion(ReplyShape):
    """A follow-up query that PostHog suggests for an insight."""

    title: str | None = None
    description: str | None = None
    targetQuery: dict[str, Any] | None = None


class Analysis(ReplyShape):
    """An analysis in words; empty when PostHog could not make one."""

    result: str = ""
