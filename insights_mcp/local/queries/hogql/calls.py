"""Functions that need more than a template: operators, NULL, conditions, dates, JSON, arrays."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from insights_mcp.local.layout import pointer
from insights_mcp.local.queries import dates
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import functions
from insights_mcp.local.queries.hogql.compiling import (
    ARITHMETIC,
    CALLS,
    CANONICAL,
    CASTS,
    COUNTS,
    LIKES,
    NOT_LIKES,
    NUMBERS,
    SIGNS,
    Compiler,
    Handler,
    element,
)
from insights_mcp.local.queries.hogql.parsing import UNITS
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Call, Literal, Node, Subquery

TIMES = ("DateTime", "Date")
FORMATS = {"i": "%M", "M": "%B", "e": "%-d", "D": "%m/%d/%y", "F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "h": "%I"}


def _and_or(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    parts = [compiler.expression(arg, scope, truth=truth) for arg in node.args]
    return Typed(
        "(" + f" {node.name} ".join(_bool(part) for part in parts) + ")", "UInt8", any(p.nullable for p in parts)
    )


def _bool(value: Typed) -> str:
    return (
        value.sql
        if value.type in ("UInt8", "Bool", "Nothing") and not value.sql.isdigit()
        else f"({value.sql})::boolean"
    )


def _not(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    [inner] = node.args
    if isinstance(inner, Call) and inner.name == "match":
        found = _match(compiler, inner, scope, False)
        return Typed(f"(not {found.sql})", "UInt8", False)
    found = compiler.expression(inner, scope)
    return Typed(f"(not {_bool(found)})", "UInt8", found.nullable)


def _sides(compiler: Compiler, node: Call, scope: Scope) -> tuple[Typed, Typed]:
    """Both sides of a comparison, brought to types that can be compared."""
    nodes = list(node.args)
    left, right = (compiler.expression(each, scope) for each in nodes)
    return _fitted(compiler, nodes[0], left, right), _fitted(compiler, nodes[1], right, left)


def _fitted(compiler: Compiler, node: Node, own: Typed, other: Typed) -> Typed:
    if own.type == "String" and other.type in TIMES:
        literal = compiler.moment(node.value) if isinstance(node, Literal) and isinstance(node.value, str) else None
        return literal or compiler._time(own)
    if own.type == "String" and other.type in NUMBERS:
        return Typed(f"try_cast({own.sql} as double)", "Float64", True)
    if own.type == "String" and other.type == "UUID":
        return Typed(f"try_cast({own.sql} as uuid)", "UUID", own.nullable)
    return own


def _equals(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = _sides(compiler, node, scope)
    if not (left.nullable and right.nullable) and (truth or not (left.nullable or right.nullable)):
        return Typed(f"({left.sql} = {right.sql})", "UInt8", left.nullable or right.nullable)
    return Typed(f"({left.sql} is not distinct from {right.sql})", "UInt8", False)


def _not_equals(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = _sides(compiler, node, scope)
    plain = not (left.nullable or right.nullable)
    return Typed(f"({left.sql} {'<>' if plain else 'is distinct from'} {right.sql})", "UInt8", False)


def _ordered(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = _sides(compiler, node, scope)
    sql = f"({left.sql} {SIGNS[node.name]} {right.sql})"
    return Typed(sql if truth or not (left.nullable or right.nullable) else f"coalesce({sql}, false)", "UInt8", False)


def _null_safe(sql: str, left: Typed, right: Typed, negated: bool) -> Typed:
    """Two NULLs are alike, one is not."""
    if not (left.nullable or right.nullable):
        return Typed(sql, "UInt8", False)
    both = f"({left.sql} is null and {right.sql} is null)"
    return Typed(f"coalesce({sql}, {'not ' if negated else ''}{both})", "UInt8", False)


def _like(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = compiler.args(node, scope)
    negated = node.name in NOT_LIKES
    word = NOT_LIKES[node.name] if negated else LIKES[node.name]
    sql = f"({_text(left)} {'not ' if negated else ''}{word} {_text(right)} escape '\\')"
    return _null_safe(sql, left, right, negated)


def _match(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = compiler.args(node, scope)
    return _null_safe(f"regexp_matches({_text(left)}, {_text(right)})", left, right, False)


def _text(value: Typed) -> str:
    return value.sql if value.type == "String" else f"{value.sql}::varchar"


def _in(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    negated = "not " if node.name == "notIn" else ""
    left = compiler.expression(node.args[0], scope)
    listed = _listed(compiler, node.args[1], left, scope)
    sql = f"({left.sql} {negated}in {listed})"
    return Typed(sql if not left.nullable else f"coalesce({sql}, {'true' if negated else 'false'})", "UInt8", False)


def _listed(compiler: Compiler, node: Node, left: Typed, scope: Scope) -> str:
    if isinstance(node, Subquery):
        return compiler.expression(node, scope).sql
    tuples = left.type.startswith("Tuple")
    items = node.args if isinstance(node, Call) and node.name in ("tuple", "array") else (node,)
    found = compiler.expression(node, scope) if not isinstance(node, Call) else None
    if found and found.type.startswith("Array"):
        return f"(select unnest({found.sql}))"
    values = [compiler.expression(item, scope) for item in items]
    if not values:
        return "(select null where false)"
    fitted = values if tuples else [_fitted(compiler, i, v, left) for i, v in zip(items, values, strict=True)]
    return "(" + ", ".join(value.sql for value in fitted if value.type != "Nothing") + ")"


def _arithmetic(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = compiler.args(node, scope)
    sign = ARITHMETIC[node.name]
    nullable = left.nullable or right.nullable
    if left.type in TIMES and right.type in TIMES and node.name == "minus":
        return Typed(f"date_diff('second', {right.sql}::timestamp, {left.sql}::timestamp)", "Int64", nullable)
    if "Interval" in (left.type, right.type) and {left.type, right.type} & {*TIMES, "String"}:
        return _moved(compiler, left, right, sign)
    if left.type in TIMES and right.type in NUMBERS:
        step = "to_days" if left.type == "Date" else "to_seconds"
        return Typed(f"({left.sql} {sign} {step}({right.sql}::integer))", left.type, nullable)
    kinds = {left.type, right.type}
    kind = "Float64" if kinds & {"Float64", "String", "Any"} else ("UInt64" if "UInt64" in kinds else "Int64")
    return Typed(f"({_number(left)} {sign} {_number(right)})", left.type if left.type == "Interval" else kind, nullable)


def _moved(compiler: Compiler, left: Typed, right: Typed, sign: str) -> Typed:
    time, step = (right, left) if left.type == "Interval" else (left, right)
    time = compiler._time(time) if time.type == "String" else time
    return Typed(f"({time.sql} {sign} {step.sql})", time.type, time.nullable)


def _number(value: Typed) -> str:
    if value.type == "String":
        return f"try_cast({value.sql} as double)"
    return f"{value.sql}::integer" if value.type in ("UInt8", "Bool") else value.sql


def _concat(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    args = compiler.args(node, scope)
    if args and args[0].type.startswith("Array"):
        return Typed("(" + " || ".join(arg.sql for arg in args) + ")", args[0].type)
    joined = " || ".join(_text(arg) for arg in args) or "''"
    return Typed(f"left({joined}, 1000000)", "String", any(arg.nullable for arg in args))


def _if(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """if and multiIf: condition, value, condition, value, …, else."""
    if len(node.args) % 2 == 0 or len(node.args) < 3:
        raise QueryError(f"{node.name} takes conditions, each with its value, then the value otherwise.", attr="query")
    arms, values = [], []
    for condition, value in zip(node.args[:-1:2], node.args[1::2], strict=True):
        values.append(compiler.expression(value, scope))
        arms.append(f"when {_bool(compiler.expression(condition, scope, truth=True))} then {{}}")
    values.append(compiler.expression(node.args[-1], scope))
    return _common(f"case {' '.join(arms)} else {{}} end", values)


def _common(template: str, values: list[Typed]) -> Typed:
    """Several values as one: their common type, text when they have none."""
    kinds = {value.type for value in values} - {"Nothing"}
    kind = (
        kinds.pop()
        if len(kinds) == 1
        else ("Float64" if kinds and kinds <= NUMBERS else ("String" if kinds else "Nothing"))
    )
    if kinds <= {"Int64", "UInt64", "UInt8"} and kinds:
        kind = "Int64"
    mixed = kind == "String" and len({value.type for value in values} - {"Nothing"}) > 1
    written = [_text(value) if mixed else _plain_number(value, kind) for value in values]
    return Typed(template.format(*written), kind, any(value.nullable for value in values))


def _plain_number(value: Typed, kind: str) -> str:
    return f"{value.sql}::integer" if kind in ("Int64", "Float64") and value.type in ("UInt8", "Bool") else value.sql


def _coalesce(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    values = compiler.args(node, scope)
    found = _common("coalesce(" + ", ".join("{}" for _ in values) + ")", values)
    return Typed(found.sql, found.type, all(value.nullable for value in values))


def _array(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    values = compiler.args(node, scope)
    if not values:
        return Typed("[]", "Array(Nothing)", False)
    found = _common("[" + ", ".join("{}" for _ in values) + "]", values)
    return Typed(found.sql, f"Array({found.type})", False)


def _tuple(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    values = compiler.args(node, scope)
    return Typed(f"row({', '.join(v.sql for v in values)})", f"Tuple({', '.join(v.type for v in values)})", False)


def _element(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    owner, key = compiler.args(node, scope)
    if owner.type.startswith("Tuple("):
        return _member(compiler, node, scope, truth)
    if owner.type == "String" and isinstance(node.args[1], Literal) and isinstance(node.args[1].value, str):
        return _json(compiler, Call("JSONExtractString", node.args), scope, truth)
    return Typed(f"list_extract({owner.sql}, {key.sql}::bigint)", element(owner.type), True)


def _member(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    owner = compiler.expression(node.args[0], scope)
    index = node.args[1].value if isinstance(node.args[1], Literal) else None
    kinds = _split(owner.type[6:-1]) if owner.type.startswith("Tuple(") else []
    if not isinstance(index, int) or (kinds and not 1 <= index <= len(kinds)):
        raise QueryError("A tuple's element is named by its number, from 1.", attr="query")
    return Typed(f"struct_extract({owner.sql}, {index})", kinds[index - 1] if kinds else "Any", True)


def _split(text: str) -> list[str]:
    depth, parts = 0, [""]
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def _range(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    args = [f"({arg.sql})::bigint" for arg in compiler.args(node, scope)]
    start, stop, step = ("0", args[0], "1") if len(args) == 1 else (args[0], args[1], (*args, "1")[2])
    capped = f"least({stop}, {start} + 100000 * {step})" if len(args) < 3 else f"least({stop}, {start} + 100000)"
    return Typed(f"range({start}, {capped}, {step})", "Array(UInt64)", False)


def _array_join(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    [array] = compiler.args(node, scope)
    return Typed(f"unnest({array.sql})", element(array.type), True)


# -- time --------------------------------------------------------------------------------------------------------------


def _to_time(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    return compiler.as_time(node.args[0], scope)


def _to_date(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    found = compiler.as_time(node.args[0], scope)
    return Typed(f"{found.sql}::date", "Date", found.nullable)


def _cast(base: str) -> Handler:
    def handler(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
        what = compiler.expression(node.args[0], scope)
        if what.type in TIMES and base == "int":
            return _unix(compiler, node, scope, truth)
        template, kind = CASTS[base]
        sql = (
            f"({what.sql})::integer"
            if what.type in ("UInt8", "Bool") and base in ("int", "float", "string")
            else what.sql
        )
        whole = base == "int" and what.type in ("Float64", "String")
        sql = f"trunc(try_cast({sql} as double))" if whole else sql
        return Typed(template.format(sql), kind, what.nullable or what.type == "String" != kind)

    return handler


def _or_default(base: str, default: str) -> Handler:
    def handler(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
        found = _cast(base)(compiler, node, scope, truth)
        return Typed(f"coalesce({found.sql}, {default})", found.type, False)

    return handler


def _now(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    now = compiler.context.local_now.replace(tzinfo=None)
    days = {"today": 0, "yesterday": 1}.get(node.name)
    if days is None:
        return Typed(f"{compiler.scan.bind(now)}::timestamp", "DateTime", False)
    return Typed(f"({compiler.scan.bind(now)}::timestamp::date - {days})", "Date", False)


def _unit(node: Node) -> str:
    value = str(node.value).lower().removesuffix("s") if isinstance(node, Literal) else ""
    if value not in (*UNITS, "millisecond", "microsecond"):
        raise QueryError(f"A unit of time is one of {', '.join(UNITS)}, in quotes.", attr="query")
    return value


def _date_diff(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    unit = _unit(node.args[0])
    start, end = (compiler.as_time(arg, scope) for arg in node.args[1:3])
    return Typed(f"date_diff('{unit}', {start.sql}, {end.sql})", "Int64", start.nullable or end.nullable)


def _date_trunc(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    unit = _unit(node.args[0])
    time = compiler.as_time(node.args[1], scope)
    kind = "Date" if unit in ("week", "month", "quarter", "year") else "DateTime"
    cast = "date" if kind == "Date" else "timestamp"
    return Typed(f"date_trunc('{unit}', {time.sql})::{cast}", kind, time.nullable)


def _date_part(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time = compiler.as_time(node.args[1], scope)
    return Typed(f"date_part('{_unit(node.args[0])}', {time.sql})::bigint", "Int64", time.nullable)


def _date_add(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    sign = "+" if node.name.lower().endswith("add") else "-"
    if len(node.args) == 2:
        time, step = compiler.as_time(node.args[0], scope), compiler.expression(node.args[1], scope)
        return Typed(f"({time.sql} {sign} {step.sql})", "DateTime", time.nullable)
    count, time = compiler.expression(node.args[1], scope), compiler.as_time(node.args[2], scope)
    unit = _unit(node.args[0])
    return Typed(f"({time.sql} {sign} to_{unit}s({count.sql}::integer))", "DateTime", time.nullable)


def _week(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Without a mode, weeks begin as the project's do."""
    time = compiler.as_time(node.args[0], scope)
    mode = node.args[1].value if len(node.args) > 1 and isinstance(node.args[1], Literal) else None
    start = int(mode) % 2 if isinstance(mode, int) else compiler.context.project.week_start_day
    return Typed(f"{dates.truncated(time.sql, 'week', start)}::date", "Date", time.nullable)


