"""Aggregates, with -If, DISTINCT and levels; and window functions."""

from __future__ import annotations

import re
from dataclasses import replace

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import functions
from insights_mcp.local.queries.hogql.compiling import CALLS, Compiler, check_count, written
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Events, Typed
from insights_mcp.local.queries.hogql.tree import Call, Field, Literal, Node, OrderBy, Window

LISTS = ("groupArray", "groupUniqArray", "groupArrayDistinct", "groupArraySorted", "topK")
DEFAULTS = {"String": "''", "Int64": "0", "UInt64": "0", "Float64": "0", "UInt8": "false"}
FRAME = re.compile(
    r"^(rows|range)( between)?( (unbounded|\d+) (preceding|following)| current row)"
    r"( and( (unbounded|\d+) (preceding|following)| current row))?$"
)


class Aggregates(Compiler):
    """Compiles what is computed over several rows."""

    def aggregate(self, name: str, node: Call, scope: Scope) -> Typed:
        """An aggregate, perhaps with -If (a condition as its last argument) or -Distinct."""
        condition, base, args = "", name, node.args
        if not is_aggregate(base) and name.endswith("If") and is_aggregate(name[:-2]):
            base, args = name[:-2], node.args[:-1]
            if not node.args:
                raise QueryError(f"{name} needs a condition as its last argument.", attr="query")
            condition = self.expression(node.args[-1], scope, truth=True).sql
        if not is_aggregate(base):
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
        check_count(base, node, function.fewest, function.most)
        if base in LISTS:
            return self._listed(base, function, node, args[0], condition)
        if base == "uniq" and len(args) > 1:
            args = [Typed(f"({', '.join(arg.sql for arg in args)})", "Tuple", False)]
        if base in ("uniq", "uniqExact", "countDistinct") and node.args:
            args = [self.person_number(node.args[0], scope) or args[0]]
        found = written(replace(function, template=_distinct(function.template, node.distinct)), args)
        sql = found.sql + (f" filter (where {condition})" if condition else "")
        if base == "sum":
            return Typed(f"coalesce({sql}, 0)", _summed(args[0].type), False)
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
                and own in (("person_id",), ("person", "id"))
                and not scope.aliases.get("person_id")
            ):
                return Typed(f"{source.scan.events}.pid", "UInt64", False)
        return None

    def _listed(
        self, base: str, function: functions.Function, node: Call, arg: Typed, condition: str
    ) -> Typed:  # fmt: skip
        """Values in an array: all of them, or as many as the parameter says."""
        most = node.params[0].value if node.params and isinstance(node.params[0], Literal) else None
        if most is not None and (not isinstance(most, int) or not 0 < most <= 100_000):
            raise QueryError(f"{base}({most}) needs a whole number of elements.", attr="query")
        if base == "topK":
            function = replace(function, template=f"approx_top_k({{0}}, {most or 10})")
        found = _grouped(written(function, [arg]), arg, condition)
        return replace(found, sql=f"{found.sql}[:{most}]") if most and base != "topK" else found

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

    def windowed(self, name: str, node: Call, scope: Scope) -> Typed:
        if name in functions.WINDOWS:
            template, kind, fewest = functions.WINDOWS[name]
            check_count(name, node, fewest, 3)
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


def is_aggregate(name: str) -> bool:
    """Whether a function is computed over several rows."""
    return name == "count" or name in functions.AGGREGATES or name in functions.QUANTILES
