"""Functions of time. Times are the project's wall clock; what needs an instant goes through the zone."""

from __future__ import annotations

import re
from dataclasses import replace
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import moment_formats
from insights_mcp.local.queries.hogql.compiling import Compiler
from insights_mcp.local.queries.hogql.exact import nullable
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import SECONDS, Typed
from insights_mcp.local.queries.hogql.terms import UNITS
from insights_mcp.local.queries.hogql.tree import Call, Field, Interval, Literal, Node

DAY = re.compile(r"^(\d{4}[-/]\d{1,2}[-/]\d{1,2}|\d{8})( \d{2}:\d{2}:\d{2}(\.\d+)?)?$")
# Of which days a week's number is made, by MySQL's modes.
WEEKS = {
    0: "strftime({t}, '%U')::bigint",
    1: "((dayofyear({t}) + isodow(date_trunc('year', {t})) - 2) // 7"
    " + case when isodow(date_trunc('year', {t})) <= 4 then 1 else 0 end)",
    2: "case when strftime({t}, '%U') = '00' then strftime(date_trunc('year', {t}) - interval 1 day, '%U')::bigint"
    " else strftime({t}, '%U')::bigint end",
    3: "weekofyear({t})",
    5: "strftime({t}, '%W')::bigint",
}
# How days of the week are counted, by mode.
WEEKDAYS = {0: "isodow({t})", 1: "(isodow({t}) - 1)", 2: "(isodow({t}) % 7)", 3: "(isodow({t}) % 7 + 1)"}
NAMES = {
    "year": "%Y", "month": "%B", "day": "%-d", "weekday": "%A", "hour": "%-H", "minute": "%-M", "second": "%-S",
    "dayofyear": "%-j",
}  # fmt: skip
NUMBERED = {"week": "weekofyear", "quarter": "quarter"}
PARTS = {
    "dow": "isodow({t})", "doy": "dayofyear({t})",
    **{unit: f"{unit}({{t}})" for unit in ("year", "quarter", "month", "day", "hour", "minute", "second")},
}  # fmt: skip
# The first Monday, from which intervals of weeks are counted.
MONDAY = "timestamp '1970-01-05'"
LONG = ("month", "quarter", "year")


