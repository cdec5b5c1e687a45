"""Queries as models write them: the common form, mistakes that are repaired, and those that are told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from insights_mcp.repair import BadQuery, repaired

A: dict[str, Any] = {"kind": "EventsNode", "event": "a"}
B: dict[str, Any] = {"kind": "EventsNode", "event": "b"}
TREND: dict[str, Any] = {"kind": "TrendsQuery", "series": [A]}
FUNNEL: dict[str, Any] = {"kind": "FunnelsQuery", "series": [A, B]}
ACTORS: dict[str, Any] = {"kind": "FunnelsActorsQuery", "source": FUNNEL}


def trend(**more: Any) -> dict[str, Any]:
    """A trend of one event, and more."""
    return TREND | more


def only(key: str, value: Any, kind: str = "event", operator: str = "exact") -> list[dict[str, Any]]:
    """One property filter."""
    return [{"key": key, "operator": operator, "value": value, "type": kind}]


# the common form

COMMON_FORMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "trend": (
        {"kind": "trends", "events": ["a", {"event": "b", "math": "dau"}], "by": "$os", "from": "-30d", "to": "-1d",
         "interval": "week", "where": {"plan": "paid"}, "compare": True, "formula": "A/B", "display": "bar"},
        {"kind": "TrendsQuery", "series": [A, B | {"math": "dau"}],
         "breakdownFilter": {"breakdowns": [{"property": "$os", "type": "event"}]},
         "dateRange": {"date_from": "-30d", "date_to": "-1d"}, "interval": "week",
         "properties": only("plan", ["paid"]), "compareFilter": {"compare": True},
         "trendsFilter": {"formulaNodes": [{"formula": "A/B"}], "display": "ActionsBar"}},
    ),
    "one event": ({"kind": "trends", "events": "a"}, TREND),
    "either of two events": (
        {"kind": "trends", "events": [{"event": ["a", "b"], "math": "dau"}]},
        {"kind": "TrendsQuery", "series": [{"kind": "GroupNode", "operator": "OR", "nodes": [A, B], "math": "dau"}]},
    ),
    "every event": (
        {"kind": "trends", "events": ["*"]},
        {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": None}]},
    ),
    "an action": (
        {"kind": "trends", "events": [{"action": 7}]},
        {"kind": "TrendsQuery", "series": [{"kind": "ActionsNode", "id": 7}]},
    ),
    "math over a property of all events": (
        {"kind": "trends", "events": ["a"], "math": "sum", "property": "amount"},
        {"kind": "TrendsQuery", "series": [A | {"math": "sum", "math_property": "amount"}]},
    ),
    "math over a person's property": (
        {"kind": "trends", "events": [{"event": "a", "math": "avg", "property": "person.age"}]},
        {"kind": "TrendsQuery",
         "series": [A | {"math": "avg", "math_property": "age", "math_property_type": "person_properties"}]},
    ),
    "several breakdowns": (
        {"kind": "trends", "events": ["a"], "by": ["$os", "person.plan", "group_0.name"], "limit": 5},
        trend(breakdownFilter={"breakdowns": [{"property": "$os", "type": "event"},
                                              {"property": "plan", "type": "person"},
                                              {"property": "name", "type": "group", "group_type_index": 0}],
                               "breakdown_limit": 5}),
    ),
    "many filters": (
        {"kind": "trends", "events": ["a"],
         "where": {"city": ["x", "y"], "amount": {"gt": 5}, "person.email": {"icontains": "@"}, "ref": None}},
        trend(properties=[*only("city", ["x", "y"]), *only("amount", 5, operator="gt"),
                          *only("email", "@", "person", "icontains"),
                          *only("ref", "is_not_set", operator="is_not_set")]),
    ),
    "either of two filters": (
        {"kind": "trends", "events": ["a"], "where": {"or": [{"x": 1}, {"y": True}]}},
        trend(properties={"type": "AND",
                          "values": [{"type": "OR", "values": [*only("x", [1]), *only("y", ["true"])]}]}),
    ),
    "a filter in SQL": (
        {"kind": "trends", "events": ["a"], "where": "properties.x > 5"},
        trend(properties=[{"type": "hogql", "key": "properties.x > 5"}]),
    ),
    "comparison with a week ago": (
        {"kind": "trends", "events": ["a"], "compare": "-1w"},
        trend(compareFilter={"compare": True, "compare_to": "-1w"}),
    ),
    "funnel": (
        {"kind": "funnel", "steps": ["a", {"event": "b", "optional": True}], "window": "2 hours", "order": "strict",
         "by": "$os", "exclude": ["c"], "display": "trends"},
        {"kind": "FunnelsQuery", "series": [A, B | {"optionalInFunnel": True}],
         "funnelsFilter": {
             "funnelWindowInterval": 2, "funnelWindowIntervalUnit": "hour", "funnelOrderType": "strict",
             "exclusions": [{"kind": "EventsNode", "event": "c", "funnelFromStep": 0, "funnelToStep": 1}],
             "funnelVizType": "trends"},
         "breakdownFilter": {"breakdown": "$os", "breakdown_type": "event"}},
    ),
    "retention": (
        {"kind": "retention", "start": "a", "return": "b", "period": "week", "periods": 4, "type": "first_time"},
        {"kind": "RetentionQuery",
         "retentionFilter": {"targetEntity": {"id": "a", "name": "a", "type": "events"},
                             "returningEntity": {"id": "b", "name": "b", "type": "events"}, "period": "Week",
                             "totalIntervals": 4, "retentionType": "retention_first_time"}},
    ),
    "who comes back to the same": (
        {"kind": "retention", "start": {"action": 3}},
        {"kind": "RetentionQuery", "retentionFilter": {"targetEntity": {"id": 3, "type": "actions"},
                                                       "returningEntity": {"id": 3, "type": "actions"}}},
    ),
    "stickiness": (
        {"kind": "stickiness", "events": ["a"], "cumulative": True},
        {"kind": "StickinessQuery", "series": [A], "stickinessFilter": {"computedAs": "cumulative"}},
    ),
    "lifecycle": (
        {"kind": "lifecycle", "events": ["a"], "interval": "week"},
        {"kind": "LifecycleQuery", "series": [A], "interval": "week"},
    ),
    "paths": (
        {"kind": "paths", "events": ["$pageview"], "start": "/", "steps": 4, "limit": 9, "exclude": "/x"},
        {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["$pageview"], "startPoint": "/", "stepLimit": 4,
                                               "edgeLimit": 9, "excludeEvents": ["/x"]}},
    ),
    "paths of some events": (
        {"kind": "paths", "events": ["a", "it's"]},
        {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["custom_event"]},
         "properties": [{"type": "hogql", "key": "event in ('a', 'it\\'s')"}]},
    ),
    "paths of some events and people": (
        {"kind": "paths", "events": ["a"], "where": {"person.plan": "paid"}},
        {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["custom_event"]},
         "properties": [{"type": "hogql", "key": "event in ('a')"}, *only("plan", ["paid"], "person")]},
    ),
    "a filter beside either of two": (
        {"kind": "trends", "events": ["a"], "where": [{"x": "1"}, {"or": [{"y": "2"}, {"z": "3"}]}]},
        trend(properties={"type": "AND", "values": [
            {"type": "AND", "values": only("x", ["1"])},
            {"type": "OR", "values": [*only("y", ["2"]), *only("z", ["3"])]}]}),
    ),
    "split by cohorts": (
        {"kind": "trends", "events": ["a"], "by": {"cohort": [1, 2]}},
        trend(breakdownFilter={"breakdown": [1, 2], "breakdown_type": "cohort"}),
    ),
    "SQL": ({"sql": "select 1"}, {"kind": "HogQLQuery", "query": "select 1"}),
    "SQL alone": (" -- all\n select 1", {"kind": "HogQLQuery", "query": " -- all\n select 1"}),
    "what goes along with converting": (
        {"kind": "correlation", "steps": ["a", "b"], "window": "3 days", "where": {"x": "y"}},
        {"kind": "FunnelCorrelationQuery", "funnelCorrelationType": "events", "source": ACTORS | {"source": FUNNEL | {
            "funnelsFilter": {"funnelWindowInterval": 3, "funnelWindowIntervalUnit": "day"},
            "properties": only("x", ["y"])}}},
    ),
    "which properties go along with converting": (
        {"kind": "correlation", "steps": ["a", "b"], "properties": "all"},
        {"kind": "FunnelCorrelationQuery", "funnelCorrelationType": "properties", "source": ACTORS,
         "funnelCorrelationNames": ["$all"]},
    ),
    "which values of events go along with converting": (
        {"kind": "correlation", "steps": ["a", "b"], "events": "c"},
        {"kind": "FunnelCorrelationQuery", "funnelCorrelationType": "event_with_properties", "source": ACTORS,
         "funnelCorrelationEventNames": ["c"]},
    ),
    "a wrapped one": (
        {"kind": "InsightVizNode", "source": {"kind": "trends", "events": ["a"]}},
        {"kind": "InsightVizNode", "source": TREND},
    ),
    "as JSON text": (json.dumps(TREND), TREND),
    "filters by names alone": (
        {"kind": "trends", "events": ["a"], "where": "$os = 'Mac' and person.age >= 3"},
        trend(properties=[*only("$os", ["Mac"]),
                          {"key": "age", "operator": "gte", "value": 3, "type": "person"}]),
    ),
    "a filter that is one of several": (
        {"kind": "trends", "events": ["a"], "where": {"x": {"in": ["y"]}, "z": {"$ne": "w"}}},
        trend(properties=[*only("x", ["y"]), {"key": "z", "operator": "is_not", "value": ["w"], "type": "event"}]),
    ),
    "SQL where names are columns": (
        {"kind": "trends", "events": ["a"], "where": "event = 'a'"},
        trend(properties=[{"type": "hogql", "key": "event = 'a'"}]),
    ),
    "split by one with a limit": (
        {"kind": "trends", "events": ["a"], "by": {"property": "x", "limit": 3}},
        trend(breakdownFilter={"breakdowns": [{"property": "x"}], "breakdown_limit": 3}),
    ),
    "either of two steps": (
        {"kind": "funnel", "steps": ["a", {"or": ["b", "c"]}]},
        {"kind": "FunnelsQuery", "series": [A, {"kind": "GroupNode", "operator": "OR", "nodes": [
            B, {"kind": "EventsNode", "event": "c"}]}]},
    ),
    "of all events": (
        {"kind": "trends", "events": ["All events"]},
        {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": None}]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", COMMON_FORMS)
def test_the_common_form_is_expanded_without_a_word(name: str) -> None:
    """It is how queries should be written: nothing is repaired."""
    written, wanted = COMMON_FORMS[name]
    read = repaired(written)
    assert (wanted, (), ()) == (read.query, read.repairs, read.unknown)


# repairs

REPAIRS: dict[str, tuple[Any, dict[str, Any], list[str]]] = {
    "breakdown beside the series": (
        trend(breakdown="$os"),
        trend(breakdownFilter={"breakdowns": [{"property": "$os", "type": "event"}]}),
        ["breakdown → breakdownFilter.breakdowns[0]"],
    ),
    "a funnel without the actors around it": (
        {"kind": "FunnelCorrelationQuery", "source": FUNNEL},
        {"kind": "FunnelCorrelationQuery", "source": ACTORS, "funnelCorrelationType": "events"},
        ["source: a funnel → the FunnelsActorsQuery of it", 'funnelCorrelationType: missing → "events"'],
    ),
    "breakdown with its type": (
        trend(breakdown="plan", breakdown_type="person"),
        trend(breakdownFilter={"breakdown": "plan", "breakdown_type": "person"}),
        ["breakdown → breakdownFilter.breakdown", "breakdown_type → breakdownFilter.breakdown_type"],
    ),
    "window beside the steps, in another case, as text": (
        FUNNEL | {"funnelWindowInterval": "7", "funnel_window_interval_unit": "days"},
        FUNNEL | {"funnelsFilter": {"funnelWindowInterval": 7, "funnelWindowIntervalUnit": "day"}},
        ["funnelWindowInterval → funnelsFilter.funnelWindowInterval",
         "funnel_window_interval_unit → funnelsFilter.funnelWindowIntervalUnit",
         'funnelsFilter.funnelWindowInterval: "7" → 7', 'funnelsFilter.funnelWindowIntervalUnit: "days" → "day"'],
    ),
    "display beside the series": (
        trend(display="ActionsBarChart"),
        trend(trendsFilter={"display": "ActionsBar"}),
        ["display → trendsFilter.display", 'trendsFilter.display: "ActionsBarChart" → "ActionsBar"'],
    ),
    "dates beside the series": (
        trend(date_from="last month"),
        trend(dateRange={"date_from": "-1mStart", "date_to": "-1mEnd"}),
        ["date_from → dateRange.date_from", 'dateRange.date_from: "last month" → "-1mStart"',
         'dateRange.date_to: missing → "-1mEnd", the end of "last month"'],
    ),
    "interval inside the dates": (
        trend(dateRange={"date_from": "-7d", "interval": "hourly"}),
        trend(dateRange={"date_from": "-7d"}, interval="hour"),
        ["dateRange.interval → interval", 'interval: "hourly" → "hour"'],
    ),
    "snake case": (
        {"kind": "TrendsQuery", "series": [A], "date_range": {"dateFrom": "-7d"}, "filter_test_accounts": "true"},
        trend(dateRange={"date_from": "-7d"}, filterTestAccounts=True),
        ["date_range → dateRange", "filter_test_accounts → filterTestAccounts",
         "dateRange.dateFrom → dateRange.date_from", 'filterTestAccounts: "true" → true'],
    ),
    "a slip of the pen": (
        {"kind": "TrendsQuery", "serries": [A | {"maths": "dau"}]},
        {"kind": "TrendsQuery", "series": [A | {"math": "dau"}]},
        ["serries → series", "series[0].maths → series[0].math"],
    ),
    "an event's name as series": (
        {"kind": "TrendsQuery", "series": ["a"]},
        TREND,
        ['series[0]: "a" → {"kind": "EventsNode", "event": "a"}'],
    ),
    "a node without a kind": (
        {"kind": "TrendsQuery", "series": [{"event": "a", "math": "unique users"}]},
        {"kind": "TrendsQuery", "series": [A | {"math": "dau"}]},
        ['series[0].kind: missing → "EventsNode"', 'series[0].math: "unique users" → "dau"'],
    ),
    "math with its property": (
        {"kind": "TrendsQuery", "series": [A | {"math": "average(amount)"}]},
        {"kind": "TrendsQuery", "series": [A | {"math": "avg", "math_property": "amount"}]},
        ['series[0].math: "average(amount)" → {"math": "avg", "math_property": "amount"}'],
    ),
    "filters as an object": (
        trend(properties={"plan": "paid"}),
        trend(properties=only("plan", ["paid"])),
        ['properties: {"plan": "paid"} → [{"key": "plan", "operator": "exact", "value": ["paid"], "type": "event"}]'],
    ),
    "a filter in other words": (
        trend(properties=[{"property": "plan", "op": "!=", "val": "paid", "type": "user"}]),
        trend(properties=[{"key": "plan", "operator": "is_not", "value": "paid", "type": "person"}]),
        ["properties[0].property → properties[0].key", "properties[0].op → properties[0].operator",
         "properties[0].val → properties[0].value", 'properties[0].type: "user" → "person"',
         'properties[0].operator: "!=" → "is_not"'],
    ),
    "filters in the outer group": (
        trend(properties={"type": "or", "values": [{"key": "x", "value": "y"}]}),
        trend(properties={"type": "AND", "values": [{"type": "OR", "values": [{"key": "x", "value": "y"}]}]}),
        ['properties.type: "or" → "OR"', "properties: the filters of the outer group → a group inside it (OR)"],
    ),
    "old filters": (
        {"insight": "TRENDS", "events": [{"id": "a", "type": "events", "order": 1}], "date_from": "-7d",
         "actions": [{"id": "4", "type": "actions", "order": 0}], "new_entity": []},
        {"kind": "TrendsQuery", "dateRange": {"date_from": "-7d"}, "series": [{"kind": "ActionsNode", "id": 4}, A]},
        ['insight: "TRENDS" → "TrendsQuery"', "actions → series", "date_from → dateRange.date_from",
         "new_entity: left out: PostHog's queries have no such field", 'series[0].kind: missing → "ActionsNode"',
         'series[0].id: "4" → 4', 'series[1].kind: missing → "EventsNode"'],
    ),
    "an old funnel": (
        {"insight": "FUNNELS", "events": [A, B], "funnel_window_days": 3, "funnel_viz_type": "trend"},
        FUNNEL | {"funnelsFilter": {"funnelWindowInterval": 3, "funnelWindowIntervalUnit": "day",
                                    "funnelVizType": "trends"}},
        ['insight: "FUNNELS" → "FunnelsQuery"', "events → series",
         "funnel_window_days → funnelsFilter.funnelWindowInterval", "funnel_viz_type → funnelsFilter.funnelVizType",
         'funnelsFilter.funnelVizType: "trend" → "trends"'],
    ),
    "another word for the kind": ({"kind": "TRENDS", "series": [A]}, TREND, ['kind: "TRENDS" → "TrendsQuery"']),
    "a slip in a short name": (
        {"kind": "trends", "event": "a", "form": "-7d"},
        trend(dateRange={"date_from": "-7d"}),
        ["event → series", "form → dateRange.date_from"],
    ),
    "the kind under another name": ({"type": "trends", "events": ["a"]}, TREND, ["type → kind"]),
    "an event alone": (A, TREND, ['kind: "EventsNode" alone → a TrendsQuery of it']),
    "how time is cut, called period": (
        {"kind": "trends", "events": ["a"], "period": "week"}, trend(interval="week"), ["period → interval"],
    ),
    "a range, called period": (
        {"kind": "trends", "events": ["a"], "period": "30d"},
        trend(dateRange={"date_from": "-30d"}),
        ['period: "30d" → {"date_from": "-30d"}', "period → dateRange.date_from"],
    ),
    "a range in words": (
        {"kind": "trends", "events": ["a"], "period": "last 7 days"},
        trend(dateRange={"date_from": "-7d"}),
        ['period: "last 7 days" → {"date_from": "-7d"}', "period → dateRange.date_from"],
    ),
    "the wrong wrapper": (
        {"kind": "InsightVizNode", "source": {"kind": "HogQLQuery", "query": "select 1"}},
        {"kind": "DataVisualizationNode", "source": {"kind": "HogQLQuery", "query": "select 1"}},
        ['kind: "InsightVizNode" → "DataVisualizationNode"'],
    ),
    "a field beside its query": (
        {"kind": "InsightVizNode", "source": TREND, "interval": "week"},
        {"kind": "InsightVizNode", "source": {"interval": "week", **TREND}},
        ["interval → source.interval"],
    ),
    "a part's field beside its query": (
        {"kind": "InsightVizNode", "source": TREND, "display": "bar"},
        {"kind": "InsightVizNode", "source": TREND | {"trendsFilter": {"display": "ActionsBar"}}},
        ["display → source.display", "source.display → source.trendsFilter.display",
         'source.trendsFilter.display: "bar" → "ActionsBar"'],
    ),
    "an event by its id": (
        {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "id": "a"}]}, TREND,
        ["series[0].id → series[0].event"],
    ),
    "a window in words": (
        FUNNEL | {"funnelsFilter": {"funnelWindowInterval": "2 weeks"}},
        FUNNEL | {"funnelsFilter": {"funnelWindowInterval": 2, "funnelWindowIntervalUnit": "week"}},
        ['funnelsFilter.funnelWindowInterval: "2 weeks" → {"funnelWindowInterval": 2, '
         '"funnelWindowIntervalUnit": "week"}'],
    ),
    "a whole insight": ({"name": "x", "query": TREND}, TREND, ["query: what is inside is the query"]),
    "a comparison as a switch": (
        trend(compareFilter=True),
        trend(compareFilter={"compare": True}),
        ['compareFilter: true → {"compare": true}'],
    ),
    "a number as text": (
        FUNNEL | {"samplingFactor": "0.1"}, FUNNEL | {"samplingFactor": 0.1}, ['samplingFactor: "0.1" → 0.1'],
    ),
    "distinct persons": (
        {"kind": "trends", "events": ["a"], "math": "count(distinct person_id)"},
        {"kind": "TrendsQuery", "series": [A | {"math": "dau"}]},
        ['events[0].math: "count(distinct person_id)" → {"math": "dau"}'],
    ),
    "distinct values": (
        {"kind": "TrendsQuery", "series": [A | {"math": "count_distinct", "math_property": "order id"}]},
        {"kind": "TrendsQuery", "series": [A | {"math": "hogql", "math_hogql": "uniq(properties.`order id`)"}]},
        ['series[0].math: {"math": "count_distinct", "math_property": "order id"} → '
         '{"math": "hogql", "math_hogql": "uniq(properties.`order id`)"}'],
    ),
    "a count of something": (
        {"kind": "trends", "events": ["a"], "math": "count(*)"},
        {"kind": "TrendsQuery", "series": [A | {"math": "total"}]},
        ['events[0].math: "count(*)" → {"math": "total"}'],
    ),
    "several events in one node": (
        {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": ["a", "b"], "math": "dau"}]},
        {"kind": "TrendsQuery", "series": [{"kind": "GroupNode", "operator": "OR", "nodes": [A, B], "math": "dau"}]},
        ["series[0].event: several events → a GroupNode of them"],
    ),
    "the older breakdown in the newer list": (
        trend(breakdownFilter={"breakdowns": [{"breakdown": "x", "breakdown_type": "person"}]}),
        trend(breakdownFilter={"breakdowns": [{"property": "x", "type": "person"}]}),
        ["breakdownFilter.breakdowns[0].breakdown → breakdownFilter.breakdowns[0].property",
         "breakdownFilter.breakdowns[0].breakdown_type → breakdownFilter.breakdowns[0].type"],
    ),
    "filters in filters": (
        trend(filters={"properties": only("x", ["y"])}),
        trend(properties=only("x", ["y"])),
        ["filters → properties", "properties.properties: what is inside is the filters"],
    ),
    "what SQL writes before a name": (
        trend(properties=[{"key": "properties.x", "operator": "exact", "value": "y", "type": "event"}],
              breakdownFilter={"breakdown": "person.properties.plan", "breakdown_type": "person"}),
        trend(properties=[{"key": "x", "operator": "exact", "value": "y", "type": "event"}],
              breakdownFilter={"breakdown": "plan", "breakdown_type": "person"}),
        ['breakdownFilter.breakdown: "person.properties.plan" → "plan"', 'properties[0].key: "properties.x" → "x"'],
    ),
    "the beginning of a text": (
        {"kind": "trends", "events": ["a"], "where": {"email": {"ends_with": ["@a.io", "@b.io"]}}},
        trend(properties=[{"key": "email", "operator": "regex", "value": "(@a\\.io|@b\\.io)$", "type": "event"}]),
        ['where.email.ends_with: {"ends_with": ["@a.io", "@b.io"]} → {"regex": "(@a\\\\.io|@b\\\\.io)$"}'],
    ),
    "a property's owner around it": (
        {"kind": "trends", "events": ["a"], "where": {"person": {"plan": "!= paid"}}},
        trend(properties=[{"key": "plan", "operator": "is_not", "value": ["paid"], "type": "person"}]),
        ['where.person.plan: "!= paid" → {"!=": "paid"}'],
    ),
    "an operator beside the property": (
        {"kind": "trends", "events": ["a"], "where": [{"x": "y", "operator": "is_not"}]},
        trend(properties=[{"key": "x", "operator": "is_not", "value": ["y"], "type": "event"}]),
        ['where[0]: {"x": "y", "operator": "is_not"} → '
         '{"key": "x", "operator": "is_not", "value": ["y"], "type": "event"}'],
    ),
    "an entry of old filters with a kind": (
        {"kind": "TrendsQuery", "series": [A | {"order": 0, "type": "events"}]}, TREND,
        ["series[0].order: left out: PostHog's queries have no such field",
         "series[0].type: left out: PostHog's queries have no such field"],
    ),
    "a comparison with the period before": (
        trend(compareFilter={"compare_to": "previous_period"}),
        trend(compareFilter={"compare_to": None, "compare": True}),
        ['compareFilter.compare_to: "previous_period" → null'],
    ),
    "days as a number": (
        trend(dateRange={"date_from": -30, "date_to": "end of last month"}),
        trend(dateRange={"date_from": "-30d", "date_to": "-1mEnd"}),
        ['dateRange.date_from: -30 → "-30d"', 'dateRange.date_to: "end of last month" → "-1mEnd"'],
    ),
    "a retention's event under its name only": (
        {"kind": "RetentionQuery", "retentionFilter": {"targetEntity": {"type": "events", "name": "a"}}},
        {"kind": "RetentionQuery", "retentionFilter": {"targetEntity": {"type": "events", "name": "a", "id": "a"}}},
        ['retentionFilter.targetEntity.id: missing → "a"'],
    ),
    "path types in other words": (
        {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["pageview", "customEvent"]}},
        {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["$pageview", "custom_event"]}},
        ['pathsFilter.includeEventTypes: ["pageview", "customEvent"] → ["$pageview", "custom_event"]'],
    ),
    "a wrapper with the fields of its query": (
        {"kind": "InsightVizNode", "series": ["a"]},
        {"kind": "InsightVizNode", "source": TREND},
        ["source: missing → what stands beside it", 'source.kind: missing → "TrendsQuery"'],
    ),
    "several names in one text": (
        {"kind": "funnel", "steps": "a -> b", "strict": True},
        FUNNEL | {"funnelsFilter": {"funnelOrderType": "strict"}},
        ['steps: "a -> b" → ["a", "b"]', "strict → funnelsFilter.funnelOrderType"],
    ),
    "a moving average": (
        {"kind": "trends", "events": ["a"], "rolling_average": 7, "formula": ""},
        trend(trendsFilter={"smoothingIntervals": 7}),
        ["rolling_average → trendsFilter.smoothingIntervals"],
    ),
    "math over a property in camel case": (
        {"kind": "TrendsQuery", "series": [A | {"math": "avg", "mathProperty": "x"}]},
        {"kind": "TrendsQuery", "series": [A | {"math": "avg", "math_property": "x"}]},
        ["series[0].mathProperty → series[0].math_property"],
    ),
    "old filters with operators in their names": (
        trend(properties={"os__icontains": "Mac", "a__b": "c"}),
        trend(properties=[{"key": "os", "operator": "icontains", "value": "Mac", "type": "event"},
                          *only("a__b", ["c"])]),
        ['properties: {"os__icontains": "Mac", "a__b": "c"} → [{"key": "os", "operator": "icontains", "value": '
         '"Mac", "type": "event"}, {"key"… (+64 characters)'],
    ),
    "a filter as a list of its parts": (
        {"kind": "trends", "events": ["a"], "where": ["x", "=", "y"]},
        trend(properties=only("x", ["y"])),
        ['where[0]: ["x", "=", "y"] → {"key": "x", "operator": "exact", "value": ["y"], "type": "event"}'],
    ),
    "an event under its name only": (
        {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "name": "a"}]},
        {"kind": "TrendsQuery", "series": [A | {"name": "a"}]},
        ['series[0].event: missing → "a"'],
    ),
    "a window in days, inside": (
        FUNNEL | {"funnelsFilter": {"windowDays": 3}},
        FUNNEL | {"funnelsFilter": {"funnelWindowInterval": 3, "funnelWindowIntervalUnit": "day"}},
        ["funnelsFilter.windowDays → funnelsFilter.funnelWindowInterval",
         "funnelsFilter.windowDays → funnelsFilter.funnelWindowIntervalUnit"],
    ),
    "a window and its unit": (
        FUNNEL | {"conversionWindow": 3, "conversionWindowUnit": "weeks"},
        FUNNEL | {"funnelsFilter": {"funnelWindowInterval": 3, "funnelWindowIntervalUnit": "week"}},
        ["conversionWindowUnit: the unit of conversionWindow", "conversionWindow → funnelsFilter.funnelWindowInterval"],
    ),
    "exclusions by name": (
        {"kind": "funnel", "steps": ["a", "b"], "exclusions": ["c"]},
        FUNNEL | {"funnelsFilter": {"exclusions": [
            {"kind": "EventsNode", "event": "c", "funnelFromStep": 0, "funnelToStep": 1}]}},
        ["exclusions → funnelsFilter.exclusions"],
    ),
    "a retention's events": (
        {"kind": "retention", "events": ["a", "b"], "first_time": True},
        {"kind": "RetentionQuery", "retentionFilter": {
            "targetEntity": {"id": "a", "name": "a", "type": "events"},
            "returningEntity": {"id": "b", "name": "b", "type": "events"}, "retentionType": "retention_first_time"}},
        ["events → retentionFilter.targetEntity", "first_time → retentionFilter.retentionType"],
    ),
    "old paths": (
        {"insight": "PATHS", "path_type": "$pageview"},
        {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["$pageview"]}},
        ['insight: "PATHS" → "PathsQuery"', "path_type → pathsFilter.includeEventTypes"],
    ),
    "what is said the other way round": (
        {"kind": "trends", "events": ["a"], "include_test_accounts": True},
        trend(filterTestAccounts=False),
        ["include_test_accounts → filterTestAccounts"],
    ),
    "days": (
        {"kind": "trends", "events": ["a"], "days": "30"}, trend(dateRange={"date_from": "-30d"}),
        ["days → dateRange.date_from"],
    ),
    "what belongs beside the query": (
        {"kind": "trends", "events": ["a"], "name": "x"}, TREND,
        ["name: left out: it belongs to the insight, beside the query"],
    ),
    "the kind as a name": (
        {"trends": {"events": ["a"]}}, TREND, ["trends: what is inside is the query, of this kind"],
    ),
    "its fields one deeper": (
        {"kind": "trends", "params": {"events": ["a"]}}, TREND, ["params: what is inside belongs to the query itself"],
    ),
    "a list of one": ([TREND], TREND, ["query: a list of one query → the query"]),
    "SQL as its source": (
        {"kind": "DataVisualizationNode", "query": "select 1"},
        {"kind": "DataVisualizationNode", "source": {"kind": "HogQLQuery", "query": "select 1"}},
        ["query → source"],
    ),
    "SQL one deeper": (
        {"kind": "HogQLQuery", "query": {"sql": "select 1"}}, {"kind": "HogQLQuery", "query": "select 1"},
        ["query: what is inside is the SQL"],
    ),
    "SQL in a fence": (
        "```sql\nselect 1\n```", {"kind": "HogQLQuery", "query": "select 1"}, ["query: SQL in a code fence → SQL"],
    ),
    "Python's words": (
        "{'kind': 'TrendsQuery', 'series': [{'kind': 'EventsNode', 'event': 'it\\'s \"a\"'}], "
        "'filterTestAccounts': True}",
        {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "it's \"a\""}], "filterTestAccounts": True},
        ["query: text → JSON"],
    ),
    "JSON with comments and commas": (
        '```json\n{kind: "trends", // of all\n events: ["a",], }\n```', TREND, ["query: text → JSON"],
    ),
    "paths without their filter": (
        {"kind": "PathsQuery"}, {"kind": "PathsQuery", "pathsFilter": {}}, ["pathsFilter: missing → {}"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REPAIRS)
def test_a_known_mistake_is_repaired_and_said(name: str) -> None:
    """The query is the one that was meant, and each repair is listed."""
    written, wanted, repairs = REPAIRS[name]
    read = repaired(written)
    assert (wanted, repairs) == (read.query, list(read.repairs))


@pytest.mark.parametrize(
    ("written", "wanted"),
    {
        "30d": "-30d", "-30 days": "-30d", "Last 30 Days": "-30d", "past two weeks": "-2w", "3 months ago": "-3m",
        "this month": "mStart", "YTD": "yStart", "all time": "all", "today": "dStart", "2026/01/05": "2026-01-05",
        "5 January 2026": "2026-01-05", "Jan 5, 2026": "2026-01-05", "25.01.2026": "2026-01-25",
        "now-30d": "-30d", "P8W": "-8w", "start of the month": "mStart", "1767225600": "2026-01-01T00:00:00Z",
        "-30d": "-30d", "-1mStart": "-1mStart", "2026-1-5": "2026-1-5", "2026-01-05T10:00:00Z": "2026-01-05T10:00:00Z",
    }.items(),
)  # fmt: skip
def test_dates_in_other_forms(written: str, wanted: str) -> None:
    """PostHog's own are left as they are."""
    assert wanted == repaired(trend(dateRange={"date_from": written})).query["dateRange"]["date_from"]


