"""What the parts of a query are called: events, ways to count, windows, breakdowns, displays."""

from __future__ import annotations

import re
from typing import Any

from insights_mcp.answer.pieces import dumps
from insights_mcp.text import clean, counted, shortened

PLAIN = re.compile(r"[\w$/][\w$./:@+-]*")
RELATIVE = re.compile(r"-?(?P<number>[0-9]{1,6})?(?P<unit>[sMhdwmqy])(?P<edge>Start|End)?")
DAY_START = re.compile(r"[T ]00:00:00(\.0+)?Z?$")
DAY_END = re.compile(r"[T ]23:59:59(\.9+)?Z?$")
UNITS = {"s": "second", "M": "minute", "h": "hour", "d": "day", "w": "week", "m": "month", "q": "quarter", "y": "year"}
SHORT = {"s": "s", "M": "min", "h": "h", "d": "d", "w": "w", "m": "mo", "q": "q", "y": "y"}
NAME = 40

KINDS = {
    "TrendsQuery": "trend", "FunnelsQuery": "funnel", "RetentionQuery": "retention", "PathsQuery": "paths",
    "StickinessQuery": "stickiness", "LifecycleQuery": "lifecycle", "HogQLQuery": "SQL", "EventsQuery": "events",
    "ActorsQuery": "persons",
}  # fmt: skip
MATHS = {
    "total": "count", "dau": "unique users", "weekly_active": "weekly active users",
    "monthly_active": "monthly active users", "unique_session": "unique sessions", "unique_group": "unique groups",
    "first_time_for_user": "first-time users", "hogql": "SQL",
    "first_matching_event_for_user": "users by their first match",
}  # fmt: skip
# no math of PostHog's: what a box plot shows
SPREAD = "spread"
AMOUNTS = {
    SPREAD: "spread",
    "sum": "sum", "avg": "average", "min": "least", "max": "greatest", "median": "median", "p75": "75th percentile",
    "p90": "90th percentile", "p95": "95th percentile", "p99": "99th percentile",
}  # fmt: skip
PER_ACTOR = "_count_per_actor"
DISPLAYS = {
    "Auto": "automatic", "ActionsLineGraph": "line chart", "ActionsBar": "bar chart",
    "ActionsUnstackedBar": "unstacked bars", "ActionsStackedBar": "stacked bars", "ActionsAreaGraph": "area chart",
    "ActionsLineGraphCumulative": "cumulative line", "BoldNumber": "one number", "ActionsPie": "pie",
    "ActionsBarValue": "bars of totals", "ActionsTable": "table", "WorldMap": "world map",
    "CalendarHeatmap": "calendar heatmap", "TwoDimensionalHeatmap": "heatmap", "BoxPlot": "box plot",
    "SlopeGraph": "slope chart",
}  # fmt: skip


def named(value: Any) -> str:
    """A foreign name inside a line of ours: as it is if it is a word, else in quotes it cannot leave."""
    text = shortened(clean(value, 2 * NAME), NAME)
    return text if PLAIN.fullmatch(text) else '"' + text.replace('"', "'") + '"'


