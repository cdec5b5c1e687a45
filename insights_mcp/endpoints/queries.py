"""Queries that are not saved: run, look after, stop. Mirrors `/api/projects/:project_id/query/`."""

from __future__ import annotations

from typing import Any, ClassVar

from insights_mcp.endpoint import Effect, Endpoint, Route
from insights_mcp.schema.insight import Refresh
from insights_mcp.schema.query import QueryResponse, QueryStatusResponse
from insights_mcp.scopes import Scope

QUERY = "/api/projects/{project_id}/query/"


class RunQuery(Endpoint[QueryResponse]):
    """Compute a query. Asynchronous ones answer with a `query_status` whose id is `client_query_id`."""

    route: ClassVar[Route] = Route("POST", QUERY, Scope.QUERY_READ)

    query: dict[str, Any]
    refresh: Refresh = Refresh.BLOCKING
    client_query_id: str | None = None
    filters_override: dict[str, Any] | None = None
    variables_override: dict[str, Any] | None = None
    name: str | None = None


class GetQuery(Endpoint[QueryStatusResponse]):
    """The state of an asynchronous query, with its results when complete. Kept for 20 minutes."""

    route: ClassVar[Route] = Route("GET", QUERY + "{id}/", Scope.QUERY_READ)

    id: str
    show_progress: bool = True


class DeleteQuery(Endpoint[None]):
    """Stop a query. An unknown id is no error."""

    route: ClassVar[Route] = Route("DELETE", QUERY + "{id}/", Scope.QUERY_READ, Effect.WRITE)

    id: str