@pytest.mark.parametrize(
    ("written", "wanted"),
    {
        "Q3 2026": ("2026-07-01", "2026-09-30"), "2026-Q4": ("2026-10-01", "2026-12-31"),
        "February 2028": ("2028-02-01", "2028-02-29"), "2026-11": ("2026-11-01", "2026-11-30"),
        "2026": ("2026-01-01", "2026-12-31"), "since 2026-01-05": ("2026-01-05", None),
        "2026-05 to 2026-06": ("2026-05-01", "2026-06-30"), "between 2026-01-01 and now": ("2026-01-01", "dEnd"),
    }.items(),
)  # fmt: skip
def test_ranges_in_other_forms(written: str, wanted: tuple[str, str | None]) -> None:
    """A month, a quarter or a year that is named is meant whole."""
    found = repaired({"kind": "trends", "events": ["a"], "range": written}).query["dateRange"]
    assert wanted == (found["date_from"], found.get("date_to"))


def test_until_a_month_is_to_its_end() -> None:
    """PostHog takes 2026-10 for its first day; in its own form it is left as it is."""
    easy = repaired({"kind": "trends", "events": ["a"], "from": "2026-09", "to": "2026-10"})
    own = repaired(trend(dateRange={"date_from": "2026-09", "date_to": "2026-10"}))
    assert ({"date_from": "2026-09-01", "date_to": "2026-10-31"}, {"date_from": "2026-09", "date_to": "2026-10"}) == (
        easy.query["dateRange"], own.query["dateRange"]
    )  # fmt: skip


