"""Valid queries of all sorts, as PostHog's web app and its users write them: none of them may be altered."""

from __future__ import annotations

from typing import Any


def event(**more: Any) -> dict[str, Any]:
    """An event as a series."""
    return {"kind": "EventsNode", "event": "$pageview", "name": "$pageview", **more}


def trend(**more: Any) -> dict[str, Any]:
    """A trend of one event, and more."""
    return {"kind": "TrendsQuery", "series": [event()], **more}


VALID: list[dict[str, Any]] = [
    {
        "kind": "InsightVizNode",
        "full": True,
        "source": trend(
            interval="day",
            dateRange={"date_from": "-7d", "date_to": None, "explicitDate": False},
            properties={"type": "AND", "values": [{"type": "AND", "values": []}]},
            breakdownFilter={"breakdown_type": "event", "breakdown": None},
            trendsFilter={
                "display": "ActionsLineGraph",
                "resultCustomizations": {"0": {"assignmentBy": "position", "color": "preset-1"}},
                "goalLines": [{"label": "x", "value": 5}],
                "yAxisScaleType": "log10",
                "aggregationAxisFormat": "duration",
                "hiddenLegendIndexes": [1],
            },
            compareFilter={"compare": False, "compare_to": ""},
            filterTestAccounts=False,
            samplingFactor=None,
            version=2,
        ),
        "showTable": True,
        "vizSpecificOptions": {"ActionsPie": {}},
    },
    trend(
        properties=[
            {"key": "id", "type": "cohort", "value": 5, "operator": "in", "cohort_name": "x"},
            {"key": "1=1", "type": "hogql", "value": None},
            {"type": "empty"},
            {"key": "selector", "type": "element", "operator": "exact", "value": ["a"]},
            {"key": "$feature/x", "type": "feature", "operator": "is_set", "value": "is_set"},
            {
                "key": "name",
                "type": "group",
                "group_type_index": 0,
                "operator": "exact",
                "value": ["a"],
                "group_key_names": {"a": "b"},
            },
            {"key": "$session_duration", "type": "session", "operator": "gt", "value": 5},
            {"key": "x", "type": "recording", "operator": "gt", "value": 1},
            {"key": "y", "type": "data_warehouse_person_property", "operator": "exact", "value": "1"},
        ]
    ),
    trend(dateRange={"date_from": "-3dStart"}),
    trend(dateRange={"date_from": "2024-01-01T00:00:00.000Z", "date_to": "2024-02-01T00:00:00.000Z"}),
    trend(dateRange={"date_from": "all"}),
    trend(dateRange={"date_from": "-1yStart"}),
    trend(dateRange={"date_from": "-180d", "date_to": ""}),
    trend(dateRange={}),
    trend(dateRange=None),
    trend(dateRange={"date_from": "-15M"}),
    trend(dateRange={"date_from": "2024-01-01 00:00"}),
    trend(dateRange={"date_from": "2024-01-01T00:00:00-07:00"}),
    trend(dateRange={"date_from": "qStart"}),
    {
        "kind": "TrendsQuery",
        "series": [
            {"kind": "ActionsNode", "id": 5, "name": "x", "math": "unique_group", "math_group_type_index": 0},
            {
                "kind": "DataWarehouseNode",
                "id": "t",
                "name": "t",
                "table_name": "t",
                "id_field": "id",
                "timestamp_field": "ts",
                "distinct_id_field": "d",
                "math": "sum",
                "math_property": "amount",
                "math_property_type": "data_warehouse_properties",
            },
            {"kind": "GroupNode", "operator": "OR", "name": "a, b", "nodes": [event(), event()], "math": "dau"},
        ],
        "trendsFilter": {"formula": "A+B"},
    },
    trend(breakdownFilter={"breakdown": ["$browser", "$os"], "breakdown_type": "event"}),
    trend(breakdownFilter={"breakdown": [1, "all"], "breakdown_type": "cohort"}),
    trend(
        breakdownFilter={
            "breakdowns": [
                {
                    "property": "email",
                    "type": "person",
                    "histogram_bin_count": 5,
                    "normalize_url": True,
                    "group_type_index": None,
                }
            ],
            "breakdown_limit": 50,
            "breakdown_path_cleaning": True,
        }
    ),
    trend(trendsFilter={}),
    trend(
        conversionGoal=None,
        dataColorTheme=3,
        modifiers={"personsOnEventsMode": "x"},
        tags={"scene": "x"},
        aggregation_group_type_index=0,
    ),
    trend(trendsFilter={"display": "Metric", "metricSummary": "latest"}),
    {
        "kind": "FunnelsQuery",
        "series": [event(math="first_time_for_user_with_filters"), event(optionalInFunnel=True)],
        "funnelsFilter": {
            "funnelVizType": "flow",
            "layout": "horizontal",
            "exclusions": [],
            "funnelAggregateByHogQL": "properties.$session_id",
            "funnelStepReference": "previous",
            "hiddenLegendBreakdowns": ["a"],
        },
        "compareFilter": {"compare": True},
    },
    {
        "kind": "RetentionQuery",
        "retentionFilter": {
            "period": "Day",
            "targetEntity": {"id": "$pageview", "name": "$pageview", "type": "events", "order": 0, "uuid": "x"},
            "returningEntity": {
                "id": 5,
                "type": "actions",
                "properties": [{"key": "a", "value": ["b"], "operator": "exact", "type": "event"}],
            },
            "retentionCustomBrackets": [1, 3],
            "meanRetentionCalculation": "simple",
            "dashboardDisplay": "table_only",
            "retentionReference": "total",
            "timeWindowMode": "24_hour_windows",
        },
    },
    {
        "kind": "PathsQuery",
        "pathsFilter": {
            "includeEventTypes": [],
            "localPathCleaningFilters": [{"regex": "a", "alias": "b"}],
            "pathsHogQLExpression": "event",
            "pathReplacements": True,
        },
        "funnelPathsFilter": {
            "funnelPathType": "funnel_path_before_step",
            "funnelSource": {"kind": "FunnelsQuery", "series": [event(), event()]},
            "funnelStep": 1,
        },
    },
    {
        "kind": "StickinessQuery",
        "series": [event()],
        "stickinessFilter": {"display": "ActionsBar", "hiddenLegendIndexes": []},
        "intervalCount": 1,
    },
    {
        "kind": "LifecycleQuery",
        "series": [event()],
        "lifecycleFilter": {"toggledLifecycles": ["new", "dormant"], "stacked": False},
    },
    {
        "kind": "DataVisualizationNode",
        "source": {
            "kind": "HogQLQuery",
            "query": "select 1",
            "variables": {"abc": {"variableId": "abc", "code_name": "x", "value": "1"}},
            "filters": {"dateRange": {"date_from": "-7d"}, "properties": []},
        },
        "display": "ActionsBar",
        "chartSettings": {"xAxis": {"column": "a"}},
        "tableSettings": {"columns": []},
    },
    {
        "kind": "DataTableNode",
        "full": True,
        "source": {
            "kind": "EventsQuery",
            "select": ["*", "event", "person"],
            "orderBy": ["timestamp DESC"],
            "after": "-24h",
            "limit": 100,
            "event": "$pageview",
        },
        "showReload": True,
        "propertiesViaUrl": True,
    },
    {
        "kind": "ActorsQuery",
        "select": ["actor"],
        "source": {
            "kind": "InsightActorsQuery",
            "source": trend(),
            "day": "2024-01-01",
            "breakdown": ["a"],
            "includeRecordings": True,
        },
        "orderBy": [],
        "limit": 10,
        "offset": 0,
    },
    {"kind": "SavedInsightNode", "shortId": "abc"},
    {"kind": "WebOverviewQuery", "properties": [], "dateRange": {}},
    {"kind": "HogQuery", "code": "1"},
    {"kind": "CalendarHeatmapQuery", "series": [event()]},
    {"kind": "DataTableNode", "source": {"kind": "WebStatsTableQuery", "breakdownBy": "Page", "properties": []}},
    {"kind": "ActorsQuery", "source": {"kind": "HogQLQuery", "query": "select 1"}},
    {"kind": "ActorsQuery", "properties": {"type": "AND", "values": []}},
    {"kind": "SessionsTimelineQuery", "personId": "x"},
    {"kind": "HogQLQuery", "query": "select 1", "explain": True, "name": "x", "modifiers": {}},
    trend(series=[{"kind": "EventsNode"}]),
    trend(series=[{"kind": "EventsNode", "event": None, "name": "All events"}]),
    trend(series=[]),
    trend(series=[event(custom_name="x", properties=None, fixedProperties=[])]),
    {"kind": "FunnelsQuery", "series": []},
]