def _start_of_interval(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time, step = compiler.as_time(node.args[0], scope), node.args[1]
    unit, count = _step(step)
    if unit == "week":
        week = dates.truncated(time.sql, "week", compiler.context.project.week_start_day)
        return Typed(f"{week}::date", "Date", time.nullable)
    origin = "timestamp '1970-01-01'"
    return Typed(f"time_bucket(interval {count} {unit}, {time.sql}, {origin})", "DateTime", time.nullable)


def _step(node: Node) -> tuple[str, int]:
    from insights_mcp.local.queries.hogql.tree import Interval

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


def _zoned(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time = compiler.as_time(node.args[0], scope)
    name = node.args[1].value if isinstance(node.args[1], Literal) else None
    try:
        ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise QueryError(f"'{name}' is no time zone.", attr="query") from None
    own, other = compiler.scan.bind(compiler.context.project.timezone), compiler.scan.bind(name)
    return Typed(f"timezone({other}, timezone({own}, {time.sql}))", "DateTime", time.nullable)


def _unix(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time = compiler.as_time(node.args[0], scope)
    zone = compiler.context.project.timezone
    utc = time.sql if zone == "UTC" else f"timezone('UTC', timezone({compiler.scan.bind(zone)}, {time.sql}))"
    return Typed(f"epoch({utc})::bigint", "Int64", time.nullable)


def _from_unix(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    number = compiler.expression(node.args[0], scope)
    return Typed(compiler.clock(f"make_timestamp({number.sql}::bigint * 1000000)"), "DateTime", number.nullable)


def _format(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    time, form = compiler.as_time(node.args[0], scope), node.args[1]
    if not isinstance(form, Literal) or not isinstance(form.value, str):
        raise QueryError("formatDateTime takes a constant format, such as '%Y-%m'.", attr="query")
    parts = form.value.split("%%")
    text = "%%".join("".join(_specifiers(part)) for part in parts).replace("'", "''")
    return Typed(f"strftime({time.sql}, '{text}')", "String", time.nullable)


def _specifiers(text: str) -> list[str]:
    pieces = text.split("%")
    return [pieces[0], *(FORMATS.get(piece[:1], "%" + piece[:1]) + piece[1:] for piece in pieces[1:])]


# -- JSON --------------------------------------------------------------------------------------------------------------

JSON = {
    "JSONExtractString": ("coalesce({text}, '')", "String"),
    "JSONExtractInt": ("coalesce(trunc(try_cast({text} as double))::bigint, 0)", "Int64"),
    "JSONExtractUInt": ("coalesce(trunc(try_cast({text} as double))::bigint, 0)", "UInt64"),
    "JSONExtractFloat": ("coalesce(try_cast({text} as double), 0)", "Float64"),
    "JSONExtractBool": ("coalesce(try_cast({text} as boolean), false)", "UInt8"),
    "JSONExtractRaw": ("coalesce(({value})::varchar, '')", "String"),
    "JSONHas": ("(({value}) is not null)", "UInt8"),
    "JSONLength": ("coalesce(json_array_length({value}), 0)::bigint", "UInt64"),
    "JSONExtractKeys": ("coalesce(json_keys({value}), [])", "Array(String)"),
    "JSONExtractArrayRaw": ("coalesce(({value} -> '$[*]')::varchar[], [])", "Array(String)"),
    "JSONType": ("coalesce(json_type({value}), 'Null')", "String"),
}


def _json(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    owner = compiler.expression(node.args[0], scope)
    keys = [arg.value for arg in node.args[1:] if isinstance(arg, Literal)]
    if len(keys) != len(node.args) - 1:
        raise QueryError(f"{node.name} takes constant keys.", attr="query")
    path = pointer(*(str(key - 1 if isinstance(key, int) and key > 0 else key) for key in keys))
    parsed = f"case when json_valid({owner.sql}) then {owner.sql}::json end"
    bound = compiler.scan.bind(path)
    holes = {"text": f"({parsed} ->> {bound})", "value": f"({parsed} -> {bound})" if keys else f"({parsed})"}
    template, kind = JSON[node.name]
    return Typed(template.format_map(holes), kind, False)


def _count(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    return compiler.aggregate(node.name, node, scope)


TABLE: dict[str, tuple[Handler, int, int]] = {
    "and": (_and_or, 1, 500), "or": (_and_or, 1, 500), "not": (_not, 1, 1), "equals": (_equals, 2, 2),
    "notEquals": (_not_equals, 2, 2), **{name: (_ordered, 2, 2) for name in SIGNS},
    **{name: (_like, 2, 2) for name in (*LIKES, *NOT_LIKES)}, "match": (_match, 2, 2), "in": (_in, 2, 2),
    "notIn": (_in, 2, 2), **{name: (_arithmetic, 2, 2) for name in ARITHMETIC}, "concat": (_concat, 1, 50),
    "if": (_if, 3, 3), "multiIf": (_if, 3, 501), "coalesce": (_coalesce, 1, 50), "ifNull": (_coalesce, 2, 2),
    "array": (_array, 0, 1000), "tuple": (_tuple, 1, 100), "arrayElement": (_element, 2, 2),
    "tupleElement": (_member, 2, 2), "range": (_range, 1, 3), "arrayJoin": (_array_join, 1, 1),
    "toDateTime": (_to_time, 1, 2), "toDateTime64": (_to_time, 1, 3), "parseDateTimeBestEffort": (_to_time, 1, 2),
    "parseDateTime64BestEffort": (_to_time, 1, 3), "parseDateTimeBestEffortOrNull": (_to_time, 1, 2),
    "toDateTimeOrNull": (_to_time, 1, 2), "toDate": (_to_date, 1, 2), "toDateOrNull": (_to_date, 1, 1),
    **{name: (_cast("int"), 1, 1) for name in ("toInt", "toInt64", "toInteger", "toIntOrNull", "_toInt64", "toInt32", "toUInt64")},
    **{name: (_cast("float"), 1, 1) for name in ("toFloat", "toFloat64", "toFloatOrNull", "toFloat32", "toDecimal", "accurateCastOrNull")},
    "toIntOrZero": (_or_default("int", "0"), 1, 1), "toFloatOrZero": (_or_default("float", "0"), 1, 1),
    "toFloatOrDefault": (_or_default("float", "0"), 1, 1), "toString": (_cast("string"), 1, 2), "toBool": (_cast("bool"), 1, 1),
    "now": (_now, 0, 1), "now64": (_now, 0, 2), "today": (_now, 0, 0), "yesterday": (_now, 0, 0),
    "dateDiff": (_date_diff, 3, 4), "dateTrunc": (_date_trunc, 2, 3), "datePart": (_date_part, 2, 2),
    "dateAdd": (_date_add, 2, 3), "dateSub": (_date_add, 2, 3), "toStartOfWeek": (_week, 1, 3),
    "toStartOfInterval": (_start_of_interval, 2, 3), "toTimeZone": (_zoned, 2, 2), "toUnixTimestamp": (_unix, 1, 2),
    "fromUnixTimestamp": (_from_unix, 1, 2), "formatDateTime": (_format, 2, 3), **{name: (_json, 1, 10) for name in JSON},
    "count": (_count, 0, 10),
}  # fmt: skip
CALLS.update({name: handler for name, (handler, _, _) in TABLE.items()})
COUNTS.update({name: (fewest, most) for name, (_, fewest, most) in TABLE.items()})
SPELLINGS = {"date_trunc": "dateTrunc", "date_diff": "dateDiff", "date_add": "dateAdd", "date_sub": "dateSub",
             "timestampdiff": "dateDiff", "substr": "substring", "ifnull": "ifNull", "nullif": "nullIf", "mid": "substring"}  # fmt: skip
EVERY = (*functions.PLAIN, *functions.AGGREGATES, *functions.WINDOWS, *functions.LAMBDAS, *functions.QUANTILES, *TABLE)
CANONICAL.update({**{name.lower(): name for name in EVERY}, **SPELLINGS})


def _substring(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    args = compiler.args(node, scope)
    numbers = ", ".join(f"{arg.sql}::integer" for arg in args[1:])
    return Typed(f"substring({_text(args[0])}, {numbers})", "String", any(arg.nullable for arg in args))


def _rounded(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    args = compiler.args(node, scope)
    digits = f", {args[1].sql}::integer" if len(args) > 1 else ""
    name = {"round": "round", "floor": "floor", "ceil": "ceil", "ceiling": "ceil", "trunc": "trunc"}[node.name]
    if digits and name != "round":
        scale = f"pow(10, {args[1].sql})"
        return Typed(f"({name}({_number(args[0])} * {scale}) / {scale})", "Float64", args[0].nullable)
    return Typed(
        f"{name}({_number(args[0])}{digits})", args[0].type if args[0].type in NUMBERS else "Float64", args[0].nullable
    )


for _name in ("substring", "substringUTF8"):
    CALLS[_name], COUNTS[_name] = _substring, (2, 3)
for _name in ("round", "floor", "ceil", "ceiling", "trunc"):
    CALLS[_name], COUNTS[_name] = _rounded, (1, 2)
CANONICAL.update({name.lower(): name for name in CALLS})
