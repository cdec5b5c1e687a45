"""Bad queries: those that users were refused for (field notes), and mutations of valid ones, always the same.

Each must become a query that the models take whole, or be told as one error that names the place and what is right.
Valid queries must come out as they went in.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from pydantic import BaseModel

from benchmarks.measure import Measurement
from insights_mcp.repair import BadQuery, repaired
from insights_mcp.repair.examples import COMMON
from insights_mcp.repair.kinds import MODELS

MUTATIONS = 200
A: dict[str, Any] = {"kind": "EventsNode", "event": "$pageview", "math": "total"}
B: dict[str, Any] = {"kind": "EventsNode", "event": "signed up"}
FILTER = {"key": "plan", "operator": "exact", "value": ["paid"], "type": "person"}
RANGE = {"date_from": "-30d", "explicitDate": False}
TREND: dict[str, Any] = {
    "kind": "TrendsQuery",
    "series": [A, B | {"math": "dau", "properties": [FILTER]}],
    "interval": "week",
    "dateRange": RANGE,
    "properties": [FILTER],
    "filterTestAccounts": True,
    "breakdownFilter": {"breakdowns": [{"property": "$browser", "type": "event"}], "breakdown_limit": 10},
    "compareFilter": {"compare": True, "compare_to": "-1w"},
    "trendsFilter": {"display": "ActionsBar", "formulaNodes": [{"formula": "A / B"}], "showLegend": True},
}
FUNNEL: dict[str, Any] = {
    "kind": "FunnelsQuery",
    "series": [A, B],
    "dateRange": RANGE,
    "breakdownFilter": {"breakdown": "$browser", "breakdown_type": "event"},
    "funnelsFilter": {
        "funnelWindowInterval": 14,
        "funnelWindowIntervalUnit": "day",
        "funnelOrderType": "ordered",
        "funnelVizType": "steps",
        "exclusions": [B | {"funnelFromStep": 0, "funnelToStep": 1}],
    },
}
RETENTION: dict[str, Any] = {
    "kind": "RetentionQuery",
    "dateRange": {"date_from": "-8w"},
    "retentionFilter": {
        "period": "Week",
        "totalIntervals": 8,
        "retentionType": "retention_first_time",
        "targetEntity": {"id": "signed up", "name": "signed up", "type": "events"},
        "returningEntity": {"id": "$pageview", "name": "$pageview", "type": "events"},
    },
}
STICKINESS = {
    "kind": "StickinessQuery",
    "series": [A],
    "interval": "day",
    "dateRange": RANGE,
    "stickinessFilter": {"computedAs": "cumulative", "stickinessCriteria": {"operator": "gte", "value": 2}},
}
LIFECYCLE = {"kind": "LifecycleQuery", "series": [B], "interval": "week", "dateRange": RANGE, "properties": [FILTER]}
PATHS = {
    "kind": "PathsQuery",
    "dateRange": RANGE,
    "pathsFilter": {"includeEventTypes": ["$pageview"], "stepLimit": 5, "edgeLimit": 50, "startPoint": "/"},
}
SQL = {"kind": "HogQLQuery", "query": "select event, count() from events group by event", "values": {"a": 1}}
VALID: list[dict[str, Any]] = [TREND, FUNNEL, RETENTION, STICKINESS, LIFECYCLE, PATHS, SQL]
VALID += [{"kind": "InsightVizNode", "source": TREND}, {"kind": "DataVisualizationNode", "source": SQL}]

# What users of PostHog's own server were refused for.
REFUSED: list[Any] = [
    *(each for kind in COMMON.values() for each in kind),
    FUNNEL | {"funnelWindowInterval": 7, "funnelWindowIntervalUnit": "day", "funnelsFilter": {}},
    {"kind": "FunnelsQuery", "series": [A, B], "funnel_window_interval": 7, "funnel_window_interval_unit": "day"},
    {"kind": "TrendsQuery", "series": [A], "breakdown": "$browser"},
    {"kind": "TrendsQuery", "series": [A], "breakdown": {"property": "$browser", "type": "event"}},
    {"kind": "TrendsQuery", "series": [A], "breakdowns": ["$browser"]},
    {"kind": "TrendsQuery", "series": [A], "trendsFilter": {"display": "ActionsBarChart"}},
    {"kind": "TrendsQuery", "series": [A], "display": "line"},
    {"kind": "TrendsQuery", "series": ["$pageview"], "date_from": "-7d", "date_to": "today"},
    {"kind": "TrendsQuery", "series": [{"event": "$pageview"}], "dateRange": "last 7 days"},
    {"kind": "TrendsQuery", "series": [{"id": "$pageview", "type": "events", "order": 0}]},
    {"kind": "InsightVizNode", "source": {"kind": "HogQLQuery", "query": "select 1"}},
    {"kind": "HogQLQuery", "sql": "select 1"},
    {"query": {"kind": "TrendsQuery", "series": [A]}, "name": "Page views", "saved": True},
    {"insight": "TRENDS", "events": [{"id": "$pageview", "math": "dau"}], "interval": "day", "date_from": "-30d"},
    {"insight": "RETENTION", "target_entity": {"id": "a", "type": "events"}, "period": "Week", "total_intervals": 8},
    {"insight": "PATHS", "include_event_types": ["$pageview"], "step_limit": 4, "start_point": "/"},
    {"kind": "RetentionQuery", "targetEntity": {"id": "a", "type": "events"}, "returningEntity": {"id": "b"}},
    {"kind": "TrendsQuery", "series": [A], "samplingFactor": "0.1", "filterTestAccounts": "true"},
    {"kind": "TrendsQuery", "series": [A | {"math": "unique_users"}], "interval": "daily"},
    {"kind": "TrendsQuery", "series": [A], "properties": {"plan": "paid"}},
    {"kind": "TrendsQuery", "series": [A], "compare": True},
    {"kind": "Nope"},
    {"kind": "TrendsQuery"},
    {"kind": "TrendsQuery", "series": [A | {"math": "sum"}]},
    {"kind": "TrendsQuery", "series": [A], "interval": "fortnight"},
]
EASY: dict[str, Any] = {"kind": "trends", "events": ["$pageview"]}
# As models write them when nobody shows them how.
WRITTEN: list[Any] = [
    "```sql\nSELECT count() FROM events\n```",
    '```json\n{"kind": "trends", "events": ["$pageview"]}\n```',
    "{'kind': 'trends', 'events': ['$pageview'], 'filterTestAccounts': True, 'to': None}",
    '{kind: "trends", events: ["$pageview"], /* all */ from: "-7d",}',
    [EASY],
    {"queries": [EASY]},
    {"trends": {"events": ["$pageview"]}},
    {"kind": "trends", "params": {"events": ["$pageview"], "from": "-7d"}},
    {"hogql": "select 1"},
    {"kind": "HogQLQuery", "query": {"sql": "select 1"}},
    {"kind": "DataVisualizationNode", "query": "select 1"},
    {"kind": "InsightVizNode", "source": {"kind": "InsightVizNode", "source": TREND}},
    {"insight": "TRENDS", "events": [{"id": "a", "properties": {"amount__gt": 3}}], "properties": {"os__is_set": "x"}},
    {"insight": "PATHS", "path_type": "$pageview", "start_point": "/"},
    {"kind": "paths", "event_types": ["pageview"], "max_edges": 10},
    {"kind": "retention", "events": ["a", "b"], "period": "weekly", "first_time": True},
    {"kind": "RetentionQuery", "series": [{"event": "a"}]},
    {"kind": "funnel", "steps": ["a", {"or": ["b", "c"]}], "exclusions": ["d"], "window": 14, "window_unit": "hours"},
    {"kind": "FunnelsQuery", "series": ["a", "b"], "funnelsFilter": {"windowDays": 14}},
    {"kind": "funnel", "steps": [{"step": 1, "event": "a"}, {"step": 2, "event": "b"}]},
    {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "name": "$pageview", "math": "dau"}]},
    {"kind": "trends", "events": ["a"], "math": "sum of amount"},
    {"kind": "trends", "events": ["a"], "math": "sum", "math_property": "amount"},
    {"kind": "trends", "events": [{"action_id": 4}, "all events"]},
    {"kind": "TrendsQuery", "series": [A | {"order": 0, "type": "events", "uuid": "x"}]},
    {"kind": "TrendsQuery", "series": [A | {"math": "avg", "mathProperty": "properties.amount"}]},
    {"kind": "TrendsQuery", "series": [A], "properties": [{"key": "properties.plan", "value": "x", "type": "event"}]},
    {"kind": "TrendsQuery", "series": [A], "compareFilter": {"compareTo": "previous_period"}},
    {"kind": "TrendsQuery", "series": [A], "trendsFilter": {"aggregationAxisFormat": "percent"}},
    {"kind": "TrendsQuery", "series": [A], "dateRange": {"date_from": "-30", "date_to": "end of last month"}},
    {"kind": "RetentionQuery", "retentionFilter": {"targetEntity": {"type": "events", "name": "a"}}},
    {"kind": "PathsQuery", "pathsFilter": {"includeEventTypes": ["pageview", "customEvent"]}},
    {"kind": "InsightVizNode", "series": [{"event": "$pageview"}]},
    {"kind": "TrendsQuery", "series": [A | {"math": "count_distinct", "math_property": "plan"}]},
    {"kind": "TrendsQuery", "series": [A | {"math": "count(distinct person_id)"}]},
    {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": ["a", "b"]}]},
    {"kind": "TrendsQuery", "series": [A], "breakdownFilter": {"breakdowns": [{"breakdown": "x"}]}},
    {"kind": "TrendsQuery", "series": [A], "filters": {"properties": [FILTER]}},
    {"kind": "LifecycleQuery", "series": [A], "lifecycleFilter": {"toggledLifecycles": ["New", "churned"]}},
    {"kind": "funnel", "steps": "a -> b -> c", "strict": True},
    {"kind": "funnel", "steps": ["a", "b"], "ordered": False},
    {"kind": "hogql", "query": "select 1", "limit": 10},
    EASY | {"by": "$browser, $os", "cumulative": True},
    EASY | {"smoothing": 7, "formula": "A / C"},
    EASY | {"formula": "signed up / $pageview"},
    EASY | {"timezone": "Europe/Berlin"},
    *(EASY | {"where": where} for where in (
        {"email": {"ends_with": "@x.com"}}, {"person": {"plan": "paid"}}, {"plan": "!= paid"}, {"plan": "%aid%"},
        [{"plan": "paid", "operator": "is_not"}], [{"key": "email", "operator": "starts with", "value": "a."}],
        "$browser = 'Chrome' and amount > 3", ["plan", "=", "paid"], [["plan", "is_set"]], {"plan": {"$ne": "paid"}},
        {"plan": {"in": ["paid"]}}, {"plan": {"nearly": "paid"}},
    )),
    *(EASY | {"from": date} for date in (
        "Q3 2026", "November 2026", 1767225600, "1767225600000", "P30D", "now-30d", "start of month", "someday",
    )),
    *(EASY | more for more in (
        {"days": 30}, {"resolution": "weekly"}, {"interval": "7d"}, {"exclude_internal_users": True},
        {"include_test_accounts": True}, {"name": "Page views", "description": "of all"}, {"sparkles": 3},
    )),
]  # fmt: skip

Place = tuple[Any, str]  # the object that holds a field, and its name
Mutation = Callable[[dict[str, Any], random.Random], bool]  # changes it; whether it could


def _places(node: Any, fits: Callable[[str, Any], bool]) -> Iterator[Place]:
    if isinstance(node, dict):
        yield from ((node, key) for key, value in node.items() if fits(key, value))
    inside = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for value in inside:
        yield from _places(value, fits)


def _one(query: dict[str, Any], dice: random.Random, fits: Callable[[str, Any], bool]) -> Place | None:
    places = list(_places(query, fits))
    return dice.choice(places) if places else None


def _renaming(rename: Callable[[str, random.Random], str]) -> Mutation:
    """The name of a field, written in another way."""

    def mutate(query: dict[str, Any], dice: random.Random) -> bool:
        found = _one(query, dice, lambda key, _: len(key) > 5)
        if found is None:
            return False
        holder, key = found
        entries = [(rename(k, dice) if k == key else k, v) for k, v in holder.items()]
        holder.clear()
        holder.update(entries)
        return True

    return mutate


def _changing(fits: Callable[[str, Any], bool], change: Callable[[Any, random.Random], Any]) -> Mutation:
    """The value of a field."""

    def mutate(query: dict[str, Any], dice: random.Random) -> bool:
        found = _one(query, dice, fits)
        if found is None:
            return False
        holder, key = found
        holder[key] = change(holder[key], dice)
        return True

    return mutate


def _lifted(query: dict[str, Any], dice: random.Random) -> bool:
    """A field of a filter, beside the filter."""
    source = query.get("source", query)
    filters = [key for key, value in source.items() if key.endswith(("Filter", "Range")) and isinstance(value, dict)]
    if not filters:
        return False
    inside = source[dice.choice(filters)]
    key: str = dice.choice(list(inside))
    source[key] = inside.pop(key)
    return True


def _dropped(query: dict[str, Any], dice: random.Random) -> bool:
    """What is needed is not there."""
    found = _one(query, dice, lambda key, _: key in ("series", "event", "query", "formula", "property", "key"))
    if found is None:
        return False
    del found[0][found[1]]
    return True


def _slip(key: str, dice: random.Random) -> str:
    place = dice.randrange(1, len(key) - 1)
    return dice.choice([key[:place] + key[place + 1 :], key[:place] + key[place] + key[place:],
                        key[:place] + key[place + 1] + key[place] + key[place + 2 :]])  # fmt: skip


WORDS = ("interval", "math", "display", "operator", "funnelOrderType", "funnelVizType", "funnelWindowIntervalUnit",
         "period", "retentionType", "breakdown_type", "computedAs")  # fmt: skip
OTHER_WORDS = {
    "week": "weekly", "day": "days", "total": "count", "dau": "unique users", "ActionsBar": "bar chart", "exact": "=",
    "ordered": "sequential", "steps": "funnel", "Week": "weeks", "retention_first_time": "first time", "gte": ">=",
    "event": "events", "person": "user", "cumulative": "Cumulative",
}  # fmt: skip
ODD_DATES = ("last 30 days", "30d", "-30 days", "2026/01/05", "this month", "yesterday", "Jan 5, 2026", "a week ago")
MUTATORS: dict[str, Mutation] = {
    "snake case": _renaming(lambda key, _: re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()),
    "camel case": _renaming(lambda key, _: re.sub(r"_(\w)", lambda m: m[1].upper(), key)),
    "another case": _renaming(lambda key, dice: dice.choice([key.upper(), key[:1].upper() + key[1:]])),
    "a slip of the pen": _renaming(_slip),
    "a field nobody knows": _renaming(lambda key, _: f"zz{key[::-1]}"),
    "misplaced": _lifted,
    "missing": _dropped,
    "number as text": _changing(lambda _, v: type(v) is int, lambda v, _: str(v)),
    "switch as text": _changing(lambda _, v: isinstance(v, bool), lambda v, _: str(v).lower()),
    "another word": _changing(lambda k, v: k in WORDS and v in OTHER_WORDS, lambda v, _: OTHER_WORDS[v]),
    "a misspelled word": _changing(lambda k, v: k in WORDS and len(str(v)) > 3, lambda v, dice: _slip(v, dice)),
    "no word at all": _changing(lambda k, _: k in WORDS, lambda _, dice: dice.choice(["blue", 7, None, [], {}])),
    "a date in words": _changing(lambda k, _: k == "date_from", lambda _, dice: dice.choice(ODD_DATES)),
    "no date at all": _changing(lambda k, _: k == "date_from", lambda _, dice: dice.choice(["soon", 7, [], "32.13.2"])),
    "a kind in other words": _changing(lambda k, _: k == "kind", lambda v, dice: dice.choice([v.upper(), v[:-5]])),
    "no kind": _changing(lambda k, _: k == "kind", lambda _, dice: dice.choice(["Nope", 3, None, ["TrendsQuery"]])),
    "a list alone": _changing(lambda _, v: isinstance(v, list) and len(v) == 1, lambda v, _: v[0]),
    "JSON as text": _changing(lambda _, v: isinstance(v, dict | list) and bool(v), lambda v, _: json.dumps(v)),
    "an event's name": _changing(lambda k, _: k == "series", lambda v, _: [each.get("event") for each in v]),
    "filters as an object": _changing(lambda k, _: k == "properties", lambda _, __: {"plan": "paid", "n": {">": 3}}),
    "the wrong type": _changing(lambda k, _: k[-6:] in ("Filter", "eRange"), lambda _, dice: dice.choice([7, [3]])),
}  # fmt: skip


def mutations() -> Iterator[dict[str, Any]]:
    """Valid queries with one mistake each: so many, always the same."""
    made = 0
    for seed in range(10_000):
        dice = random.Random(seed)
        name = list(MUTATORS)[seed % len(MUTATORS)]
        valid = VALID[(seed // len(MUTATORS)) % len(VALID)]
        bad = deepcopy(valid)
        if not MUTATORS[name](bad, dice) or bad == valid:
            continue
        yield bad
        made += 1
        if made == MUTATIONS:
            return


def handled(bad: Any) -> str:
    """How it ended: `repaired`, `told`, or why it was handled wrongly."""
    try:
        read = repaired(bad)
    except BadQuery as error:
        named = [m for m in error.mistakes if m.path and (m.example is not None or m.near)]
        return "told" if named == error.mistakes else f"told badly: {error}"
    if json.dumps(repaired(read.query).query) != json.dumps(read.query):
        return "repaired twice"
    odd = [place for place in _unknown(read.query) if place not in read.unknown]
    return "repaired" if not odd else f"unknown fields left without a word: {odd}"


def _unknown(query: Any) -> list[str]:
    """Fields of a repaired query that its model does not have; raises ValidationError where it does not fit."""
    model = MODELS.get(query["kind"])
    if model is None:
        return []
    inner = query.get("source")
    below = [f"source.{each}" for each in _unknown(inner)] if isinstance(inner, dict) and "kind" in inner else []
    return list(_extra(model.model_validate(query))) + below


def _extra(node: Any, at: str = "") -> Iterator[str]:
    if isinstance(node, BaseModel):
        yield from (f"{at}{name}" for name in node.model_extra or {})
        for name in type(node).model_fields:
            yield from _extra(getattr(node, name), f"{at}{name}.")
    elif isinstance(node, list):
        for place, each in enumerate(node):
            yield from _extra(each, f"{at.removesuffix('.')}[{place}].")


def measure() -> list[Measurement]:
    """How many were handled wrongly; none may be."""
    made = list(mutations())
    ends = [handled(bad) for bad in made]
    refused = [handled(bad) for bad in REFUSED + WRITTEN]
    altered = sum(json.dumps(repaired(query).query) != json.dumps(query) for query in VALID)
    same = sum(end == "repaired" for end in ends)
    return [
        Measurement(
            f"bad queries of users, handled wrongly of {len(refused)}", _wrong(refused), len(refused), 0, "queries"
        ),
        Measurement(f"mutations ({same} repaired), handled wrongly", _wrong(ends), len(ends), 0, "queries"),
        Measurement("valid queries altered", altered, len(VALID), 0, "queries"),
    ]


def _wrong(ends: list[str]) -> int:
    return sum(end not in ("repaired", "told") for end in ends)
