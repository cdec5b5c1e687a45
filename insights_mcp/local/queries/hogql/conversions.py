"""Conversions: to numbers, texts, truth and UUIDs; rounding; the names of types."""

from __future__ import annotations

from dataclasses import replace

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import moments, operators, spelling
from insights_mcp.local.queries.hogql.compiling import EXPRESSIONS, NUMBERS, TIMES, Compiler, Handler
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import CAST_NAMES, CASTS
from insights_mcp.local.queries.hogql.sources import Typed, type_name
from insights_mcp.local.queries.hogql.tree import Call, Cast


def type_of(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """A type's name, in ClickHouse's words."""
    found = compiler.expression(node.args[0], scope)
    return Typed(compiler.scan.bind(type_name(found, compiler.context.project.timezone)), "String", False)


def cast(base: str, *, exact: bool = False) -> Handler:
    """A conversion. What is `exact` takes a whole number only as a whole, and gives NULL for others."""

    def handler(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
        what = compiler.expression(node.args[0], scope)
        if what.type in TIMES and base == "int":
            return moments.unix(compiler, node, scope, truth)
        if base == "string":
            zoned = moments.zoned(compiler, node, scope, truth) if len(node.args) > 1 else what
            return Typed(spelling.text(zoned), "String", what.nullable)
        template, kind = CASTS[base]
        if base == "float" and what.type == "String":  # no spaces around it
            return Typed(f"try_cast(case when {what.sql} = trim({what.sql}) then {what.sql} end as double)", kind, True)
        sql = f"({what.sql})::integer" if what.type in ("UInt8", "Bool") and base in ("int", "float") else what.sql
        if base == "int" and what.type in ("String", "Float64"):
            sql = _whole(sql, what.type, exact)
        return Typed(template.format(sql), kind, what.nullable or exact or what.type == "String" != kind)

    return handler


def _whole(sql: str, kind: str, exact: bool) -> str:
    """SQL: what is a whole number in a text or a number; or the number without what stands after its point."""
    if kind == "Float64":
        return f"case when {sql} = trunc({sql}) then {sql} end" if exact else f"trunc({sql})"
    whole = f"case when regexp_full_match({sql}, '[+-]?[0-9]+') then {sql} end"
    return whole if exact else f"coalesce({whole}, trunc(try_cast({sql} as double))::varchar)"


def or_default(base: str, default: str) -> Handler:
    """A conversion that gives a number for what is none: 0, or the second argument."""

    def handler(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
        found = cast(base, exact=True)(compiler, replace(node, args=node.args[:1]), scope, truth)
        if len(node.args) > 1:
            return Typed(f"coalesce({found.sql}, {compiler.expression(node.args[1], scope).sql})", found.type, False)
        given = compiler.expression(node.args[0], scope)
        sql = f"coalesce({found.sql}, {default})"
        return Typed(
            f"case when {given.sql} is not null then {sql} end" if given.nullable else sql, found.type, given.nullable
        )

    return handler


def json_text(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """A value as JSON; a time with all of its fraction, as text."""
    what = compiler.expression(node.args[0], scope)
    sql = f"'\"' || {spelling.text(what)} || '\"'" if what.type == "DateTime" else f"to_json({what.sql})::varchar"
    return Typed(sql, "String", what.nullable)


def uuid_or(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """toUUIDOrDefault(text, uuid)."""
    text, other = compiler.args(node, scope)
    return Typed(f"coalesce(try_cast({text.sql} as uuid), {other.sql})", "UUID", other.nullable)


ROUNDING = {"round": "round", "floor": "floor", "ceil": "ceil", "ceiling": "ceil", "trunc": "trunc"}


def rounded(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    args = compiler.args(node, scope)
    digits = f", {args[1].sql}::integer" if len(args) > 1 else ""
    name = ROUNDING[node.name]
    if name == "round" and args[0].type in ("Float64", "String"):  # a half goes to the even number
        return Typed(f"round_even({operators.number(args[0])}{digits or ', 0'})", "Float64", args[0].nullable)
    if digits and name != "round":
        scale = f"pow(10, {args[1].sql})"
        return Typed(f"({name}({operators.number(args[0])} * {scale}) / {scale})", "Float64", args[0].nullable)
    return Typed(
        f"{name}({operators.number(args[0])}{digits})",
        args[0].type if args[0].type in NUMBERS else "Float64",
        args[0].nullable,
    )


def written_cast(compiler: Compiler, node: Cast, scope: Scope, truth: bool) -> Typed:
    """CAST(x AS type), x::type."""
    base = node.type.lower().split("(")[0]
    base = CAST_NAMES.get(base, base)
    if base == "nullable":
        return compiler.expression(Cast(node.what, node.type[9:-1]), scope)
    what = compiler.expression(node.what, scope)
    if base == "datetime":
        return compiler.time(what)
    if base == "lowcardinality":
        return compiler.expression(Cast(node.what, node.type[15:-1]), scope)
    if base == "array":
        return _cast_array(node, what)
    if base not in CASTS:
        raise QueryError(
            f"Unknown type '{node.type}'. Use Int64, Float64, String, Bool, UUID, Date or DateTime.", attr="query"
        )
    template, kind = CASTS[base]
    if kind == "String":
        return Typed(spelling.text(what), kind, what.nullable)
    return Typed(template.format(what.sql), kind, True)


def _cast_array(node: Cast, what: Typed) -> Typed:
    """CAST([1] AS Array(String))."""
    inner = node.type.partition("(")[2].removesuffix(")")
    base = CAST_NAMES.get(inner.lower().split("(")[0], inner.lower().split("(")[0])
    if base not in CASTS or not what.type.startswith("Array("):
        raise QueryError(f"{what.type} is not cast to '{node.type}'; use arrayMap.", attr="query")
    template, kind = CASTS[base]
    sql = f"list_transform({what.sql}, lambda z: {template.format('z')})"
    return Typed(sql, f"Array({kind})", what.nullable)


EXPRESSIONS[Cast] = written_cast