def shown(value: Any, limit: int = 60) -> str:
    """Any value in a line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return named(value) if isinstance(value, str) else shortened(dumps(value), limit)


def part(query: Any, name: str) -> dict[str, Any]:
    """A part of a query that is an object."""
    found = query.get(name) if isinstance(query, dict) else None
    return found if isinstance(found, dict) else {}


def items(value: Any) -> list[Any]:
    """A list, whatever is there."""
    return value if isinstance(value, list) else []


def what(entity: Any) -> str:
    """What is counted: an event, an action, a table, or several of these together."""
    if not isinstance(entity, dict):
        return shown(entity)
    if nodes := items(entity.get("nodes")):
        return " or ".join(what(node) for node in nodes[:3]) + (f" or {len(nodes) - 3} more" if len(nodes) > 3 else "")
    if entity.get("kind") == "ActionsNode" or entity.get("type") == "actions":
        return f"action {named(entity.get('custom_name') or entity.get('name') or entity.get('id'))}"
    if entity.get("kind") == "DataWarehouseNode":
        return f"table {named(entity.get('table_name') or entity.get('name') or entity.get('id'))}"
    event = entity.get("event", entity.get("id"))
    return named(event) if event not in (None, "") else "any event"


def counting(entity: Any) -> str:
    """How it is counted, such as `unique users` or `sum of price`."""
    math = entity.get("math") if isinstance(entity, dict) else None
    if math in (None, "total"):
        return "count"
    name, of = clean(math, NAME), entity.get("math_property")
    if name in AMOUNTS and of is not None:
        return f"{AMOUNTS[name]} of {named(of)}"
    if name.endswith(PER_ACTOR) and name.removesuffix(PER_ACTOR) in AMOUNTS:
        return f"{AMOUNTS[name.removesuffix(PER_ACTOR)]} per user"
    if name == "hogql":
        return f"SQL {named(entity.get('math_hogql'))}"
    group = entity.get("math_group_type_index")
    of_type = f" (type {clean(group, 10)})" if name == "unique_group" and group is not None else ""
    return MATHS.get(name, named(name)) + of_type


def window(given: Any) -> str:
    """A date range in words: `last 7 days`, `this month`, `2026-01-01 to 2026-02-01`; '' if there is none."""
    given = given if isinstance(given, dict) else {}
    exactly = ", to the second" if given.get("explicitDate") is True else ""
    found = _window(str(given.get("date_from") or ""), str(given.get("date_to") or ""))
    return found and found + exactly


def _window(start: str, end: str) -> str:
    if not start:
        return f"up to {_edge(end, DAY_END)}" if end else ""
    if start == "all":
        return f"all time to {_edge(end, DAY_END)}" if end else "all time"
    if (start, end) in CALENDAR:
        return CALENDAR[start, end]
    if end:
        return f"{_edge(start, DAY_START)} to {_edge(end, DAY_END)}"
    parsed = RELATIVE.fullmatch(start)
    if parsed and not parsed["edge"]:
        number = int(parsed["number"] or 1)
        return f"last {counted(number, UNITS[parsed['unit']])}" if number > 1 else f"last {UNITS[parsed['unit']]}"
    return f"since {_edge(start, DAY_START)}"


CALENDAR = {
    ("dStart", ""): "today", ("wStart", ""): "this week", ("mStart", ""): "this month", ("yStart", ""): "this year",
    ("qStart", ""): "this quarter", ("-1dStart", "-1dEnd"): "yesterday", ("-1wStart", "-1wEnd"): "the week before this",
    ("-1mStart", "-1mEnd"): "the month before this", ("-1yStart", "-1yEnd"): "the year before this",
}  # fmt: skip


def _edge(text: str, clock: re.Pattern[str]) -> str:
    """A moment in words, without the clock where that is its day's begin or end."""
    parsed = RELATIVE.fullmatch(text)
    if not parsed:
        return clean(clock.sub("", text), 30)
    number, unit = int(parsed["number"] or 0), UNITS[parsed["unit"]]
    ago = f"{counted(number, unit)} ago"
    if not parsed["edge"]:
        return ago if number else "now"
    side = "start" if parsed["edge"] == "Start" else "end"
    return f"the {side} of {f'the {unit} {ago}' if number else f'this {unit}'}"


def span(given: Any) -> str:
    """A window that is so much back from now, shortly: `7 d`; '' for any other."""
    given = given if isinstance(given, dict) else {}
    parsed = RELATIVE.fullmatch(str(given.get("date_from") or ""))
    plain = parsed and parsed["number"] and not parsed["edge"] and not (set(given) - {"date_from"})
    return f"{int(parsed['number'])} {SHORT[parsed['unit']]}" if parsed and plain else ""


def breakdowns(given: Any) -> list[dict[str, Any]]:
    """What is split by, in the newer list form, whichever form it has."""
    given = given if isinstance(given, dict) else {}
    listed = [item for item in items(given.get("breakdowns")) if isinstance(item, dict)]
    one = given.get("breakdown")
    older = one if isinstance(one, list) else [] if one is None else [one]
    kind = given.get("breakdown_type")
    return listed or [{"property": name} | ({"type": kind} if kind else {}) for name in older]


def breakdown(item: dict[str, Any]) -> str:
    """One breakdown, with whose property it is if it is not the event's."""
    kind = item.get("type")
    if kind == "cohort":
        return f"cohort {named(item.get('property'))}"
    owner = f" ({clean(kind, 20)})" if kind not in (None, "event") else ""
    return named(item.get("property")) + owner


def letter(at: int) -> str:
    """What a series is called in formulas."""
    return chr(ord("A") + at) if at < 26 else str(at + 1)
