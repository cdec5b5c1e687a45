"""What narrows a query: property filters, date ranges, breakdowns. Tolerant: unknown fields are kept."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

Operator = Literal[
    "exact", "is_not", "icontains", "not_icontains", "regex", "not_regex", "gt", "gte", "lt", "lte", "min", "max",
    "is_set", "is_not_set", "is_date_exact", "is_date_before", "is_date_after", "between", "not_between", "in",
    "not_in", "is_cleaned_path_exact", "flag_evaluates_to", "semver_eq", "semver_neq", "semver_gt", "semver_gte",
    "semver_lt", "semver_lte", "semver_tilde", "semver_caret", "semver_wildcard", "icontains_multi",
    "not_icontains_multi",
]  # fmt: skip
Interval = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
OPERATORS = get_args(Operator)
Math = Literal[
    "total", "dau", "weekly_active", "monthly_active", "unique_session", "first_time_for_user",
    "first_matching_event_for_user", "sum", "avg", "min", "max", "median", "p75", "p90", "p95", "p99",
    "avg_count_per_actor", "min_count_per_actor", "max_count_per_actor", "median_count_per_actor",
    "p75_count_per_actor", "p90_count_per_actor", "p95_count_per_actor", "p99_count_per_actor", "unique_group", "hogql",
    "first_time_for_user_with_filters", "first_time_for_group", "first_matching_event_for_group",
]  # fmt: skip
Display = Literal[
    "Auto", "ActionsLineGraph", "ActionsBar", "ActionsUnstackedBar", "ActionsStackedBar", "ActionsAreaGraph",
    "ActionsLineGraphCumulative", "BoldNumber", "Metric", "ActionsPie", "ActionsBarValue", "ActionsTable", "WorldMap",
    "CalendarHeatmap", "TwoDimensionalHeatmap", "BoxPlot", "SlopeGraph",
]  # fmt: skip


class QueryShape(BaseModel):
    """A part of a query object."""

    model_config = ConfigDict(extra="allow", defer_build=True, populate_by_name=True, protected_namespaces=())


class QueryNode(QueryShape):
    """What every query may carry beside what it asks; `response` is what comes back with some."""

    version: int | None = None
    modifiers: dict[str, Any] | None = None
    tags: dict[str, Any] | None = None
    response: Any = None


class InsightQuery(QueryNode):
    """What the queries of insights have in common."""

    dataColorTheme: float | None = None


class PropertyFilter(QueryShape):
    """One condition. `type` says whose property it is: event when absent; `hogql` holds an expression in `key`."""

    key: str | int | None = None
    value: Any = None
    operator: Operator | None = None
    type: str | None = None
    group_type_index: int | None = None
    label: str | None = None
    cohort_name: str | None = None
    group_key_names: dict[str, Any] | None = None


class PropertyGroup(QueryShape):
    """Conditions that must all hold (AND), or one of them (OR)."""

    type: Literal["AND", "OR"] | None = None
    values: list[PropertyGroup | PropertyFilter] = []


Properties = list[PropertyGroup | PropertyFilter] | PropertyGroup | None


class Entity(QueryShape):
    """What is counted: an event (None is every event), an action by its `id`, or several of these together."""

    kind: Literal[
        "EventsNode",
        "ActionsNode",
        "GroupNode",
        "DataWarehouseNode",
        "FunnelsDataWarehouseNode",
        "LifecycleDataWarehouseNode",
    ]
    event: str | None = None
    id: int | str | None = None
    operator: Literal["AND", "OR"] | None = None
    nodes: list[Entity] | None = None
    name: str | None = None
    custom_name: str | None = None
    math: Math | None = None
    math_property: str | None = None
    math_property_type: str | None = None
    math_property_revenue_currency: dict[str, Any] | None = None
    math_hogql: str | None = None
    math_multiplier: float | None = None
    math_group_type_index: int | None = None
    properties: Properties = None
    fixedProperties: Properties = None
    optionalInFunnel: bool | None = None
    limit: int | None = None
    orderBy: list[str] | None = None
    table_name: str | None = None
    id_field: str | None = None
    timestamp_field: str | None = None
    distinct_id_field: str | None = None
    aggregation_target_field: str | None = None
    created_at_field: str | None = None
    dw_source_type: str | None = None


class DateRange(QueryShape):
    """From when to when: `-7d`, `-1mStart`, `all`, ISO dates. `explicitDate`: exactly these, not rounded outwards."""

    date_from: str | None = None
    date_to: str | None = None
    explicitDate: bool | None = None


class Breakdown(QueryShape):
    """One property to split by, in the newer list form."""

    property: str | int
    type: str | None = None
    histogram_bin_count: int | None = None
    normalize_url: bool | None = None
    group_type_index: int | None = None


class BreakdownFilter(QueryShape):
    """What to split by: `breakdown` and `breakdown_type`, or a list of `breakdowns`."""

    breakdown: str | int | list[str | int] | None = None
    breakdown_type: str | None = None
    breakdowns: list[Breakdown] | None = Field(default=None, max_length=3)
    breakdown_limit: int | None = None
    breakdown_hide_other_aggregation: bool | None = None
    breakdown_histogram_bin_count: int | None = None
    breakdown_normalize_url: bool | None = None
    breakdown_group_type_index: int | None = None
    breakdown_path_cleaning: bool | None = None


class CompareFilter(QueryShape):
    """Compare with the period before, or with the one `compare_to` (such as `-1w`) away."""

    compare: bool | None = None
    compare_to: str | None = None
