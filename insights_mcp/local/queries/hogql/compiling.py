"""A HogQL tree as DuckDB SQL: names resolved, functions from the table, HogQL's meaning of NULL.

Only text written here reaches DuckDB: names are looked up and quoted, strings are bound, functions are known ones.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import dates
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import functions
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import TIME, Events, Relation, Typed
from insights_mcp.local.queries.hogql.tree import (
    Alias,
    Call,
    Cast,
    Field,
    Interval,
    Lambda,
    Literal,
    Node,
    OrderBy,
    Placeholder,
    Subquery,
    Window,
)
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Scan

SQL_LIMIT = 500_000
NUMBERS = frozenset({"Int64", "UInt64", "Float64", "UInt8", "Bool"})
HOLE = re.compile(r"\{(\*|\d)\}")
TIMES = ("DateTime", "Date")
SIGNS = {"less": "<", "lessOrEquals": "<=", "greater": ">", "greaterOrEquals": ">="}
ARITHMETIC = {"plus": "+", "minus": "-", "multiply": "*"}
LIKES = {"like": "like", "ilike": "ilike"}
NOT_LIKES = {"notLike": "like", "notILike": "ilike"}
DEFAULTS = {"String": "''", "Int64": "0", "UInt64": "0", "Float64": "0", "UInt8": "false"}
CASTS = {
    "int": ("try_cast({0} as bigint)", "Int64"), "float": ("try_cast({0} as double)", "Float64"),
    "string": ("{0}::varchar", "String"), "bool": ("try_cast({0} as boolean)", "Bool"),
    "uuid": ("try_cast({0} as uuid)", "UUID"), "date": ("try_cast({0} as date)", "Date"),
}  # fmt: skip
CAST_NAMES = {
    "integer": "int", "bigint": "int", "int8": "int", "int16": "int", "int32": "int", "int64": "int", "uint8": "int",
    "uint16": "int", "uint32": "int", "uint64": "int", "float32": "float", "float64": "float", "double": "float",
    "decimal": "float", "real": "float", "text": "string", "varchar": "string", "boolean": "bool",
    "datetime64": "datetime", "timestamp": "datetime",
}  # fmt: skip
FRAME = re.compile(
    r"^(rows|range)( between)?( (unbounded|\d+) (preceding|following)| current row)"
    r"( and( (unbounded|\d+) (preceding|following)| current row))?$"
)


class Compiler:
    """Compiles expressions; `statements.py`'s trees are compiled by the subclass in selects.py."""

    def __init__(self, scan: Scan, context: Context, values: dict[str, Any] | None = None) -> None:
        self.scan = scan
        self.context = context
        self.values = values or {}
        self.size = 0
        seen = context.catalogue.events.values()
        zone = context.local_now.tzinfo
        self.first = min((row.first_seen for row in seen), default=context.now).astimezone(zone)
        self.last = max((row.last_seen for row in seen), default=context.now).astimezone(zone)

    def clock(self, column: str) -> str:
        """SQL: a UTC column as the project's wall clock."""
        return dates.local(column, self.first, max(self.last, self.context.local_now))

    def subquery(self, node: Node, scope: Scope) -> Relation:
        """A query inside an expression."""
        raise QueryError("A subquery cannot stand here.", attr="query")

    def filters(self, scope: Scope) -> str:
        """What `{filters}` stands for."""
        raise QueryError("{filters} cannot stand here.", attr="query")

    # -- expressions ---------------------------------------------------------------------------------------------------

    def expression(self, node: Node, scope: Scope, *, truth: bool = False) -> Typed:
        """SQL for an expression. With `truth`, NULL may stand for false (in WHERE), which is faster."""
        found = EXPRESSIONS[type(node)](self, node, scope, truth) if type(node) in EXPRESSIONS else self._refuse(node)
        self.size += len(found.sql)
        if len(found.sql) > SQL_LIMIT or self.size > 40 * SQL_LIMIT:
            raise QueryError("The query is too large once its aliases are written out.", attr="query")
        return found

    def _refuse(self, node: Node) -> Typed:
        raise QueryError(f"{type(node).__name__} cannot stand here.", attr="query")

    def _literal(self, node: Literal, scope: Scope, truth: bool) -> Typed:
        value = node.value
        if value is None:
            return Typed("null", "Nothing")
        if isinstance(value, str):
            return Typed(self.scan.bind(value) + "::varchar", "String", False)
        if isinstance(value, bool):
            return Typed(str(value).lower(), "Bool", False)
        if isinstance(value, int):
            return Typed(str(value) if abs(value) < 10**37 else f"{float(value)!r}", "Int64", False)
        return Typed(f"{value!r}::double" if abs(value) < 1e308 else "null", "Float64", False)

    def _field(self, node: Field, scope: Scope, truth: bool) -> Typed:
        first = node.chain[0]
        if first in scope.locals:
            return scope.locals[first] if len(node.chain) == 1 else self._refuse(node)
        if len(node.chain) == 1 and first in scope.aliases and first not in scope.expanding:
            with scope.expanded(first) as stands_for:
                return self.expression(stands_for, scope)
        return scope.find(node.chain)

    def _alias(self, node: Alias, scope: Scope, truth: bool) -> Typed:
        scope.aliases.setdefault(node.name, node.what)
        return self.expression(node.what, scope)

    def _placeholder(self, node: Placeholder, scope: Scope, truth: bool) -> Typed:
        name = ".".join(node.chain)
        if name == "filters":
            return Typed(self.filters(scope), "UInt8", False)
        if name not in self.values:
            known = ", ".join(self.values) or "none"
            raise QueryError(f"Unresolved placeholder: {{{name}}}. Values are given for: {known}.", attr="query")
        return self.expression(_valued(self.values[name]), scope)

    def _interval(self, node: Interval, scope: Scope, truth: bool) -> Typed:
        return self.expression(Call(f"toInterval{node.unit.capitalize()}", (node.count,)), scope)

    def _subquery(self, node: Subquery, scope: Scope, truth: bool) -> Typed:
        relation = self.subquery(node.query, scope)
        if len(relation.columns) != 1:
            raise QueryError("A subquery used as a value needs exactly one column.", attr="query")
        column = next(iter(relation.columns.values()))
        return replace(column, sql=f"({relation.sql})", nullable=True)

    def _cast(self, node: Cast, scope: Scope, truth: bool) -> Typed:
        base = node.type.lower().split("(")[0]
        base = CAST_NAMES.get(base, base)
        if base == "nullable":
            return self.expression(Cast(node.what, node.type[9:-1]), scope)
        what = self.expression(node.what, scope)
        if base == "datetime":
            return self.time(what)
        if base not in CASTS:
            raise QueryError(
                f"Unknown type '{node.type}'. Use Int64, Float64, String, Bool, UUID, Date or DateTime.", attr="query"
            )
        template, kind = CASTS[base]
        return Typed(template.format(what.sql), kind, what.nullable or kind not in ("String",))

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, node: Call, scope: Scope, truth: bool) -> Typed:
        name = CANONICAL.get(node.name.lower(), node.name) if node.name not in CALLS else node.name
        if node.over:
            return self._windowed(name, node, scope)
        if name in CALLS:
            _check_count(name, node, *COUNTS.get(name, (0, 1000)))
            return CALLS[name](self, replace(node, name=name), scope, truth)
        if name in functions.LAMBDAS:
            return self._lambda_call(name, node, scope)
        if name in functions.PLAIN:
            return self._plain(name, functions.PLAIN[name], node, scope)
        return self.aggregate(name, node, scope)

    def _plain(self, name: str, function: functions.Function, node: Call, scope: Scope) -> Typed:
        _check_count(name, node, function.fewest, function.most)
        args = [self.expression(arg, scope) for arg in node.args]
        return written(function, args)

    def args(self, node: Call, scope: Scope) -> list[Typed]:
        return [self.expression(arg, scope) for arg in node.args]

    def _lambda_call(self, name: str, node: Call, scope: Scope) -> Typed:
        template, kind = functions.LAMBDAS[name]
        _check_count(name, node, 2, 2)
        function, array = node.args
        listed = self.expression(array, scope)
        if not isinstance(function, Lambda) or len(function.names) != 1:
            raise QueryError(f"{name} needs a lambda of one argument, such as {name}(x -> x + 1, array).", attr="query")
        [argument] = function.names
        inner = element(listed.type)
        own = replace(scope, locals={**scope.locals, argument: Typed(identifier(argument), inner, False)})
        body = self.expression(function.body, own)
        sql = fill(template, [f"lambda {identifier(argument)}: {body.sql}", listed.sql])
        if name == "arrayMap":
            return Typed(sql, f"Array({body.type})", listed.nullable)
        return Typed(sql, inner if kind == "Any" else (listed.type if kind == "=1" else kind), listed.nullable)

    def aggregate(self, name: str, node: Call, scope: Scope) -> Typed:
        """An aggregate, perhaps with -If (a condition as its last argument) or -Distinct."""
        condition, base, args = "", name, node.args
        if not _is_aggregate(base) and name.endswith("If") and _is_aggregate(name[:-2]):
            base, args = name[:-2], node.args[:-1]
            if not node.args:
                raise QueryError(f"{name} needs a condition as its last argument.", attr="query")
            condition = self.expression(node.args[-1], scope, truth=True).sql
        if not _is_aggregate(base):
            raise functions.unknown(name, list(CALLS))
        return self._aggregated(base, replace(node, args=args), scope, condition)

    def _aggregated(self, base: str, node: Call, scope: Scope, condition: str) -> Typed:
        if base == "count":
            return self._count(node, scope, condition)
        args = self.args(node, scope)
        if base in functions.QUANTILES:
            return self._quantile(base, node, [_numeric(arg) for arg in args], condition)
        args = [_numeric(arg) for arg in args] if base in functions.NUMERIC else args
        function = functions.AGGREGATES[base]
        _check_count(base, node, function.fewest, function.most)
        if base.startswith("group") and base.endswith("Array"):
            return _grouped(written(function, args), args[0], condition)
        if base in ("uniq", "uniqExact", "countDistinct") and isinstance(node.args[0], Field):
            args = [self._person_number(node.args[0], scope) or args[0]]
        found = written(replace(function, template=_distinct(function.template, node.distinct)), args)
        sql = found.sql + (f" filter (where {condition})" if condition else "")
        if base == "sum":
            return Typed(f"coalesce({sql}, 0)", _summed(args[0].type), False)
        nullable = args[0].nullable if found.type != "Float64" else True
        return Typed(sql, found.type, found.nullable and nullable)

    def _person_number(self, field: Field, scope: Scope) -> Typed | None:
        """Persons are counted by their number: no join, half the time."""
        for source in scope.sources.values():
            own = field.chain[1:] if field.chain[0] == source.alias else field.chain
            if (
                isinstance(source, Events)
                and own in (("person_id",), ("person", "id"))
                and not scope.aliases.get("person_id")
            ):
                return Typed(f"{source.scan.events}.pid", "UInt64", False)
        return None

    def _count(self, node: Call, scope: Scope, condition: str) -> Typed:
        inner = "*"
        if node.args:
            inner = ", ".join(arg.sql for arg in self.args(node, scope))
            inner = f"distinct {inner}" if node.distinct and len(node.args) == 1 else inner
            inner = f"distinct ({inner})" if node.distinct and len(node.args) > 1 else inner
        return Typed(f"count({inner})" + (f" filter (where {condition})" if condition else ""), "UInt64", False)

    def _quantile(self, base: str, node: Call, args: list[Typed], condition: str) -> Typed:
        levels = [param.value for param in node.params if isinstance(param, Literal)] or [0.5]
        if len(args) != 1 or not all(isinstance(x, (int, float)) and 0 <= x <= 1 for x in levels):
            raise QueryError(f"{base} takes a level between 0 and 1, then one value: {base}(0.9)(x).", attr="query")
        share = f"[{', '.join(map(str, levels))}]" if base == "quantiles" else str(levels[0])
        sql = f"{functions.QUANTILES[base]}({args[0].sql}, {share})"
        sql += f" filter (where {condition})" if condition else ""
        return Typed(sql, "Array(Float64)" if base == "quantiles" else "Float64")

    def _windowed(self, name: str, node: Call, scope: Scope) -> Typed:
        if name in functions.WINDOWS:
            template, kind, fewest = functions.WINDOWS[name]
            _check_count(name, node, fewest, 3)
            args = self.args(node, scope)
            found = written(functions.Function(template, kind, 0, 9, None if kind == "=" else False), args)
        else:
            found = self.aggregate(name, replace(node, over=None), scope)
        over = self._over(node.over or Window(), scope)
        if found.sql.startswith("coalesce("):
            inner, default = found.sql[len("coalesce(") :].rsplit(", ", 1)
            return replace(found, sql=f"coalesce({inner} over {over}, {default}")
        sql = f"{found.sql} over {over}"
        if name in functions.WINDOWS and not found.nullable and found.type in DEFAULTS:
            sql = f"coalesce({sql}, {DEFAULTS[found.type]})"
        return replace(found, sql=sql)

    def _over(self, window: Window, scope: Scope) -> str:
        if window.name:
            if window.name not in scope.windows:
                raise QueryError(f"There is no window `{window.name}`.", attr="query")
            window = scope.windows[window.name]
        if window.frame and not FRAME.match(window.frame):
            raise QueryError(f"'{window.frame}' is no window frame.", attr="query")
        partition = ", ".join(self.expression(part, scope).sql for part in window.partition)
        parts = [f"partition by {partition}" if partition else "", self.ordered(window.order, scope), window.frame]
        return f"({' '.join(part for part in parts if part)})"

    def ordered(self, order: tuple[OrderBy, ...], scope: Scope) -> str:
        """ORDER BY; NULL goes last, as in ClickHouse."""
        if not order:
            return ""
        return "order by " + ", ".join(
            f"{self.expression(item.what, scope).sql}{' desc' if item.descending else ''} nulls {item.nulls or 'last'}"
            for item in order
        )

    # -- time ----------------------------------------------------------------------------------------------------------

    def time(self, what: Typed) -> Typed:
        if what.type in ("DateTime", "Date"):
            return Typed(f"{what.sql}::timestamp", "DateTime", what.nullable)
        if what.type in NUMBERS:
            return Typed(self.clock(f"make_timestamp(({what.sql} * 1000000)::bigint)"), "DateTime", what.nullable)
        return Typed(self.clock(TIME.format(what.sql)), "DateTime", True)

    def moment(self, text: str) -> Typed | None:
        """A date in a string, as the project's wall clock; None when it is none."""
        try:
            moment = datetime.fromisoformat(text.strip().replace(" UTC", "+00:00"))
        except ValueError:
            return None
        if moment.tzinfo:
            moment = moment.astimezone(self.context.local_now.tzinfo).replace(tzinfo=None)
        return Typed(f"{self.scan.bind(moment)}::timestamp", "DateTime", False)

    def as_time(self, node: Node, scope: Scope) -> Typed:
        """An expression as a time; strings are parsed."""
        if isinstance(node, Literal) and isinstance(node.value, str):
            found = self.moment(node.value)
            if not found:
                raise QueryError(f"'{node.value}' is no date.", attr="query")
            return found
        return self.time(self.expression(node, scope))


