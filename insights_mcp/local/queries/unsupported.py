"""What the embedded backend does not answer yet, why, and the nearest thing that works."""

from __future__ import annotations

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.schema.filters import DateRange

KINDS = {
    **dict.fromkeys(
        ("InsightActorsQuery", "FunnelsActorsQuery", "StickinessActorsQuery", "FunnelCorrelationActorsQuery"),
        "An ActorsQuery with it as its `source`",
    ),
    "InsightActorsQueryOptions": "The insight itself, whose result names its days, series and values",
    "CalendarHeatmapQuery": "A TrendsQuery with display 'CalendarHeatmap'",
}
SERIES = {
    "DataWarehouseNode": "Series of data warehouse tables; load the rows as events",
}
FILTER_TYPES = {
    "flag": "use the event property $feature/NAME",
    "recording": "use properties of the event",
    "log_entry": "use properties of the event",
    "data_warehouse": "load the rows as events",
    "data_warehouse_person_property": "use a property of the person",
}
DISPLAYS = {
    "TwoDimensionalHeatmap": "use display 'ActionsTable' with two breakdowns",
}
MATHS = {
    "first_time_for_user_with_filters": "use 'first_matching_event_for_user'",
}
DATES = {
    "daysOfWeek": "use a filter of type hogql, such as toDayOfWeek(timestamp) < 6",
    "excludeIncompletePeriods": "end with the last whole period, such as date_to '-1dEnd'",
}
FEATURES = {
    "sampling": "Sampling; leave samplingFactor out",
    "comparison": "A funnel with compareFilter; ask for each of the two date ranges",
}
OPERATORS = {
    "flag_evaluates_to": "use 'exact' on the event property $feature/NAME",
}


def kind(name: str) -> QueryError:
    """The error for a query kind that others of PostHog's have and this backend has not yet."""
    instead = KINDS.get(name)
    hint = f" {instead}, works." if instead else " TrendsQuery and HogQLQuery work."
    return QueryError(f"{name} is not supported yet by the embedded backend.{hint}", attr="kind")


def feature(table: dict[str, str], name: str, attr: str) -> QueryError | None:
    """The error for one entry of a table above; None when the name is not in it."""
    instead = table.get(name)
    if instead is None:
        return None
    return QueryError(f"'{name}' is not supported yet by the embedded backend: {instead}.", attr=attr)


def asked_of_dates(given: DateRange) -> None:
    """Raise for what a date range asks that would be left out of the numbers."""
    for name in DATES:
        refused = feature(DATES, name, "dateRange")
        if refused and (given.model_extra or {}).get(name):
            raise refused


def refuse(name: str, attr: str) -> QueryError:
    """The error for one of FEATURES."""
    what, _, instead = FEATURES[name].partition("; ")
    verb = "are" if what.endswith("s") or " by " in what else "is"
    return QueryError(f"{what} {verb} not supported yet by the embedded backend: {instead}.", attr=attr)
