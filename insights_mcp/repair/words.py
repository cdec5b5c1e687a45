"""Other words for PostHog's: what people and models say for a kind, a math, a display, an operator."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from functools import lru_cache


def word(text: str) -> str:
    """A name by its letters and digits alone: `funnel_window_interval` is `funnelWindowInterval`."""
    return re.sub(r"[\W_]", "", text.casefold())


SHORTEST = 3  # a word this short has too many neighbours
MOST_APART = 3  # letters by which two words that are alike may differ in length


@lru_cache(4_096)
def nearly(text: str, allowed: tuple[str, ...]) -> str | None:
    """The one word that is meant, where only the pen slipped."""
    said = word(text)
    near = [each for each in allowed if len(said) > SHORTEST and slipped(word(each), said)]
    return near[0] if len(near) == 1 else None


def likeness(one: str, other: str) -> float:
    """How alike two words are, from 0 to 1; nearly 1 where only the pen slipped."""
    if abs(len(one) - len(other)) > MOST_APART:
        return 0
    return 0.99 if slipped(one, other) else SequenceMatcher(None, one, other).ratio()


def slipped(one: str, other: str) -> bool:
    """Whether one letter was left out, put in, or swapped with the next."""
    short, long = sorted((one, other), key=len)
    if len(long) - len(short) > 1:
        return False
    if len(long) == len(short):
        return any(long[:n] + long[n + 1 : n + 2] + long[n] + long[n + 2 :] == short for n in range(len(long) - 1))
    return any(long[:n] + long[n + 1 :] == short for n in range(len(long)))


def spoken(table: dict[str, str]) -> dict[str, str]:
    """Each word leads to what stands before it: `{"dau": "unique users"}` is `{"unique": "dau", "users": "dau"}`."""
    return {each: value for value, words in table.items() for each in words.split()}


# Without a word in the common form: the first is its name there.
COMMON_KINDS = {
    "trends": "TrendsQuery", "funnel": "FunnelsQuery", "retention": "RetentionQuery", "stickiness": "StickinessQuery",
    "lifecycle": "LifecycleQuery", "paths": "PathsQuery", "sql": "HogQLQuery", "correlation": "FunnelCorrelationQuery",
}  # fmt: skip
EASY_KINDS = {**COMMON_KINDS, "trend": "TrendsQuery", "funnels": "FunnelsQuery", "path": "PathsQuery"}
KINDS = spoken(
    {
        "TrendsQuery": "trends trend trendquery trendquerys insighttrends timeseries series",
        "FunnelsQuery": "funnels funnel funnelquery conversion",
        "RetentionQuery": "retention retentions retentionsquery cohortretention",
        "StickinessQuery": "stickiness",
        "LifecycleQuery": "lifecycle lifecycles",
        "PathsQuery": "paths path pathquery userpaths",
        "HogQLQuery": "sql hogql sqlquery hogqlquerynode",
        "FunnelCorrelationQuery": "correlation correlations funnelcorrelation funnelcorrelations correlationquery",
        "EventsQuery": "eventquery eventstable",
        "ActorsQuery": "actors actorquery personsquery",
        "InsightVizNode": "insightviz insightnode insight",
        "DataVisualizationNode": "datavisualization datavisualizationquery datavizualizationnode",
        "DataTableNode": "datatable",
    }
)
ENTITIES = spoken({"EventsNode": "event events eventnode", "ActionsNode": "action actions actionnode",
                  "GroupNode": "group groupsnode"})  # fmt: skip
EASY_DISPLAYS = {
    "line": "ActionsLineGraph", "area": "ActionsAreaGraph", "bar": "ActionsBar", "total bar": "ActionsBarValue",
    "cumulative": "ActionsLineGraphCumulative", "number": "BoldNumber", "pie": "ActionsPie", "table": "ActionsTable",
    "map": "WorldMap",
}  # fmt: skip
INTERVALS = spoken(
    {
        "second": "seconds sec secs 1second",
        "minute": "minutes min mins minutely perminute 1minute 1min",
        "hour": "hours hr hrs hourly perhour h 1h 1hour 60min 60minutes",
        "day": "days daily perday d 1d 1day date 24h 24hours",
        "week": "weeks wk wks weekly perweek w 1w 1week 7d 7days",
        "month": "months mon mo monthly permonth m 1mo 1month 30d 30days",
        "quarter": "quarters quarterly q",
        "year": "years yr yrs yearly annually annual y",
    }
)
VALUES: dict[str, dict[str, str]] = {
    "interval": INTERVALS,
    "period": {each: value.title() for each, value in INTERVALS.items() if value in ("hour", "day", "week", "month")},
    "funnelWindowIntervalUnit": INTERVALS,
    "math": spoken(
        {
            "dau": "unique uniques uniqueusers uniqueuser uniquepersons uniquepeople uniquevisitors uniqueactors users "
            "people persons visitors distinct distinctusers activeusers dailyactiveusers dailyactive countdistinct "
            "countunique uniquecount uniq distinctcount cardinality uniqueuserscount uniqueusercount",
            "weekly_active": "wau weeklyactiveusers",
            "monthly_active": "mau monthlyactiveusers",
            "total": "count counts totalcount totals events totalevents eventcount number occurrences",
            "unique_session": "sessions session uniquesessions sessioncount",
            "unique_group": "groups group uniquegroups",
            "avg": "average mean avgvalue propertyaverage",
            "sum": "summe propertysum",
            "min": "minimum",
            "max": "maximum",
            "median": "p50 percentile50",
            "p75": "percentile75",
            "p90": "percentile90",
            "p95": "percentile95",
            "p99": "percentile99",
            "first_time_for_user": "firsttime firstever firsttimeforuser",
            "avg_count_per_actor": "avgcountperuser avgperuser averageperuser eventsperuser countperuser perperson",
            "hogql": "sql expression custom",
        }
    ),
    "display": {word(each): value for each, value in EASY_DISPLAYS.items()}
    | spoken(
        {
            "ActionsLineGraph": "linegraph linechart lines actionslinechart actionsline actionslinegraphlinear trend",
            "ActionsAreaGraph": "areagraph areachart actionsareachart actionsarea",
            "ActionsBar": "bars barchart bargraph actionsbarchart actionsbargraph column columns columnchart",
            "ActionsStackedBar": "stackedbar stackedbars stackedbarchart actionsstackedbarchart",
            "ActionsUnstackedBar": "groupedbar groupedbars unstackedbar unstackedbarchart",
            "ActionsBarValue": "barvalue horizontalbar horizontalbars horizontalbarchart actionsbarvaluechart "
            "actionsbarchartvalue valuebar",
            "ActionsLineGraphCumulative": "cumulativeline linegraphcumulative cumulativelinegraph",
            "BoldNumber": "bignumber singlenumber kpi scorecard single bold value singlevalue actionsnumber",
            "ActionsPie": "piechart donut doughnut actionspiechart",
            "ActionsTable": "tablechart datatable actionstablechart",
            "WorldMap": "geo geomap",
            "CalendarHeatmap": "calendar heatmap",
            "BoxPlot": "box",
            "SlopeGraph": "slope",
        }
    ),
    "funnelOrderType": spoken(
        {
            "ordered": "sequential inorder order",
            "unordered": "any anyorder loose",
            "strict": "strictorder strictlyordered strictordered",
        }
    ),
    "funnelVizType": spoken(
        {
            "steps": "step bar bars barchart funnel funnelsteps conversion actionsbar",
            "time_to_convert": "time conversiontime timing histogram",
            "trends": "trend overtime historical historicaltrends timeseries line conversionovertime actionslinegraph",
        }
    ),
    "funnelStepReference": spoken({"total": "first firststep overall", "previous": "last previousstep step"}),
    "toggledLifecycles": spoken(
        {"dormant": "churned lost gone inactive", "resurrecting": "resurrected reactivated", "returning": "retained"}
    ),
    "breakdownAttributionType": spoken(
        {"first_touch": "first firsttouchpoint", "last_touch": "last", "all_events": "all allsteps every"}
    ),
    "retentionType": spoken(
        {
            "retention_recurring": "recurring recurrent",
            "retention_first_time": "firsttime first",
            "retention_first_ever_occurrence": "firstever firsteveroccurrence",
        }
    ),
    "computedAs": spoken({"non_cumulative": "noncumulated exact"}),
    "aggregationAxisFormat": spoken({"percentage": "percent", "duration": "seconds", "duration_ms": "milliseconds ms"}),
    "aggregationType": spoken({"avg": "average mean", "sum": "total"}),
    "kind": ENTITIES,
    "type": spoken({"AND": "all every", "OR": "any some"}),
}
_OPERATORS = spoken(
    {
        "exact": "= == === eq equals equal is equal_to equals_to exactly one_of any_of is_one_of is_any_of in_list $in",
        "is_not": "!= !== <> ne neq not_equals not_equal not_equal_to is_not_equal isnt not not_exact does_not_equal "
        "doesnt_equal not_one_of none_of is_none_of $nin nin",
        "icontains": "contains includes like ilike has containing substring",
        "not_icontains": "not_contains does_not_contain doesnt_contain not_like not_ilike excludes",
        "regex": "~ =~ matches match matches_regex regexp rlike",
        "not_regex": "!~ not_matches does_not_match doesnt_match not_regexp not_match",
        "gt": "> greater_than more_than greater above over",
        "gte": ">= => ge gteq at_least greater_than_or_equal greater_than_or_equal_to greater_or_equal no_less_than",
        "lt": "< less_than less below under fewer_than",
        "lte": "<= =< le lteq at_most less_than_or_equal less_than_or_equal_to less_or_equal no_more_than",
        "is_set": "exists set is_defined defined not_null is_not_null isnt_null present not_empty is_not_empty",
        "is_not_set": "not_exists does_not_exist doesnt_exist not_set isnt_set missing null is_null not_defined "
        "is_undefined empty is_empty absent",
        "is_date_before": "before is_before earlier_than",
        "is_date_after": "after is_after later_than since",
        "is_date_exact": "on date date_exact on_date",
        "between": "range in_range is_between",
        "not_between": "outside not_in_range is_not_between",
    }
)
WHOSE = spoken(
    {
        "event": "events eventproperty eventproperties property properties",
        "person": "persons personproperty personproperties people user users userproperty userproperties",
        "session": "sessions sessionproperty",
        "group": "groups groupproperty groupproperties",
        "cohort": "cohorts",
        "hogql": "sql expression hogqlexpression",
        "event_metadata": "eventmetadata metadata",
    }
)
# Whose property a filter or breakdown means, as PostHog says it. There may be more of them.
PROPERTY_TYPES = (
    "event", "person", "session", "cohort", "group", "hogql", "event_metadata", "person_metadata", "element", "feature",
    "flag", "recording", "log_entry", "data_warehouse", "data_warehouse_person_property", "error_tracking_issue",
    "log", "log_attribute", "log_resource_attribute", "metric_attribute", "span", "span_attribute",
    "span_resource_attribute", "revenue_analytics", "workflow_variable", "meta", "empty", "behavioral",
    "static-cohort", "precalculated-cohort",
)  # fmt: skip


def operator(text: str) -> str | None:
    """PostHog's operator for a sign or a word."""
    said = re.sub(r"[\s_-]+", "_", text.strip().casefold().replace("'", ""))
    return _OPERATORS.get(said) or _OPERATORS.get(said.removeprefix("$"))