def _valued(value: Any) -> Node:
    if isinstance(value, list):
        return Call("array", tuple(_valued(item) for item in value))
    if value is None or isinstance(value, (str, int, float, bool)):
        return Literal(value)
    raise QueryError("Values for placeholders must be text, numbers, booleans or lists of them.", attr="values")


def fill(template: str, args: list[str]) -> str:
    """A template with its arguments."""
    return HOLE.sub(lambda m: ", ".join(args) if m[1] == "*" else args[int(m[1])], template)


def written(function: functions.Function, args: list[Typed]) -> Typed:
    """A call of a function from the table."""
    nullable = any(arg.nullable for arg in args) if function.nullable is None else function.nullable
    return Typed(fill(function.template, [arg.sql for arg in args]), _type(function.type, args), nullable)


def _type(kind: str, args: list[Typed]) -> str:
    first = args[0].type if args else "Any"
    if kind == "time":
        return first if first in ("Date", "DateTime") else "DateTime"
    return {"=": first, "[]": f"Array({first})", "el": element(first), "sum": first}.get(kind, kind)


def element(kind: str) -> str:
    """What an array of this type holds."""
    return kind[6:-1] if kind.startswith("Array(") else "Any"


def _summed(kind: str) -> str:
    return "Float64" if kind == "Float64" else ("UInt64" if kind in ("UInt8", "UInt64", "Bool") else "Int64")


