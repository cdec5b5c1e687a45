"""What a query is wrapped in to be saved and drawn: as a chart, as a table of events, as a table of SQL."""

from __future__ import annotations

from typing import Any, Literal

from insights_mcp.schema.filters import Display, QueryShape


class Wrapper(QueryShape):
    """The query it wraps, and what is shown around the result: fields that begin with show, hide and the like."""

    source: dict[str, Any]
    version: int | None = None
    response: Any = None
    full: bool | None = None
    embedded: bool | None = None


class InsightVizNode(Wrapper):
    """Around the six kinds of product analytics."""

    kind: Literal["InsightVizNode"]
    showHeader: bool | None = None
    showTable: bool | None = None
    showFilters: bool | None = None
    showResults: bool | None = None
    showCorrelationTable: bool | None = None
    showLastComputation: bool | None = None
    showLastComputationRefresh: bool | None = None
    suppressSessionAnalysisWarning: bool | None = None
    hidePersonsModal: bool | None = None
    hideTooltipOnScroll: bool | None = None
    vizSpecificOptions: dict[str, Any] | None = None


class DataVisualizationNode(Wrapper):
    """Around SQL."""

    kind: Literal["DataVisualizationNode"]
    display: Display | None = None
    chartSettings: dict[str, Any] | None = None
    tableSettings: dict[str, Any] | None = None


class DataTableNode(Wrapper):
    """Around tables: EventsQuery, ActorsQuery, HogQLQuery and others. Has some thirty fields that say what is shown."""

    kind: Literal["DataTableNode"]
    columns: list[str] | None = None
    hiddenColumns: list[str] | None = None
    pinnedColumns: list[str] | None = None
    tags: dict[str, Any] | None = None