def test_a_field_nobody_knows_is_kept_and_noted() -> None:
    """PostHog has new ones every week."""
    read = repaired(trend(trendsFilter={"sparkles": 3}))
    assert (trend(trendsFilter={"sparkles": 3}), (), ("trendsFilter.sparkles",)) == (
        read.query, read.repairs, read.unknown
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["WebOverviewQuery", "TracesQuery", "QueryOfNextWeekQuery"])
def test_other_kinds_pass_as_they_are(kind: str) -> None:
    """What is not described here is PostHog's to judge."""
    query = {"kind": kind, "properties": "?", "date_from": 3}
    assert query == repaired(query).query


# mistakes


def mistakes(written: Any) -> list[str]:
    """What is told of a query that cannot be repaired."""
    with pytest.raises(BadQuery) as caught:
        repaired(written)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_all_mistakes_are_told_at_once() -> None:
    """Each with its place, what was given, what is allowed, what was probably meant, and a right one."""
    series = [A | {"math": "weekly_actives_x"}, A | {"math": "sum"}]
    told = mistakes({"kind": "TrendsQuery", "series": series, "interval": "fortnight", "dateRange": {"date_from": "?"}})
    assert [
        'series[1].math_property: is missing: "sum" is over a property. Right: '
        '{"kind": "EventsNode", "event": "a", "math": "sum", "math_property": "$session_duration"}',
        'dateRange.date_from: "?" is no date: a date is -30d, -1mStart, all or 2026-01-31. Right: '
        '{"date_from": "-30d"}',
        'series[0].math: "weekly_actives_x" is none of total, dau, weekly_active, monthly_active, unique_session, '
        "first_time_for_user, first_matching_event_for_user, sum, avg, min, max, median … (29 in all); did you mean "
        '\'weekly_active\'? Right: {"kind": "EventsNode", "event": "$pageview", "math": "dau"}',
        'interval: "fortnight" is none of second, minute, hour, day, week, month, quarter, year. Right: '
        '{"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "$pageview"}], "interval": "week"}',
    ] == sorted(told, key=lambda line: ("math_property" not in line, "date_from" not in line, "series" not in line))