def _numeric(value: Typed) -> Typed:
    """Text that should be a number; what is none counts as missing."""
    if value.type == "String":
        return Typed(f"try_cast({value.sql} as double)", "Float64")
    return replace(value, sql=f"({value.sql})::integer") if value.type in ("UInt8", "Bool") else value


def _grouped(found: Typed, inner: Typed, condition: str) -> Typed:
    where = [f"{inner.sql} is not null"] if inner.nullable else []
    where += [f"({condition})"] if condition else []
    sql = found.sql + (f" filter (where {' and '.join(where)})" if where else "")
    return Typed(f"coalesce({sql}, [])", found.type, False)


def _distinct(template: str, distinct: bool) -> str:
    return template.replace("({0}", "(distinct {0}", 1) if distinct and "distinct" not in template else template


def _is_aggregate(name: str) -> bool:
    return name == "count" or name in functions.AGGREGATES or name in functions.QUANTILES


def _check_count(name: str, node: Call, fewest: int, most: int) -> None:
    given = len(node.args)
    if not fewest <= given <= most:
        wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise QueryError(f"{name} takes {wanted} arguments, not {given}.", attr="query")


Handler = Callable[[Compiler, Call, Scope, bool], Typed]
EXPRESSIONS: dict[type[Node], Callable[[Compiler, Any, Scope, bool], Typed]] = {
    Literal: Compiler._literal,
    Field: Compiler._field,
    Alias: Compiler._alias,
    Placeholder: Compiler._placeholder,
    Interval: Compiler._interval,
    Subquery: Compiler._subquery,
    Cast: Compiler._cast,
    Call: Compiler._call,
}
# Filled by calls.py: functions that need more than a template.
CALLS: dict[str, Handler] = {}
COUNTS: dict[str, tuple[int, int]] = {}
CANONICAL: dict[str, str] = {}