def to_time(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """A time; what is read from text may be none, though a constant is seen to be one."""
    found = compiler.as_time(node.args[0], scope)
    constant = isinstance(node.args[0], Literal) and isinstance(node.args[0].value, str)
    return replace(found, exact="Nullable(DateTime)") if constant else found


def to_date(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """The day of a time. PostHog reads no text but a day, perhaps with a time of day after a space."""
    what = node.args[0]
    found = compiler.as_time(what, scope)
    if isinstance(what, Literal) and isinstance(what.value, str):
        known = replace(found, exact="Date" if node.name == "_toDate" else "Nullable(Date)")
        return _day(known, bool(DAY.match(what.value)) or node.name == "_toDate")
    text = compiler.expression(what, scope)
    if text.type != "String" or node.name == "_toDate":
        return _day(replace(found, exact=None))
    pattern = compiler.scan.bind(DAY.pattern)
    return Typed(f"case when regexp_matches({text.sql}, {pattern}) then {found.sql}::date end", "Date", True)


def _day(found: Typed, readable: bool = True) -> Typed:
    sql = f"{found.sql}::date" if readable else "null::date"
    return Typed(sql, "Date", found.nullable or not readable, exact=found.exact)


def now(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    now = compiler.context.local_now.replace(tzinfo=None)
    days = {"today": 0, "yesterday": 1}.get(node.name)
    if days is None:
        return Typed(f"{compiler.scan.bind(now)}::timestamp", "DateTime", False)
    return Typed(f"({compiler.scan.bind(now)}::timestamp::date - {days})", "Date", False)


def _unit(node: Node) -> str:
    name = node.chain[0] if isinstance(node, Field) else (node.value if isinstance(node, Literal) else "")
    value = str(name).lower().removesuffix("s")
    if value not in (*UNITS, "millisecond", "microsecond"):
        raise QueryError(f"A unit of time is one of {', '.join(UNITS)}, in quotes.", attr="query")
    return value


def date_diff(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    unit = _unit(node.args[0])
    start, end = (compiler.as_time(arg, scope) for arg in node.args[1:3])
    nullable = start.nullable or end.nullable
    if node.name == "age":
        return Typed(f"date_sub('{unit}', {start.sql}, {end.sql})", "Int64", nullable)
    if unit == "week":  # borders are Mondays
        first, last = (f"date_trunc('week', {each.sql})::date" for each in (start, end))
        return Typed(f"(({last} - {first}) // 7)", "Int64", nullable)
    return Typed(f"date_diff('{unit}', {start.sql}, {end.sql})", "Int64", nullable)


def _mode(node: Call, known: dict[int, str]) -> str:
    given = node.args[1] if len(node.args) > 1 else Literal(0)
    if not isinstance(given, Literal) or given.value not in known:
        raise QueryError(f"{node.name} takes a mode of {', '.join(map(str, known))}.", attr="query")
    return known[int(given.value)]


def week_number(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """toDayOfWeek, toWeek, toYearWeek, with MySQL's modes."""
    time = compiler.as_time(node.args[0], scope)
    if node.name == "toYearWeek":
        mode = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], Literal) else 0
        iso = mode in (1, 3)
        week = WEEKS[3 if iso else 2].format(t=time.sql)
        year = "isoyear({t})" if iso else "year({t}) - case when strftime({t}, '%U') = '00' then 1 else 0 end"
        return Typed(f"(({year.format(t=time.sql)}) * 100 + {week})", "Int64", time.nullable)
    known = WEEKDAYS if node.name == "toDayOfWeek" else WEEKS
    return Typed(_mode(node, known).format(t=time.sql), "Int64", time.nullable)


def named(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """dateName('weekday', time)."""
    name, time = _text(node.args[0]).lower(), compiler.as_time(node.args[1], scope)
    if name in NUMBERED:
        return Typed(f"{NUMBERED[name]}({time.sql})::varchar", "String", time.nullable)
    if name not in NAMES:
        raise QueryError(f"dateName takes one of {', '.join((*NAMES, *NUMBERED))}.", attr="query")
    return Typed(f"strftime({time.sql}, '{NAMES[name]}')", "String", time.nullable)


def _text(node: Node) -> str:
    return str(node.value) if isinstance(node, Literal) else ""


def part(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """date_part('year', time), as PostgreSQL has it; NULL for a part that is not known."""
    time = compiler.as_time(node.args[1], scope)
    template = PARTS.get(_text(node.args[0]))
    return Typed(f"{template.format(t=time.sql)}::bigint" if template else "null", "Int64", True)


def made(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """make_timestamp(year, month, day, hour, minute, second)."""
    numbers = [f"{arg.sql}::bigint" for arg in compiler.args(node, scope)[:5]]
    second = compiler.expression(node.args[5], scope).sql
    return Typed(f"try(make_timestamp({', '.join(numbers)}, {second}::double))", "DateTime", True)


def bin_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """date_bin(interval, time, origin)."""
    time, origin = (compiler.as_time(arg, scope) for arg in node.args[1:3])
    unit, count = _step(node.args[0])
    return Typed(f"time_bucket(interval {count} {unit}, {time.sql}, {origin.sql})", "DateTime", time.nullable)


def parsed(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """parseDateTime(text, format), with MySQL's codes; NULL where it does not fit."""
    form = moment_formats.readable(_text(node.args[1]))
    if form is None:
        raise QueryError("parseDateTime takes a constant format of MySQL's codes, such as '%Y-%m-%d'.", attr="query")
    text = compiler.expression(node.args[0], scope)
    return Typed(f"try_strptime({text.sql}, {compiler.scan.bind(form)})", "DateTime", True)


def of_uuid(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """When a UUID of version 7 was made."""
    uuid = compiler.expression(node.args[0], scope)
    digits = f"substr(replace({uuid.sql}::varchar, '-', ''), 1, 12)"
    return Typed(compiler.clock(f"epoch_ms(try_cast('0x' || {digits} as bigint))"), "DateTime", True)


def windowed(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """tumble(time, size), hop(time, step, size): the window that a time falls in, its start or its end."""
    start = start_of_interval(compiler, Call("toStartOfInterval", node.args[:2]), scope, truth)
    step = compiler.expression(node.args[1], scope).sql
    end = f"({start.sql} + {step})"
    if node.name.startswith("hop"):
        if len(node.args) != 3:
            raise QueryError(f"{node.name} takes a time, a step and a size.", attr="query")
        begin = f"({end} - {compiler.expression(node.args[2], scope).sql})"
    else:
        begin = start.sql
    if node.name.endswith(("Start", "End")):
        return Typed(begin if node.name.endswith("Start") else end, "DateTime", start.nullable)
    return Typed(f"row({begin}, {end})", "Tuple(DateTime, DateTime)", False)


def zone_fact(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """timeZoneOf: the project's zone; timeZoneOffset: how many seconds it is before UTC at a time."""
    zone = compiler.scan.bind(compiler.context.project.timezone)
    if node.name == "timeZoneOf":
        return Typed(f"{zone}::varchar", "String", False)
    time = compiler.as_time(node.args[0], scope)
    utc = f"timezone('UTC', timezone({zone}, {time.sql}))"
    return Typed(f"date_diff('second', {utc}, {time.sql})", "Int64", time.nullable)


def date_trunc(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    unit = _unit(node.args[0])
    time = compiler.as_time(node.args[1], scope)
    kind = "Date" if unit in ("week", "month", "quarter", "year") else "DateTime"
    cast = "date" if kind == "Date" else "timestamp"
    return Typed(f"date_trunc('{unit}', {time.sql})::{cast}", kind, time.nullable)


def date_part(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time = compiler.as_time(node.args[1], scope)
    return Typed(f"date_part('{_unit(node.args[0])}', {time.sql})::bigint", "Int64", time.nullable)


def date_add(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """dateAdd(time, interval) or dateAdd(unit, count, time); a date stays one where the unit is of days."""
    name = "plus" if node.name.lower().endswith("add") else "minus"
    if len(node.args) == 2:
        step = node.args[1]
        time = node.args[0]
    else:
        step, time = Call(f"toInterval{_unit(node.args[0]).capitalize()}", (node.args[1],)), node.args[2]
    moved = Call("toDateTime", (time,)) if isinstance(time, Literal) and isinstance(time.value, str) else time
    return compiler.expression(Call(name, (moved, step)), scope)


def week(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Without a mode, weeks begin as the project's do."""
    time = compiler.as_time(node.args[0], scope)
    mode = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], Literal) else None
    start = int(mode) % 2 if isinstance(mode, int) else compiler.context.project.week_start_day
    last = " + 6" if node.name == "toLastDayOfWeek" else ""
    return Typed(f"({dates.truncated(time.sql, 'week', start)}::date{last})", "Date", time.nullable)


def start_of_interval(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """toStartOfInterval(time, interval), counted from a third argument that is a time."""
    if len(node.args) == 3 and not (
        isinstance(node.args[2], Literal) and moment_formats.read(_text(node.args[2])) is None
    ):
        return bin_(compiler, replace(node, args=(node.args[1], node.args[0], node.args[2])), scope, truth)
    time, step = compiler.as_time(node.args[0], scope), node.args[1]
    unit, count = _step(step)
    if unit == "week":
        return Typed(f"time_bucket(interval {count} week, {time.sql}, {MONDAY})::date", "Date", time.nullable)
    origin = f"date_trunc('day', {time.sql})::timestamp" if unit == "hour" else "timestamp '1970-01-01'"
    if unit in LONG:  # years count from 0, months from 1900
        origin = f"timestamp '{1970 - 1970 % count or 1:04d}-01-01'" if unit == "year" else "timestamp '1900-01-01'"
    bucket = f"time_bucket(interval {count} {unit}, {time.sql}, {origin})"
    if unit in LONG:
        return Typed(f"{bucket}::date", "Date", time.nullable)
    return Typed(bucket, "DateTime", time.nullable, SECONDS)


def _step(node: Node) -> tuple[str, int]:
    if isinstance(node, Interval):
        count, unit = node.count, node.unit
    elif isinstance(node, Call) and node.name.startswith("toInterval") and len(node.args) == 1:
        count, unit = node.args[0], node.name.removeprefix("toInterval").lower()
    else:
        count, unit = Literal(None), ""
    if isinstance(count, Literal) and isinstance(count.value, str) and count.value.isdigit():
        count = Literal(int(count.value))
    if unit not in UNITS or not isinstance(count, Literal) or not isinstance(count.value, int) or count.value < 1:
        raise QueryError(
            "toStartOfInterval takes an interval of a constant length, such as INTERVAL 15 MINUTE.", attr="query"
        )
    return unit, count.value


def zoned(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """toTimeZone(time, zone); timezone(zone, time) is PostgreSQL's order. Times are in the project's zone already."""
    if len(node.args) == 1:
        return compiler.as_time(node.args[0], scope)
    what, zone = reversed(node.args) if node.name == "timezone" else node.args
    time = compiler.as_time(what, scope)
    name = zone.value if isinstance(zone, Literal) else None
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError(f"'{name}' is no time zone.", attr="query") from None
    own, other = compiler.scan.bind(compiler.context.project.timezone), compiler.scan.bind(name)
    exactly = f"DateTime64(6, '{name}')"
    moved = f"timezone({other}, timezone({own}, {time.sql}))"
    return Typed(moved, "DateTime", time.nullable, exact=nullable(exactly) if time.nullable else exactly)


def unix(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time = compiler.as_time(node.args[0], scope)
    zone = compiler.context.project.timezone
    utc = time.sql if zone == "UTC" else f"timezone('UTC', timezone({compiler.scan.bind(zone)}, {time.sql}))"
    name = "epoch_ms" if node.name.endswith("Milli") else "epoch"
    return Typed(f"{name}({utc})::bigint", "Int64", time.nullable)


def from_unix(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    number = compiler.expression(node.args[0], scope)
    size = 1000 if node.name.endswith("Milli") else 1_000_000
    return Typed(compiler.clock(f"make_timestamp({number.sql}::bigint * {size})"), "DateTime", number.nullable)


def format_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time, form = compiler.as_time(node.args[0], scope), node.args[1]
    if not isinstance(form, Literal) or not isinstance(form.value, str):
        raise QueryError("formatDateTime takes a constant format, such as '%Y-%m'.", attr="query")
    if len(node.args) > 2:
        time = zoned(compiler, Call("toTimeZone", (node.args[0], node.args[2])), scope, truth)
    sql = moment_formats.formatted(time.sql, form.value)
    if sql is None:
        raise QueryError(f"'{form.value}' has a code that is not known; use MySQL's, such as '%Y-%m-%d'.", attr="query")
    return Typed(sql, "String", time.nullable)
