"""Aggregates, with -If, DISTINCT and levels; and window functions."""

from __future__ import annotations

import re
from dataclasses import replace

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import aggregations, combinators, fitting, functions
from insights_mcp.local.queries.hogql.combinators import Combined
from insights_mcp.local.queries.hogql.compiling import CALLS, Compiler
from insights_mcp.local.queries.hogql.people import Events
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import DEFAULTS, Function, default_of
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.templates import check_count, fill, written
from insights_mcp.local.queries.hogql.tree import Call, Field, Literal, Node, OrderBy, Window

COUNTED = ("uniq", "uniqExact", "countDistinct")
# How aggregates begin that gather a list first.
HELD = ("list_", "flatten(", "case ", "(", "coalesce(list_transform(")
# One call, to which FILTER and OVER can be put.
SIMPLE = re.compile(r"^\w+\([^()]*\)$")
NEIGHBOURS = ("lag", "lead")
FRAME = re.compile(
    r"^(rows|range)( between)?( (unbounded|\d+) (preceding|following)| current row)"
    r"( and( (unbounded|\d+) (preceding|following)| current row))?$"
)


class Aggregates(Compiler):
    """Compiles what is computed over several rows."""

    # The aggregate whose arguments are compiled.
    within = ""

    def aggregate(self, name: str, node: Call, scope: Scope) -> Typed:
        """An aggregate, perhaps with suffixes such as -If (a condition as its last argument) or -OrNull."""
        parts = combinators.taken_apart(name)
        if parts is None:
            raise functions.unknown(name, list(CALLS))
        if self.within:
            text = f"Aggregation '{name}' cannot be nested inside another aggregation '{self.within}'; use a subquery."
            raise QueryError(text, attr="query")
        self.within = name
        try:
            return self._of_rows(name, parts, node, scope)
        finally:
            self.within = ""

    def _of_rows(self, name: str, parts: Combined, node: Call, scope: Scope) -> Typed:
        if name in CALLS and not parts.given and parts.how is None and name != "count":
            return CALLS[name](self, node, scope, False)
        condition, args = "", node.args
        if parts.given:
            if not args:
                raise QueryError(f"{name} needs a condition as its last argument.", attr="query")
            condition, args = self.expression(args[-1], scope, truth=True).sql, args[:-1]
        node = replace(node, args=args)
        if parts.how:
            found = combinators.combined(parts, node, self._gathered(parts, node, scope), condition)
        else:
            found = self._aggregated(parts.base, node, scope, condition)
        return self._when_empty(parts, found, node, scope, condition)

    def _gathered(self, parts: Combined, node: Call, scope: Scope) -> list[Typed]:
        args = self.args(node, scope)
        plain = parts.how in ("State", "ArgMin", "ArgMax") and parts.base in aggregations.NUMERIC
        return [_numeric(args[0]), *args[1:]] if plain and args else args

    def _when_empty(self, parts: Combined, found: Typed, node: Call, scope: Scope, condition: str) -> Typed:
        if parts.empty == "OrDefault":
            return Typed(f"coalesce({found.sql}, {default_of(found.type)})", found.type, False)
        if parts.empty is None or found.nullable:
            return found
        counted = self.expression(node.args[0], scope).sql if node.args else "*"
        where = f" filter (where {condition})" if condition else ""
        return Typed(f"case when count({counted}){where} > 0 then {found.sql} end", found.type, True)

    def _aggregated(self, base: str, node: Call, scope: Scope, condition: str) -> Typed:
        if base == "count":
            return self._count(node, scope, condition)
        person = self.person_number(node.args[0], scope) if base in COUNTED and len(node.args) == 1 else None
        args = [person] if person else self.args(node, scope)
        if args:
            fitting.gathered(base, args[0])
        if base in aggregations.QUANTILES:
            return self._quantile(base, node, [_numeric(arg) for arg in args], condition)
        args = [_numeric(arg) for arg in args] if base in aggregations.NUMERIC else args
        function = aggregations.AGGREGATES[base]
        check_count(base, node, function.fewest, 50 if base in COUNTED else function.most)
        if base in aggregations.LISTS:
            return self._listed(base, function, node, args[0], condition)
        if base in COUNTED and len(args) > 1:
            args = [Typed(f"({', '.join(arg.sql for arg in args)})", "Tuple", False)]
        return self._written(base, function, node, args, condition)

    def _written(self, base: str, function: Function, node: Call, args: list[Typed], condition: str) -> Typed:
        template = _distinct(
            function.template if len(args) > 1 else function.forms.get(1, function.template), node.distinct
        )
        template = template.replace("{p}", _size(node))
        if "{d}" in template:
            template = template.replace("{d}", f"{self.scan.bind(_delimiter(node))}::varchar")
        if condition and not SIMPLE.match(template):  # several aggregates: each sees only what is meant
            args = [replace(arg, sql=f"case when {condition} then {arg.sql} end") for arg in args]
            condition = ""
        found = written(replace(function, template=template, forms={}), args)
        sql = found.sql + (f" filter (where {condition})" if condition else "")
        if function.type == "sum":  # of nothing it is 0, but NULL where there might have been NULL
            kind = _summed(args[0].type)
            return Typed(sql, kind, True) if args[0].nullable else Typed(f"coalesce({sql}, 0)", kind, False)
        if function.type == "=" and not any(arg.nullable for arg in args) and default_of(found.type) != "null":
            return Typed(f"coalesce({sql}, {default_of(found.type)})", found.type, False)
        nullable = args[0].nullable if found.type != "Float64" else True
        return Typed(sql, found.type, found.nullable and nullable)

    def person_number(self, field: Node, scope: Scope) -> Typed | None:
        """Persons are counted by their number: no join, half the time. None when this is not the person of an event."""
        if not isinstance(field, Field):
            return None
        for source in scope.sources.values():
            own = field.chain[1:] if field.chain[0] == source.alias else field.chain
            if (
                isinstance(source, Events)
                and not source.optional
                and own in (("person_id",), ("person", "id"))
                and not scope.aliases.get("person_id")
            ):
                return Typed(f"{source.scan.events}.pid", "UInt64", False)
        return None

    def _listed(
        self, base: str, function: Function, node: Call, arg: Typed, condition: str
    ) -> Typed:  # fmt: skip
        """Values in an array: all of them, or as many as the parameter says."""
        most = node.params[0].value if node.params and isinstance(node.params[0], Literal) else None
        if most is not None and (not isinstance(most, int) or not 0 < most <= 100_000):
            raise QueryError(f"{base}({most}) needs a whole number of elements.", attr="query")
        if base == "topK":
            function = replace(function, template=f"approx_top_k({{0}}, {most or 10})", forms={})
        found = _grouped(written(function, [arg]), arg, condition)
        return replace(found, sql=f"{found.sql}[:{most}]") if most and base != "topK" else found

    def _count(self, node: Call, scope: Scope, condition: str) -> Typed:
        inner = "*"
        if not node.distinct:
            check_count("count", node, 0, 1)
        if node.args:
            inner = ", ".join(arg.sql for arg in self.args(node, scope))
            inner = f"distinct {inner}" if node.distinct and len(node.args) == 1 else inner
            inner = f"distinct ({inner})" if node.distinct and len(node.args) > 1 else inner
        return Typed(f"count({inner})" + (f" filter (where {condition})" if condition else ""), "UInt64", False)

    def _quantile(self, base: str, node: Call, args: list[Typed], condition: str) -> Typed:
        levels = [param.value for param in node.params if isinstance(param, Literal)] or [0.5]
        if len(args) != 1 or not all(isinstance(x, (int, float)) and 0 <= x <= 1 for x in levels):
            raise QueryError(f"{base} takes a level between 0 and 1, then one value: {base}(0.9)(x).", attr="query")
        how = aggregations.QUANTILES[base]
        if "{0}" in how:
            value = f"case when {condition} then {args[0].sql} end" if condition else args[0].sql
            return Typed(fill(how.replace("{p}", str(levels[0])), [value]), args[0].type, True)
        share = f"[{', '.join(map(str, levels))}]" if base == "quantiles" else str(levels[0])
        sql = f"{how}({args[0].sql}, {share})"
        sql += f" filter (where {condition})" if condition else ""
        return Typed(sql, "Array(Float64)" if base == "quantiles" else "Float64")

    def windowed(self, name: str, node: Call, scope: Scope) -> Typed:
        if name in functions.WINDOWS:
            template, kind, fewest = functions.WINDOWS[name]
            check_count(name, node, fewest, 3)
            args = self.args(node, scope)
            found = written(Function(template, kind, 0, 9, None if kind == "=" else False), args)
            if name in NEIGHBOURS:  # to PostHog the first has no neighbour before it, whatever its type
                found = replace(found, nullable=True)
            if name == "leadInFrame" and not self._looks_ahead(node.over or Window(), scope):
                return args[2] if len(args) > 2 else replace(args[0], sql=default_of(args[0].type))
        else:
            parts = combinators.taken_apart(name)
            if parts is None:
                raise functions.unknown(name, list(CALLS))
            found = self._of_rows(name, parts, replace(node, over=None), scope)
        if found.sql.startswith(HELD):
            raise QueryError(f"{name} takes no OVER; compute it in a subquery.", attr="query")
        over = self._over(node.over or Window(), scope)
        if found.sql.startswith("coalesce("):
            inner, default = found.sql[len("coalesce(") :].rsplit(", ", 1)
            return replace(found, sql=f"coalesce({inner} over {over}, {default}")
        sql = f"{found.sql} over {over}"
        if name in functions.WINDOWS and not found.nullable and found.type in DEFAULTS:
            sql = f"coalesce({sql}, {DEFAULTS[found.type]})"
        return replace(found, sql=sql)

    def _looks_ahead(self, window: Window, scope: Scope) -> bool:
        """Whether a frame holds what follows: without one, an order ends it at the current row."""
        window = scope.windows.get(window.name or "", window)
        return "following" in window.frame if window.frame else not window.order

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


def _size(node: Call) -> str:
    """How many values a moving sum looks back on."""
    value = node.params[0].value if node.params and isinstance(node.params[0], Literal) else None
    return str(value) if isinstance(value, int) and value > 0 else "1000000000"


def _delimiter(node: Call) -> str:
    """What groupConcat(', ')(x) puts between the values."""
    value = node.params[0].value if node.params and isinstance(node.params[0], Literal) else ""
    return value if isinstance(value, str) else ""


def is_aggregate(name: str) -> bool:
    """Whether a function is computed over several rows."""
    return combinators.taken_apart(name) is not None
