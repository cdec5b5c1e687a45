"""EventsQuery: a table of events, with the expressions chosen as columns."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from insights_mcp.schema.filters import Properties, QueryNode


class EventsQuery(QueryNode):
    """Events; without `orderBy` the latest first where `timestamp` is selected, else by the first column.

    `select` holds HogQL expressions, `*` (the whole event, also meant by an empty list) and `person`; `after` is the
    last day unless given, or `all`.
    """

    kind: Literal["EventsQuery"]
    select: list[str]
    where: list[str] | None = None
    properties: Properties = None
    fixedProperties: Properties = None
    filterTestAccounts: bool | None = None
    event: str | None = None
    events: list[str] | None = None
    actionId: int | None = None
    actionSteps: list[dict[str, Any]] | None = None
    personId: str | None = None
    after: str | None = None
    before: str | None = None
    orderBy: list[str] | None = None
    limit: int | None = Field(default=None, ge=0)
    offset: int | None = Field(default=None, ge=0)
    source: dict[str, Any] | None = None
