"""What a query really measures, in one or two sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from insights_mcp.answer import provenance
from insights_mcp.answer.numbers import number, percent
from insights_mcp.schema.query import IN_ALL
from insights_mcp.text import clean, counted
from insights_mcp.words.meaning import conditions, meaning
from insights_mcp.words.terms import (
    DISPLAYS,
    RELATIVE,
    SPREAD,
    UNITS,
    breakdown,
    breakdowns,
    counting,
    items,
    letter,
    named,
    part,
    shown,
    what,
    window,
)

LONGEST = 375
MOST = 4
SQL_WORDS = 100
Query = dict[str, Any]
TABLES = re.compile(r"\b(?:from|join)\s+([a-z_][\w.]*)", re.IGNORECASE)
WITH = re.compile(r"\b([a-z_]\w*)\s+as\s*\(\s*select\b", re.IGNORECASE)
LIMIT = re.compile(r"\blimit\s+(\d+)", re.IGNORECASE)
DEFAULT_LIMIT = 100
PACES = {"CalendarHeatmap": "by weekday and hour"}
ORDERS = {"strict": "with nothing in between", "unordered": "in any order"}
STEPS_OF = {"$pageview": "pages", "$screen": "screens", "custom_event": "custom events", "hogql": "a SQL expression"}
COHORTS = {"retention_first_time": "for the first time", "retention_first_ever_occurrence": "for the first time ever"}


def described(query: Any) -> str:
    """What is measured, of whom, when; then how it is shown, where that matters. Any JSON; in a wrapper or without."""
    asked = meaning(query)
    if not asked:
        return "No query."
    told = SENTENCES.get(str(asked.get("kind")), _other)(asked)
    return clean(told[:1].upper() + told[1:], LONGEST)


def _sentences(first: list[str], second: list[str]) -> str:
    """The pieces that say something, in two sentences at most."""
    one, two = (", ".join(filter(None, pieces)) for pieces in (first, second))
    return f"{one}.{f' {two[:1].upper()}{two[1:]}.' if two else ''}"


def _trend(query: Query) -> str:
    drawn = part(query, "trendsFilter")
    display = drawn.get("display")
    pace = "in all" if display in IN_ALL else PACES.get(str(display), f"per {_interval(query)}")
    formulas = _formulas(drawn)
    series = [_spread(entity) if display == "BoxPlot" else entity for entity in items(query.get("series"))]
    told = [_measure(entity, letter(at) if formulas and len(series) > 1 else "") for at, entity in enumerate(series)]
    told = told or ["nothing"]
    smoothing = drawn.get("smoothingIntervals")
    return _sentences(
        [f"{_listed(told, ' and ')} {pace}", *_circumstances(query)],
        [
            f"formula {' and '.join(formulas[:2])}" if formulas else "",
            _compared(query),
            f"averaged over {smoothing} {_interval(query)}s" if smoothing else "",
            f"shown as {DISPLAYS.get(str(display), named(display))}" if display else "",
        ],
    )


def _spread(entity: Any) -> Any:
    """A box shows all values of the property, whatever the math says."""
    return entity | {"math": SPREAD} if isinstance(entity, dict) and entity.get("math_property") else entity


def _measure(entity: Any, called: str = "") -> str:
    told = f"{counting(entity)} of {what(entity)}{_where(entity)}"
    return f"{called}: {told}" if called else told


def _where(entity: Any) -> str:
    """The conditions on one event."""
    found = _conditions(entity.get("properties")) if isinstance(entity, dict) else ""
    return f" ({found})" if found else ""


def _conditions(properties: Any, most: int = 2) -> str:
    return _listed(provenance.conditions(conditions(properties)), ", ", most)


def _formulas(drawn: Query) -> list[str]:
    found = items(drawn.get("formulas"))
    return [clean(node.get("formula") if isinstance(node, dict) else node, 40) for node in found]


def _circumstances(query: Query) -> list[str]:
    """Window, breakdowns, filters, test accounts, sampling: what every kind may have."""
    split = [breakdown(item) for item in breakdowns(query.get("breakdownFilter"))]
    found = _conditions(query.get("properties"), 3)
    sampling = number(query.get("samplingFactor"))
    return [
        window(query.get("dateRange")),
        f"split by {_listed(split, ', ', 3)}" if split else "",
        f"where {found}" if found else "",
        "test accounts out" if query.get("filterTestAccounts") is True else "",
        f"on a sample of {percent(sampling, 1)}" if sampling and 0 < sampling < 1 else "",
    ]


def _compared(query: Query) -> str:
    given = part(query, "compareFilter")
    if not given.get("compare"):
        return ""
    to = given.get("compare_to")
    away = RELATIVE.fullmatch(to) if isinstance(to, str) else None
    if away and away["number"] and not away["edge"]:
        return f"compared with {counted(int(away['number']), UNITS[away['unit']])} before"
    return f"compared with {named(to)}" if to else "compared with the period before"


def _listed(names: list[str], joined: str, most: int = MOST) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return joined.join(names[:most]) + rest


def _interval(query: Query) -> str:
    return clean(query.get("interval") or "day", 20)


def _who(query: Query) -> str:
    group = query.get("aggregation_group_type_index")
    return "people" if group is None else f"groups of type {clean(group, 10)}"


def _funnel(query: Query) -> str:
    given = part(query, "funnelsFilter")
    steps = [_step(step) for step in items(query.get("series"))]
    order = ORDERS.get(str(given.get("funnelOrderType")), "in this order")
    wide, unit = given.get("funnelWindowInterval", 14), clean(given.get("funnelWindowIntervalUnit", "day"), 20)
    within = f"within {counted(wide, unit) if type(wide) is int else shown(wide)}"
    by_sql = given.get("funnelAggregateByHogQL")
    who = f"values of {named(by_sql)}" if by_sql and by_sql != "person_id" else _who(query)
    asked = VIEWS.get(str(given.get("funnelVizType")), "how many {who} go").format(
        who="WHO", interval=_interval(query)
    ).replace("WHO", who)  # fmt: skip
    exclusions = list(dict.fromkeys(_exclusion(item) for item in items(given.get("exclusions"))))
    return _sentences(
        [f"{asked} {_listed(steps, ' → ', 6)} {order} {within}", *_circumstances(query)],
        [f"without those who did {_listed(exclusions, ', ', 2)}" if exclusions else ""],
    )


VIEWS = {
    "time_to_convert": "how long {who} take to go",
    "trends": "what share of {who} go, per {interval},",
    "flow": "how {who} flow",
}


def _step(entity: Any) -> str:
    optional = " (optional)" if isinstance(entity, dict) and entity.get("optionalInFunnel") is True else ""
    math = "" if counting(entity) == "count" else f" ({counting(entity)})"
    return what(entity) + math + _where(entity) + optional


def _exclusion(item: Any) -> str:
    if not isinstance(item, dict):
        return shown(item)
    ends = [end + 1 if type(end) is int else "?" for end in (item.get("funnelFromStep"), item.get("funnelToStep"))]
    return f"{what(item)} between steps {ends[0]} and {ends[1]}"


def _retention(query: Query) -> str:
    given = part(query, "retentionFilter")
    period = clean(given.get("period") or "Day", 20).lower()
    start, back = (part(given, name) or {"event": "$pageview"} for name in ("targetEntity", "returningEntity"))
    first = COHORTS.get(str(given.get("retentionType")), "")
    total = given.get("totalIntervals")
    over = f"the next {counted(total - 1, period)}" if type(total) is int and total > 1 else f"the {period}s after"
    again = f"{what(back)}{_where(back)}"
    began = f"{what(start)}{_where(start)}{f' {first}' if first else ''}"
    least = given.get("minimumOccurrences")
    return _sentences(
        [f"of the {_who(query)} who did {began}, how many did {again} in {over}", *_circumstances(query)],
        [
            "cumulative: that period or later" if given.get("cumulative") else "",
            f"at least {clean(least, 10)} times" if least else "",
        ],
    )


def _stickiness(query: Query) -> str:
    given = part(query, "stickinessFilter")
    told = [_doing(entity) for entity in items(query.get("series"))]
    often = "on that many or more" if given.get("computedAs") == "cumulative" else "on exactly that many"
    needed = part(given, "stickinessCriteria")
    least = {"gte": "at least", "lte": "at most"}.get(str(needed.get("operator")), "exactly")
    return _sentences(
        [f"on how many {_interval(query)}s {_who(query)} did {_listed(told, ' or ')}", *_circumstances(query)],
        [
            f"counted {often}" if given.get("computedAs") else "",
            f"a {_interval(query)} counts with {least} {clean(needed.get('value'), 20)}" if needed else "",
            _compared(query),
        ],
    )


def _doing(entity: Any) -> str:
    math = "" if counting(entity) == "count" else f" ({counting(entity)})"
    return what(entity) + math + _where(entity)


def _lifecycle(query: Query) -> str:
    told = [_doing(entity) for entity in items(query.get("series"))]
    who = f"{_who(query)} doing {_listed(told, ' or ')}"
    return _sentences(
        [f"{who} per {_interval(query)}: new, returning, resurrecting, dormant", *_circumstances(query)], []
    )


def _paths(query: Query) -> str:
    given, funnel = part(query, "pathsFilter"), part(query, "funnelPathsFilter")
    kinds = [STEPS_OF.get(str(kind), named(kind)) for kind in items(given.get("includeEventTypes"))]
    ends = [
        f"{word} {named(given[key])}" for key, word in (("startPoint", "from"), ("endPoint", "to")) if given.get(key)
    ]
    excluded = [named(name) for name in items(given.get("excludeEvents"))]
    steps = given.get("stepLimit", 5)
    return _sentences(
        [
            f"which way {_who(query)} go through {_listed(kinds, ', ') if kinds else 'all events'}",
            " ".join(ends),
            f"{clean(steps, 10)} steps at most",
            *_circumstances(query),
        ],
        [
            f"without {_listed(excluded, ', ', 3)}" if excluded else "",
            "only of those in a funnel" if funnel else "",
        ],
    )


def _sql(query: Query) -> str:
    text = str(query.get("query") or "")
    made_here = {name.lower() for name in WITH.findall(text)}
    tables = [name for name in dict.fromkeys(TABLES.findall(text)) if name.lower() not in made_here]
    limits = LIMIT.findall(text)
    rows = f"at most {int(limits[-1][:9]):,} rows" if limits else f"{DEFAULT_LIMIT} rows, as it has no LIMIT"
    around = _circumstances(part(query, "filters")) if "{filters}" in text else []
    over = f"over {_listed([named(name) for name in tables], ', ')}" if tables else "without a table"
    return _sentences([f"SQL {over}", rows, *around], [f"it begins {_begin(text)}"] if text else [])


def _begin(text: str) -> str:
    return '"' + clean(text.strip()[:SQL_WORDS], SQL_WORDS).replace('"', "'") + ('…"' if len(text) > SQL_WORDS else '"')


def _events(query: Query) -> str:
    columns = [named(column) for column in items(query.get("select"))]
    event = query.get("event")
    since = " since ".join(filter(None, ("events", named(query["after"]) if query.get("after") else "")))
    return _sentences(
        [
            f"a list of {since}{f' named {named(event)}' if event else ''}",
            f"with {_listed(columns, ', ')}" if columns else "",
            f"at most {clean(query.get('limit') or DEFAULT_LIMIT, 10)} rows",
            *_circumstances(query),
        ],
        [],
    )


def _persons(query: Query) -> str:
    source = part(query, "source")
    point = [f"{key} {shown(source[key])}" for key in POINT if source.get(key) not in (None, "")]
    behind = f" ({', '.join(point)})" if point else ""
    inner = part(source, "source") or (source if source.get("kind") == "HogQLQuery" else {})
    inner = part(inner, "source") or inner if inner.get("kind") in ACTORS else inner
    return f"The people behind a point of an insight{behind}: {described(inner)}" if inner else "A list of people."


POINT = ("day", "interval", "series", "breakdown", "status", "funnelStep", "funnelStepBreakdown", "compare")
ACTORS = ("FunnelsActorsQuery", "FunnelCorrelationQuery", "InsightActorsQuery", "StickinessActorsQuery")


def _correlation(query: Query) -> str:
    found = CORRELATED.get(str(query.get("funnelCorrelationType")), "events")
    return f"which {found} go along with converting: {described(part(part(query, 'source'), 'source'))}"


CORRELATED = {"event_with_properties": "events with which properties", "properties": "properties of people"}


def _other(query: Query) -> str:
    parts = [named(key) for key in query if key != "kind"]
    return f"a query of kind {named(query.get('kind'))} with {_listed(parts, ', ', 6)}."


SENTENCES: dict[str, Callable[[Query], str]] = {
    "TrendsQuery": _trend,
    "FunnelsQuery": _funnel,
    "RetentionQuery": _retention,
    "StickinessQuery": _stickiness,
    "LifecycleQuery": _lifecycle,
    "PathsQuery": _paths,
    "HogQLQuery": _sql,
    "EventsQuery": _events,
    "ActorsQuery": _persons,
    "FunnelCorrelationQuery": _correlation,
}
