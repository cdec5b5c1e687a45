"""Operators and conditions: HogQL's meaning of NULL, comparisons across types, arithmetic, if and coalesce."""

from __future__ import annotations

import re
from dataclasses import replace

from insights_mcp.local.queries import cohorts, entities
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import fitting, spelling
from insights_mcp.local.queries.hogql.compiling import (
    ARITHMETIC,
    LIKES,
    NOT_LIKES,
    NUMBERS,
    SIGNS,
    TIMES,
    Compiler,
)
from insights_mcp.local.queries.hogql.people import Events
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Call, Literal, Node, Subquery
from insights_mcp.local.queries.project import Cohort
from insights_mcp.local.queries.properties import Filters

# Lists of numbers that fit together.
LISTED = {"Array(Int64)", "Array(UInt64)", "Array(UInt8)", "Array(Float64)"}
NUMBER = re.compile(r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$")
# Intervals after which a date is a date still.
WHOLE_DAYS = ("IntervalDay", "IntervalWeek", "IntervalMonth", "IntervalQuarter", "IntervalYear")


def and_or(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
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


def not_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    [inner] = node.args
    if isinstance(inner, Call) and inner.name == "match":
        found = match(compiler, inner, scope, False)
        return Typed(f"(not {found.sql})", "UInt8", False)
    found = compiler.expression(inner, scope)
    return Typed(f"(not {_bool(found)})", "UInt8", found.nullable)


def _sides(compiler: Compiler, node: Call, scope: Scope) -> tuple[Typed, Typed]:
    """Both sides of a comparison, brought to types that can be compared."""
    nodes = list(node.args)
    left, right = (compiler.expression(each, scope) for each in nodes)
    fitting.comparable(left, right)
    return _fitted(compiler, nodes[0], left, right), _fitted(compiler, nodes[1], right, left)


def _fitted(compiler: Compiler, node: Node, own: Typed, other: Typed) -> Typed:
    constant = node.value if isinstance(node, Literal) and isinstance(node.value, str) else None
    if own.type == "String" and other.type in TIMES:
        return (compiler.moment(constant) if constant is not None else None) or compiler.time(own)
    if own.type == "String" and other.type == "Bool":
        return Typed(f"try_cast({own.sql} as boolean)", "Bool", True)
    if own.type == "String" and other.type in NUMBERS:
        if constant is not None and not NUMBER.match(constant):  # it would be NULL, and equal to NULL
            raise QueryError(f"'{constant}' is no number, and is compared with one.", attr="query")
        return Typed(f"try_cast({own.sql} as double)", "Float64", True)
    if own.type == "String" and other.type == "UUID":
        return Typed(f"try_cast({own.sql} as uuid)", "UUID", own.nullable)
    return own


def equals(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = _sides(compiler, node, scope)
    if not (left.nullable and right.nullable) and (truth or not (left.nullable or right.nullable)):
        return Typed(f"({left.sql} = {right.sql})", "UInt8", left.nullable or right.nullable)
    return Typed(f"({left.sql} is not distinct from {right.sql})", "UInt8", False)


def not_equals(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = _sides(compiler, node, scope)
    plain = not (left.nullable or right.nullable)
    return Typed(f"({left.sql} {'<>' if plain else 'is distinct from'} {right.sql})", "UInt8", False)


def ordered(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = _sides(compiler, node, scope)
    sql = f"({left.sql} {SIGNS[node.name]} {right.sql})"
    return Typed(sql if truth or not (left.nullable or right.nullable) else f"coalesce({sql}, false)", "UInt8", False)


def _null_safe(sql: str, left: Typed, right: Typed, negated: bool) -> Typed:
    """Two NULLs are alike, one is not."""
    if not (left.nullable or right.nullable):
        return Typed(sql, "UInt8", False)
    both = f"({left.sql} is null and {right.sql} is null)"
    return Typed(f"coalesce({sql}, {'not ' if negated else ''}{both})", "UInt8", False)


def like(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = compiler.args(node, scope)
    negated = node.name in NOT_LIKES
    word = NOT_LIKES[node.name] if negated else LIKES[node.name]
    sql = f"({spelling.text(left)} {'not ' if negated else ''}{word} {spelling.text(right)} escape '\\')"
    return _null_safe(sql, left, right, negated)


def match(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = compiler.args(node, scope)
    return _null_safe(f"regexp_matches({spelling.text(left)}, {spelling.text(right)}, 's')", left, right, False)


def in_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    negated = "not " if node.name == "notIn" else ""
    left = compiler.expression(node.args[0], scope)
    listed = _listed(compiler, node.args[1], left, scope)
    sql = f"({left.sql} {negated}in {listed})"
    return Typed(sql if not left.nullable else f"coalesce({sql}, {'true' if negated else 'false'})", "UInt8", False)


def _listed(compiler: Compiler, node: Node, left: Typed, scope: Scope) -> str:
    if isinstance(node, Subquery):
        relation = compiler.subquery(node.query, scope)
        if left.type.startswith("Tuple(") and len(relation.columns) > 1:
            listed = ", ".join(column.sql for column in relation.columns.values())
            return f"(select row({listed}) from ({relation.sql}))"
        return compiler.expression(node, scope).sql
    tuples = left.type.startswith("Tuple")
    items = node.args if isinstance(node, Call) and node.name in ("tuple", "array") else (node,)
    if tuples and not any(isinstance(item, Call) and item.name == "tuple" for item in items):
        items = (node,)  # one tuple, in brackets
    found = compiler.expression(node, scope) if not isinstance(node, Call) else None
    if found and found.type.startswith("Array"):
        return f"(select unnest({found.sql}))"
    values = [compiler.expression(item, scope) for item in items]
    if not values:
        return "(select null where false)"
    fitted = values if tuples else [_fitted(compiler, i, v, left) for i, v in zip(items, values, strict=True)]
    return "(" + ", ".join(value.sql for value in fitted if value.type != "Nothing") + ")"


def in_cohort(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Whether a person is in a cohort, named by its number or its name."""
    who, which = node.args
    names = which.args if isinstance(which, Call) and which.name == "tuple" else (which,)
    filters = Filters(compiler.scan.inner("e"), compiler.context)
    parts = [cohorts.members(_cohort(compiler, name, filters), filters) for name in names]
    person = compiler.person_number(who, scope)
    members = " union all ".join(f"select pid from ({part})" for part in parts)
    if person is None:
        person = _fitted(compiler, who, compiler.expression(who, scope), Typed("", "UUID"))
        members = f"select person_id from persons where pid in ({members})"
    return Typed(f"({person.sql} {'not ' if node.name == 'notInCohort' else ''}in ({members}))", "UInt8", False)


def matches_action(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Whether an event is one of an action's, named by its number or its name."""
    name = node.args[0].value if isinstance(node.args[0], Literal) else None
    source = next((each for each in scope.sources.values() if isinstance(each, Events)), None)
    if source is None:
        raise QueryError("matchesAction needs the table `events` in the same SELECT.", attr="query")
    filters = Filters(source.scan, compiler.context)
    number = next((each.id for each in compiler.context.project.actions.values() if each.name == name), name)
    return Typed(f"coalesce({entities.action(number, filters)}, false)", "UInt8", False)


def _cohort(compiler: Compiler, node: Node, filters: Filters) -> Cohort:
    name = node.value if isinstance(node, Literal) else None
    named = [each for each in compiler.context.project.cohorts.values() if each.name == name]
    if isinstance(name, str) and not name.isdigit() and named:
        return named[0]
    return cohorts.found(name, filters)


def arithmetic(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    left, right = compiler.args(node, scope)
    if left.type.startswith("Tuple(") and node.name in ("plus", "minus"):
        return compiler.expression(replace(node, name=f"tuple{node.name.capitalize()}"), scope)
    sign = ARITHMETIC[node.name]
    nullable = left.nullable or right.nullable
    if left.type == right.type == "Date" and node.name == "minus":
        return Typed(f"({left.sql} - {right.sql})", "Int64", nullable)
    if left.type in TIMES and right.type in TIMES and node.name == "minus":
        return Typed(f"date_diff('second', {right.sql}::timestamp, {left.sql}::timestamp)", "Int64", nullable)
    if "Interval" in (left.type, right.type) and {left.type, right.type} & {*TIMES, "String"}:
        return _moved(compiler, left, right, sign)
    if left.type in TIMES and right.type in NUMBERS:
        step = "to_days" if left.type == "Date" else "to_seconds"
        moved = f"({left.sql} {sign} {step}({right.sql}::integer))"
        return Typed(f"{moved}::date" if left.type == "Date" else moved, left.type, nullable)
    kinds = {left.type, right.type}
    kind = "Float64" if kinds & {"Float64", "String", "Any"} else ("UInt64" if "UInt64" in kinds else "Int64")
    first = f"{left.sql}::bigint" if left.sql.isdigit() else number(left)
    return Typed(f"({first} {sign} {number(right)})", left.type if left.type == "Interval" else kind, nullable)


def _moved(compiler: Compiler, left: Typed, right: Typed, sign: str) -> Typed:
    time, step = (right, left) if left.type == "Interval" else (left, right)
    time = compiler.time(time) if time.type == "String" else time
    moved, nullable = f"({time.sql} {sign} {step.sql})", time.nullable or step.nullable
    if time.type == "Date" and step.shown in WHOLE_DAYS:
        return Typed(f"{moved}::date", "Date", nullable)
    return Typed(moved, "DateTime", nullable)


def number(value: Typed) -> str:
    """SQL: a value as a number."""
    if value.type == "String":
        return f"try_cast({value.sql} as double)"
    return f"{value.sql}::integer" if value.type in ("UInt8", "Bool") else value.sql


def concat(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Texts one after another; PostHog leaves out what is NULL, but not in a pattern."""
    if node.form == "~*":
        sign, pattern = compiler.args(node, scope)
        return replace(pattern, sql=f"{sign.sql} || {spelling.text(pattern)}", type="String")
    args = [arg for arg in compiler.args(node, scope) if arg.type != "Nothing"]
    parts = (f"coalesce({spelling.text(arg)}, '')" if arg.nullable else spelling.text(arg) for arg in args)
    return Typed(f"left({' || '.join(parts) or repr('')}, 1000000)", "String", False)


def if_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """if and multiIf: condition, value, condition, value, …, else."""
    if len(node.args) % 2 == 0 or len(node.args) < 3:
        raise QueryError(f"{node.name} takes conditions, each with its value, then the value otherwise.", attr="query")
    arms, values = [], []
    for condition, value in zip(node.args[:-1:2], node.args[1::2], strict=True):
        values.append(compiler.expression(value, scope))
        arms.append(f"when {_bool(compiler.expression(condition, scope, truth=True))} then {{}}")
    values.append(compiler.expression(node.args[-1], scope))
    return common(f"case {' '.join(arms)} else {{}} end", values)


def common(template: str, values: list[Typed]) -> Typed:
    """Several values as one: their common type, text when they have none."""
    kinds = {value.type for value in values} - {"Nothing"}
    if len(kinds) > 1:
        kinds -= {"Array(Nothing)"}
    if len(kinds) > 1 and kinds <= LISTED:
        kind = "Float64" if "Array(Float64)" in kinds else "Int64"
        return Typed(
            template.format(*(value.sql for value in values)), f"Array({kind})", any(v.nullable for v in values)
        )
    kind = (
        kinds.pop()
        if len(kinds) == 1
        else ("Float64" if kinds and kinds <= NUMBERS else ("String" if kinds else "Nothing"))
    )
    if len(kinds) > 1 and kinds <= set(TIMES):
        written = [f"{value.sql}::timestamp" for value in values]
        return Typed(template.format(*written), "DateTime", any(value.nullable for value in values))
    if kinds <= {"Int64", "UInt64", "UInt8"} and kinds:
        kind = "Int64"
    mixed = kind == "String" and len({value.type for value in values} - {"Nothing", "Array(Nothing)"}) > 1
    written = [spelling.text(value) if mixed else _plain_number(value, kind) for value in values]
    return Typed(template.format(*written), kind, any(value.nullable for value in values))


def _plain_number(value: Typed, kind: str) -> str:
    return f"{value.sql}::integer" if kind in ("Int64", "Float64") and value.type in ("UInt8", "Bool") else value.sql


def coalesce(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    values = compiler.args(node, scope)
    found = common("coalesce(" + ", ".join("{}" for _ in values) + ")", values)
    return Typed(found.sql, found.type, all(value.nullable for value in values))
