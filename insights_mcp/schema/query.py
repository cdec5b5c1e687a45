"""Query objects and their replies: which kinds there are, how they are wrapped, what is noise in them.

Mirrors `/api/projects/:project_id/query/` and the `query` field of insights.
"""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.insight import QueryStatus, ResolvedDateRange
from insights_mcp.schema.reply import ReplyShape

PRODUCT_ANALYTICS = (
    "TrendsQuery",
    "FunnelsQuery",
    "RetentionQuery",
    "PathsQuery",
    "StickinessQuery",
    "LifecycleQuery",
    "CalendarHeatmapQuery",
)
WRAPPERS = ("InsightVizNode", "DataVisualizationNode", "DataTableNode")
KINDS = (*PRODUCT_ANALYTICS, "HogQLQuery", "EventsQuery", "ActorsQuery", *WRAPPERS)
# Displays of one number of each series for the whole range, not one for each interval; a tuple, as any JSON is sought.
IN_ALL = ("BoldNumber", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap")

DEFAULTS: dict[str, Any] = {
    "filterTestAccounts": False,
    "interval": "day",
    "samplingFactor": 1,
    "math": "total",
    "display": "ActionsLineGraph",
    "full": True,
    "explicitDate": False,
    "aggregationAxisFormat": "numeric",
    "showLegend": False,
    "showValuesOnSeries": False,
    "funnelVizType": "steps",
    "funnelOrderType": "ordered",
}
NOISE = frozenset({"version", "response", "tags", "hogql", "timings"})
OWN_NAMES = frozenset({"values", "variables"})  # what is in them has names that users chose


class QueryResponse(ReplyShape):
    """The answer to a query: `results` (each kind its own shape), or a `query_status` while it runs."""

    results: Any = None
    columns: list[Any] | None = None
    types: Any = None
    boxplot_data: Any = None
    hasMore: bool | None = None
    is_cached: bool | None = None
    last_refresh: str | None = None
    timezone: str | None = None
    resolved_date_range: ResolvedDateRange | None = None
    query_status: QueryStatus | None = None
    error: Any = None

    @property
    def outcome(self) -> Any:
        """What was computed: a box plot's boxes stand beside its results, which are empty."""
        return self.boxplot_data or self.results


class QueryStatusResponse(ReplyShape):
    """The envelope around an asynchronous query's state."""

    query_status: QueryStatus


def source_of(query: dict[str, Any]) -> dict[str, Any]:
    """The query inside its wrapper, or the query itself."""
    source = query.get("source")
    return source if query.get("kind") in WRAPPERS and isinstance(source, dict) else query


def wrapped(query: dict[str, Any]) -> dict[str, Any]:
    """The query in the wrapper a saved insight needs: bare ones are not found by kind and may not be drawn."""
    kind = query.get("kind")
    if kind in PRODUCT_ANALYTICS:
        return {"kind": "InsightVizNode", "source": query}
    return {"kind": "DataVisualizationNode", "source": query} if kind == "HogQLQuery" else query


def slim(value: Any) -> Any:
    """A query object without nulls, empty parts, defaults and noise: what says something."""
    if isinstance(value, dict):
        said = {k: v for k, v in value.items() if k not in NOISE and not _is_default(k, v, "kind" in value)}
        kept = {k: v if k in OWN_NAMES and isinstance(v, dict) else slim(v) for k, v in said.items()}
        return {k: v for k, v in kept.items() if v is not None and v != {} and v != []}
    return [slim(item) for item in value] if isinstance(value, list) else value


def _is_default(key: str, value: Any, of_node: bool) -> bool:
    if key == "display" and of_node:
        return False  # how a table is drawn has another default
    return key in DEFAULTS and type(value) is type(DEFAULTS[key]) and bool(value == DEFAULTS[key])
