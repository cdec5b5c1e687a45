"""Which insights a list shows and in what order: every filter of the list, as SQL with bound values."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from insights_mcp.local.account import project_row
from insights_mcp.local.calls import TRUE, Call
from insights_mcp.local.errors import invalid
from insights_mcp.local.store import stamp

Condition = tuple[str, list[Any]]
Filter = Callable[[Call, str], Condition]

LONGEST_SEARCH = 200
RELATIVE = re.compile(r"-(\d{1,4})([hdwmy])(Start|End)?")
DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0}
SOURCE_KIND = "json_extract(i.query, '$.kind') = 'InsightVizNode' and json_extract(i.query, '$.source.kind')"
KINDS = {
    kind.upper(): f"{kind.capitalize()}Query" for kind in ("trends", "funnels", "retention", "paths", "stickiness")
}
KINDS["LIFECYCLE"] = "LifecycleQuery"
SQL = "json_extract(i.query, '$.source.kind') = 'HogQLQuery'"
SEARCHED = "folded(i.name) || char(10) || folded(i.derived_name) || char(10) || folded(i.description)"
VIEWED_AT = "(select max(last_viewed_at) from views where insight_id = i.id)"
ORDERS = {name: f'i."{name}"' for name in (
    "id", "short_id", "name", "derived_name", "description", "created_at", "created_by", "updated_at",
    "last_modified_at", "last_modified_by", "favorited", "saved", "order", "deleted", "is_sample",
)} | {"last_viewed_at": VIEWED_AT}  # fmt: skip


def selection(call: Call) -> tuple[str, list[Any], str]:
    """The WHERE condition, its values and the ORDER BY of a list call. Problem 400 for a bad value."""
    conditions, values = ["not i.deleted"], []
    for name, build in FILTERS.items():
        if name in call.query:
            sql, bound = build(call, name)
            conditions.append(f"({sql})")
            values += bound
    return " and ".join(conditions), values, _order(call.query.get("order"))


def moment(text: str, timezone: ZoneInfo, now: datetime) -> datetime | None:
    """The moment a date filter means (a date, a time, or -7d) in the project's time zone; None when it means none."""
    try:
        if match := RELATIVE.fullmatch(text):
            return _ago(int(match[1]), match[2], now.astimezone(timezone)).astimezone(UTC)
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _ago(count: int, unit: str, now: datetime) -> datetime:
    if unit == "h":
        return now - timedelta(hours=count)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit in DAYS:
        return day - timedelta(days=count * DAYS[unit])
    months = day.year * 12 + day.month - 1 - count * (12 if unit == "y" else 1)
    # The last days of a month may have no counterpart; the 28th always has.
    return day.replace(year=max(1, months // 12), month=months % 12 + 1, day=min(day.day, 28))


def _order(asked: str | None) -> str:
    descending = (asked or "").startswith("-")
    name = (asked or "order").removeprefix("-")
    if name not in ORDERS:
        raise invalid(f"Insights cannot be ordered by '{name}'.", "order")
    return f"{ORDERS[name]} {'desc nulls last' if descending else 'asc nulls last'}, i.id desc"


def _search(call: Call, name: str) -> Condition:
    text = call.query[name].strip().casefold()
    if len(text) > LONGEST_SEARCH:
        raise invalid(f"Search query must be {LONGEST_SEARCH} characters or fewer.", name)
    tagged = "exists (select 1 from insight_tags where insight_id = i.id and instr(tag, ?))"
    return f"instr({SEARCHED}, ?) or {tagged}", [text, text]


def _kind(call: Call, name: str) -> Condition:
    asked = call.query[name].upper()
    product = f"{SOURCE_KIND} in ({', '.join('?' * len(KINDS))})"
    if asked in KINDS:
        return f"{SOURCE_KIND} = ?", [KINDS[asked]]
    if asked == "SQL":
        return SQL, []
    if asked == "JSON":
        return f"i.query is not null and not ({product}) and not ({SQL})", list(KINDS.values())
    return "1", []


def _saved(call: Call, name: str) -> Condition:
    placed = "i.saved or exists (select 1 from tiles where insight_id = i.id and not deleted)"
    return (placed, []) if call.query[name].lower() in TRUE else ("not i.saved", [])


def _any_tag(call: Call, name: str) -> Condition:
    tags = [str(tag).strip().lower() for tag in call.listed(name) or []]
    marks = ", ".join("?" * len(tags))
    return f"exists (select 1 from insight_tags where insight_id = i.id and tag in ({marks}))", list(tags)


def _all_dashboards(call: Call, name: str) -> Condition:
    numbers = _numbers(call, name)
    on = "exists (select 1 from tiles where insight_id = i.id and dashboard_id = ? and not deleted)"
    return " and ".join([on] * len(numbers)) or "1", numbers


def _all_events(call: Call, name: str) -> Condition:
    names = [str(event) for event in call.listed(name) or []]
    used = """exists (select 1 from json_tree(i.query) where (key = 'event' and atom = ?)
        or (key = 'query' and type = 'text' and instr(atom, ?)))"""
    return " and ".join([used] * len(names)) or "1", [value for name in names for value in (name, f"'{name}'")]


def _creators(call: Call, name: str) -> Condition:
    numbers = _numbers(call, name)
    return f"i.created_by in ({', '.join('?' * len(numbers))})", numbers


def _numbers(call: Call, name: str) -> list[Any]:
    values = call.listed(name) or []
    if not all(isinstance(value, int) and abs(value) < 2**63 for value in values):
        raise invalid("A valid integer is required.", name)
    return values


def _flag_used(call: Call, name: str) -> Condition:
    used = "exists (select 1 from json_tree(i.query) where atom in (?, ?))"
    return used, [f"$feature/{call.query[name]}", call.query[name]]


def _no_flag_insights(call: Call, name: str) -> Condition:
    automatic = "i.name in ('Feature Flag Called Total Volume', 'Feature Flag calls made by unique users per variant')"
    return (f"not ({automatic}) or i.name is null", []) if call.flag(name) else ("1", [])


def _compared(column: str, sign: str) -> Filter:
    def build(call: Call, name: str) -> Condition:
        timezone = ZoneInfo(project_row(call.store)["timezone"])
        found = moment(call.query[name], timezone, call.now)
        if found is None:
            raise invalid(f"'{call.query[name]}' is no date: use 2025-04-23 or -7d.", name)
        return f"{column} {sign} ?", [stamp(found)]

    return build


FILTERS: dict[str, Filter] = {
    "short_id": lambda call, name: ("i.short_id = ?", [call.query[name]]) if call.query[name] else ("1", []),
    "search": _search,
    "created_by": _creators,
    # Of these two only the presence counts: `favorited=false` filters too.
    "user": lambda call, _: ("i.created_by = ?", [call.user_id]),
    "favorited": lambda *_: ("i.favorited", []),
    "saved": _saved,
    "insight": _kind,
    "date_from": _compared("i.last_modified_at", ">"),
    "date_to": _compared("i.last_modified_at", "<"),
    "created_date_from": _compared("i.created_at", ">"),
    "created_date_to": _compared("i.created_at", "<"),
    "last_viewed_date_from": _compared(VIEWED_AT, ">"),
    "last_viewed_date_to": _compared(VIEWED_AT, "<"),
    "dashboards": _all_dashboards,
    "tags": _any_tag,
    "events": _all_events,
    "feature_flag": _flag_used,
    "hide_feature_flag_insights": _no_flag_insights,
}
