"""Functions of time. Times are the project's wall clock; what needs an instant goes through the zone."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.compiling import Compiler
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.terms import UNITS
from insights_mcp.local.queries.hogql.tree import Call, Field, Interval, Literal, Node

FORMATS = {"i": "%M", "M": "%B", "e": "%-d", "D": "%m/%d/%y", "F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "h": "%I"}


def to_time(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    return compiler.as_time(node.args[0], scope)


def to_date(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    found = compiler.as_time(node.args[0], scope)
    return Typed(f"{found.sql}::date", "Date", found.nullable)


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
    return Typed(f"date_diff('{unit}', {start.sql}, {end.sql})", "Int64", start.nullable or end.nullable)


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
    sign = "+" if node.name.lower().endswith("add") else "-"
    if len(node.args) == 2:
        time, step = compiler.as_time(node.args[0], scope), compiler.expression(node.args[1], scope)
        return Typed(f"({time.sql} {sign} {step.sql})", "DateTime", time.nullable)
    count, time = compiler.expression(node.args[1], scope), compiler.as_time(node.args[2], scope)
    unit = _unit(node.args[0])
    return Typed(f"({time.sql} {sign} to_{unit}s({count.sql}::integer))", "DateTime", time.nullable)


def week(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Without a mode, weeks begin as the project's do."""
    time = compiler.as_time(node.args[0], scope)
    mode = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], Literal) else None
    start = int(mode) % 2 if isinstance(mode, int) else compiler.context.project.week_start_day
    return Typed(f"{dates.truncated(time.sql, 'week', start)}::date", "Date", time.nullable)


def start_of_interval(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time, step = compiler.as_time(node.args[0], scope), node.args[1]
    unit, count = _step(step)
    if unit == "week":
        week = dates.truncated(time.sql, "week", compiler.context.project.week_start_day)
        return Typed(f"{week}::date", "Date", time.nullable)
    origin = "timestamp '1970-01-01'"
    return Typed(f"time_bucket(interval {count} {unit}, {time.sql}, {origin})", "DateTime", time.nullable)


def _step(node: Node) -> tuple[str, int]:
    if isinstance(node, Interval):
        count, unit = node.count, node.unit
    elif isinstance(node, Call) and node.name.startswith("toInterval") and len(node.args) == 1:
        count, unit = node.args[0], node.name.removeprefix("toInterval").lower()
    else:
        count, unit = Literal(None), ""
    if unit not in UNITS or not isinstance(count, Literal) or not isinstance(count.value, int) or count.value < 1:
        raise QueryError(
            "toStartOfInterval takes an interval of a constant length, such as INTERVAL 15 MINUTE.", attr="query"
        )
    return unit, count.value


def zoned(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time = compiler.as_time(node.args[0], scope)
    name = node.args[1].value if isinstance(node.args[1], Literal) else None
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError(f"'{name}' is no time zone.", attr="query") from None
    own, other = compiler.scan.bind(compiler.context.project.timezone), compiler.scan.bind(name)
    return Typed(f"timezone({other}, timezone({own}, {time.sql}))", "DateTime", time.nullable)


def unix(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time = compiler.as_time(node.args[0], scope)
    zone = compiler.context.project.timezone
    utc = time.sql if zone == "UTC" else f"timezone('UTC', timezone({compiler.scan.bind(zone)}, {time.sql}))"
    name = "epoch_ms" if node.name.endswith("Milli") else "epoch"
    return Typed(f"{name}({utc})::bigint", "Int64", time.nullable)


def from_unix(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    number = compiler.expression(node.args[0], scope)
    return Typed(compiler.clock(f"make_timestamp({number.sql}::bigint * 1000000)"), "DateTime", number.nullable)


def format_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time, form = compiler.as_time(node.args[0], scope), node.args[1]
    if not isinstance(form, Literal) or not isinstance(form.value, str):
        raise QueryError("formatDateTime takes a constant format, such as '%Y-%m'.", attr="query")
    parts = form.value.split("%%")
    text = "%%".join("".join(_specifiers(part)) for part in parts).replace("'", "''")
    return Typed(f"strftime({time.sql}, '{text}')", "String", time.nullable)


def _specifiers(text: str) -> list[str]:
    pieces = text.split("%")
    return [pieces[0], *(FORMATS.get(piece[:1], "%" + piece[:1]) + piece[1:] for piece in pieces[1:])]