@pytest.mark.parametrize(
    ("written", "place"),
    [
        ({"kind": "trends", "events": [{"event": "a", "math": "bogus"}]}, "events[0].math: "),
        ({"kind": "trends"}, "events: is missing"),
        ({"kind": "retention", "period": "week"}, "start: is missing"),
        ({"kind": "correlation", "properties": "all"}, "steps: is missing"),
        ({"kind": "correlation", "steps": ["a", "b"], "events": "c", "properties": "x"}, "events: asks another"),
        ({"kind": "correlation", "steps": ["a", "b"], "window": "soon"}, 'window: "soon" is no length of time'),
        ({"kind": "funnel", "steps": ["a", "b"], "window": "soon"}, 'window: "soon" is no length of time'),
        ({"kind": "trends", "events": ["a"], "from": "01/02/2026"}, 'from: "01/02/2026" is no date'),
        ({"kind": "stickiness", "events": ["a"], "by": "x"}, "by: stickiness cannot be split"),
        ({"sql": "select 1", "from": "-7d"}, "from: SQL says this in its own text"),
        ({"kind": "trends", "events": ["a"], "where": {"x": {"near": 1}}}, 'where.x.near: "near" is none of exact'),
        ({"kind": "trends", "events": ["a"], "where": [{"key": "plan"}]}, "where[0].value: is missing: what to"),
        ({"kind": "trends", "events": ["a"], "where": [{"type": "cohort"}]}, "value: is missing: the cohort's number"),
        ({"kind": "TrensQuery", "series": []}, "did you mean 'TrendsQuery'?"),
        (trend(interval="day", granularity="week"), "granularity: "),
        ({"kind": "trends", "events": ["a"], "formula": "A / B"}, 'formula[0]: "B" is no series: the letters are A'),
        ({"kind": "trends", "events": ["a"], "timezone": "UTC"}, "timezone: dates are in the project's time zone"),
        ([TREND, TREND], "2 queries in one list"),
        ({"kind": "trends", "events": ["a"], "sparkles": 1}, "sparkles: no such name: there are events, math, "),
    ],
)
def test_a_mistake_names_the_place_that_was_written(written: Any, place: str) -> None:
    """In the common form by its short names."""
    assert [place in told for told in mistakes(written)] == [True]
