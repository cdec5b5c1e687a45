"""What narrows a query: property filters, date ranges, breakdowns. Tolerant: unknown fields are kept."""

from __future__ import annotations

from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict

Operator = Literal[
    "exact", "is_not", "icontains", "not_icontains", "regex", "not_regex", "gt", "gte", "lt", "lte", "min", "max",
    "is_set", "is_not_set", "is_date_exact", "is_date_before", "is_date_after", "between", "not_between", "in",
    "not_in", "is_cleaned_path_exact", "flag_evaluates_to", "semver_eq", "semver_neq", "semver_gt", "semver_gte",
    "semver_lt", "semver_lte", "semver_tilde", "semver_caret", "semver_wildcard", "icontains_multi",
    "not_icontains_multi",
]  # fmt: skip
Interval = Literal["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
OPERATORS = get_args(Operator)


class QueryShape(BaseModel):
    """A part of a query object."""

    model_config = ConfigDict(extra="allow", defer_build=True, populate_by_name=True, protected_namespaces=())


class PropertyFilter(QueryShape):
    """One condition. `type` says whose property it is: event when absent; `hogql` holds an expression in `key`."""

    key: str | int | None = None
    value: Any = None
    operator: Operator | None = None
    type: str | None = None
    group_type_index: int | None = None


class PropertyGroup(QueryShape):
    """Conditions that must all hold (AND), or one of them (OR)."""

    type: Literal["AND", "OR"] | None = None
    values: list[PropertyGroup | PropertyFilter] = []


Properties = list[PropertyGroup | PropertyFilter] | PropertyGroup | None


class Entity(QueryShape):
    """What is counted: an event (None is every event), an action by its `id`, or several of these together."""

    kind: Literal["EventsNode", "ActionsNode", "DataWarehouseNode", "GroupNode"]
    event: str | None = None
    id: int | str | None = None
    nodes: list[Entity] | None = None
    name: str | None = None
    custom_name: str | None = None
    properties: Properties = None
    fixedProperties: Properties = None


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
    breakdowns: list[Breakdown] | None = None
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
