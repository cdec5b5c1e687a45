"""EventsQuery: a table of events, with the expressions chosen as columns."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from insights_mcp.schema.filters import Properties, QueryNode, QueryShape

Matching = Literal["exact", "contains", "regex"]


class ActionStep(QueryShape):
    """One way to be an action: an event, what was clicked, where, and with which properties."""

    event: str | None = None
    tag_name: str | None = None
    text: str | None = None
    text_matching: Matching | None = None
    href: str | None = None
    href_matching: Matching | None = None
    selector: str | None = None
    url: str | None = None
    url_matching: Matching | None = None
    properties: Properties = None


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
    actionSteps: list[ActionStep] | None = None
    personId: str | None = None
    after: str | None = None
    before: str | None = None
    orderBy: list[str] | None = None
    limit: int | None = Field(default=None, ge=0)
    offset: int | None = Field(default=None, ge=0)
    source: dict[str, Any] | None = None
