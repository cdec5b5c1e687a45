"""HogQLQuery: a question in PostHog's SQL."""

from __future__ import annotations

from typing import Any, Literal

from insights_mcp.schema.filters import DateRange, Properties, QueryNode, QueryShape


class HogQLFilters(QueryShape):
    """What `{filters}` in the text stands for."""

    dateRange: DateRange | None = None
    properties: Properties = None
    filterTestAccounts: bool | None = None


class HogQLQuery(QueryNode):
    """SQL text, with values for `{name}` and `{variables.code_name}` in it."""

    kind: Literal["HogQLQuery"]
    query: str
    filters: HogQLFilters | None = None
    values: dict[str, Any] | None = None
    variables: dict[str, Any] | None = None
    name: str | None = None
    connectionId: str | None = None
    sendRawQuery: bool | None = None
    explain: bool | None = None
