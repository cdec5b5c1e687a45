"""A HogQL tree as DuckDB SQL: names resolved, functions from the table, HogQL's meaning of NULL.

Only text written here reaches DuckDB: names are looked up and quoted, strings are bound, functions are known ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from insights_mcp.local.queries import zones
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import combinators, exact, exact_calls, fitting, functions, moment_formats
from insights_mcp.local.queries.hogql.parsing import FOLD, folded
from insights_mcp.local.queries.hogql.places import placed
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import Function
from insights_mcp.local.queries.hogql.sources import SECONDS, TIME, Relation, Typed, exact_type
from insights_mcp.local.queries.hogql.templates import check_count, written
from insights_mcp.local.queries.hogql.tree import (
    Alias,
    Call,
    Field,
    Interval,
    Lambda,
    Literal,
    Node,
    Placeholder,
    Settled,
    Subquery,
)
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Scan

SQL_LIMIT = 500_000
NUMBERS = frozenset({"Int64", "UInt64", "Float64", "UInt8", "Bool"})
TIMES = ("DateTime", "Date")
SIGNS = {"less": "<", "lessOrEquals": "<=", "greater": ">", "greaterOrEquals": ">="}
COMPARED = (*SIGNS, "equals", "notEquals")
BOUNDS = ("filters.dateRange.from", "filters.dateRange.to")
ARITHMETIC = {"plus": "+", "minus": "-", "multiply": "*"}
LIKES = {"like": "like", "ilike": "ilike"}
NOT_LIKES = {"notLike": "like", "notILike": "ilike"}


class Compiler:
    """Compiles expressions; `statements.py`'s trees are compiled by the subclass in selects.py."""

    def __init__(self, scan: Scan, context: Context, values: dict[str, Any] | None = None) -> None:
        self.scan = scan
        self.context = context
        self.values = values or {}
        self.size = 0
        self.seen: dict[int, tuple[Node, str]] = {}
        seen = context.catalogue.events.values()
        zone = context.local_now.tzinfo
        self.first = min((row.first_seen for row in seen), default=context.now).astimezone(zone)
        self.last = max((row.last_seen for row in seen), default=context.now).astimezone(zone)

    def clock(self, column: str) -> str:
        """SQL: a UTC column as the project's wall clock."""
        return zones.local(column, self.first, max(self.last, self.context.local_now))

    def subquery(self, node: Node, scope: Scope) -> Relation:
        """A query inside an expression."""
        raise QueryError("A subquery cannot stand here.", attr="query")

    def filters(self, scope: Scope) -> str:
        """What `{filters}` stands for."""
        raise QueryError("{filters} cannot stand here.", attr="query")

    def filter_date(self, start: bool) -> Typed | None:
        """What `{filters.dateRange.from}` or `.to` stands for; None when there is no such bound."""
        raise QueryError("{filters} cannot stand here.", attr="query")

    def person_number(self, field: Node, scope: Scope) -> Typed | None:
        """The number of the person of an event, if that is what the field is; see aggregates.py."""
        raise NotImplementedError

    def aggregate(self, name: str, node: Call, scope: Scope) -> Typed:
        """A value computed over several rows; see aggregates.py."""
        raise NotImplementedError

    def windowed(self, name: str, node: Call, scope: Scope) -> Typed:
        """A call with OVER; see aggregates.py."""
        raise NotImplementedError

    # -- expressions ---------------------------------------------------------------------------------------------------

    def expression(self, node: Node, scope: Scope, *, truth: bool = False) -> Typed:
        """SQL for an expression. With `truth`, NULL may stand for false (in WHERE), which is faster."""
        try:
            written = EXPRESSIONS.get(type(node), Compiler._refused)
            found = written(self, node, scope, truth)
        except QueryError as error:
            raise placed(error, node.at) from None
        found = replace(found, exact=self._exact(node, found)) if isinstance(node, Call) else found
        self.seen[id(node)] = node, exact_type(found)
        self.size += len(found.sql)
        if len(found.sql) > SQL_LIMIT or self.size > 40 * SQL_LIMIT:
            raise QueryError("The query is too large once its aliases are written out.", attr="query")
        return found

    def _exact(self, node: Call, found: Typed) -> str | None:
        """The type of a call as an answer names it; None where that is as it is compiled."""
        given = [each for each in node.args if not isinstance(each, Lambda)]
        kinds = [self.seen.get(id(each), (each, "String"))[1] for each in given]  # a constant may not be compiled
        name = CANONICAL.get(node.name.lower(), node.name) if node.name not in CALLS else node.name
        if node.form == "-":
            name, kinds = "minus", ["UInt8", *kinds]
        lambdas = [each.body for each in node.args if isinstance(each, Lambda)]
        body = self.seen[id(lambdas[0])][1] if lambdas and id(lambdas[0]) in self.seen else None
        if node.over and (of_window := exact_calls.of_window(name, kinds)):
            return of_window
        return exact_calls.of_call(name, kinds, body) or combinators.exactly(name, kinds) or found.exact

    def _refused(self, node: Node, scope: Scope, truth: bool) -> Typed:
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
            whole = str(value) if abs(value) < 10**37 else f"{float(value)!r}"
            return Typed(f"({whole})" if value < 0 else whole, "Int64", False, _narrowest(value))
        return Typed(f"({value!r})::double" if abs(value) < 1e308 else f"'{value}'::double", "Float64", False)

    def _field(self, node: Field, scope: Scope, truth: bool) -> Typed:
        first = node.chain[0]
        if first in scope.locals:
            return scope.locals[first] if len(node.chain) == 1 else self._refused(node, scope, truth)
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
        if name in BOUNDS:
            bound = self.filter_date(name.endswith("from"))
            if bound is None:
                raise QueryError(
                    f"The `{{{name}}}` placeholder must be used directly in a comparison where no dates are given,"
                    f" such as timestamp > {{{name}}}.", attr="query",
                )  # fmt: skip
            return bound
        if node.chain[0] == "filters" and name not in self.values:
            known = ", ".join(f"`{{{each}}}`" for each in ("filters", *BOUNDS))
            raise QueryError(f"Unsupported filters placeholder `{{{name}}}`. There are {known}.", attr="query")
        return self.expression(self._given(name), scope)

    def settled(self, node: Node | None) -> Node | None:
        """A number that may be given as a value, as in LIMIT {n}."""
        return self._given(".".join(node.chain)) if isinstance(node, Placeholder) else node

    def _given(self, name: str) -> Node:
        """The value that is given for a name."""
        if name in self.values:
            return _valued(self.values[name])
        kind, _, variable = name.rpartition("variables.")
        if variable != name and not kind:
            codes = [each.removeprefix("variables.") for each in self.values]
            near = get_close_matches(variable, codes, 1)
            hint = f" Did you mean: {near[0]}?" if near else ""
            raise QueryError(f"Variable {variable} is missing from query.{hint}", attr="query")
        known = ", ".join(self.values) or "none"
        raise QueryError(f"Unresolved placeholder: {{{name}}}. Values are given for: {known}.", attr="query")

    def _settled(self, node: Settled, scope: Scope, truth: bool) -> Typed:
        return self.expression(self._with_values(node.what), scope, truth=truth)

    def _with_values(self, node: Node) -> Node:
        """An expression with its values; of `a ? b : c` what holds, and `sql(…)` is left as it is."""
        if isinstance(node, Field):
            name = ".".join(node.chain)
            return _valued(self.values[name]) if name in self.values else Placeholder(node.chain)
        if not isinstance(node, Call):
            return node
        if node.name == "sql" and len(node.args) == 1:
            return node.args[0]
        args = tuple(self._with_values(arg) for arg in node.args)
        if node.name == "if" and len(args) == 3 and isinstance(args[0], Literal):
            return args[1] if args[0].value else args[2]
        if node.name in FOLD and len(args) == 2:
            return folded(replace(node, args=args))
        return replace(node, args=args)

    def _interval(self, node: Interval, scope: Scope, truth: bool) -> Typed:
        return self.expression(Call(f"toInterval{node.unit.capitalize()}", (node.count,)), scope)

    def _subquery(self, node: Subquery, scope: Scope, truth: bool) -> Typed:
        relation = self.subquery(node.query, scope)
        if len(relation.columns) != 1:
            raise QueryError("A subquery used as a value needs exactly one column.", attr="query")
        column = next(iter(relation.columns.values()))
        return replace(column, sql=f"({relation.sql})", nullable=True, exact=exact.nullable(exact_type(column)))

    # -- calls ---------------------------------------------------------------------------------------------------------

    def _call(self, node: Call, scope: Scope, truth: bool) -> Typed:
        name = CANONICAL.get(node.name.lower(), node.name) if node.name not in CALLS else node.name
        if node.over and ((name in CALLS and name != "count") or name in functions.PLAIN):
            raise QueryError(f"{name} is no window function, so it takes no OVER.", attr="query")
        if node.over:
            return self.windowed(name, node, scope)
        if name in COMPARED and any(self._is_unbounded(arg) for arg in node.args):
            return Typed("true", "UInt8", False)
        if name in CALLS:
            check_count(name, node, *COUNTS.get(name, (0, 1000)))
            found = CALLS[name](self, replace(node, name=name), scope, truth)
        elif name in functions.PLAIN:
            found = self._plain(name, functions.PLAIN[name], node, scope)
        else:
            return self.aggregate(name, node, scope)
        given = [each for each in node.args if not isinstance(each, Lambda)]
        fitting.checked(name, [self.seen.get(id(each), (each, "Any"))[1] for each in given])
        return found

    def _is_unbounded(self, node: Node) -> bool:
        """Whether this is a bound of the dates that is not given: what is compared with it holds."""
        name = ".".join(node.chain) if isinstance(node, Placeholder) else ""
        return name in BOUNDS and self.filter_date(name.endswith("from")) is None

    def _plain(self, name: str, function: Function, node: Call, scope: Scope) -> Typed:
        node = _zoned(node, function)
        check_count(name, node, function.fewest, function.most)
        args = [self.expression(arg, scope) for arg in node.args]
        found = functions.strict(name, written(function, args), args)
        if found.type == "DateTime" and name.startswith("toStartOf") and name != "toStartOfSecond":
            return replace(found, shown=SECONDS)
        return replace(found, shown=name.removeprefix("to")) if name.startswith("toInterval") else found

    def args(self, node: Call, scope: Scope) -> list[Typed]:
        return [self.expression(arg, scope) for arg in node.args]

    def time(self, what: Typed) -> Typed:
        if what.type in ("DateTime", "Date"):
            return Typed(f"{what.sql}::timestamp", "DateTime", what.nullable)
        if what.type in NUMBERS:
            return Typed(
                self.clock(f"make_timestamp(({what.sql}::double * 1000000)::bigint)"), "DateTime", what.nullable
            )
        return Typed(self.clock(TIME.format(what.sql)), "DateTime", True)

    def moment(self, text: str) -> Typed | None:
        """A date in a string, as the project's wall clock; None when it is none."""
        moment = moment_formats.read(text)
        if moment is None:
            return None
        if moment.tzinfo:
            moment = moment.astimezone(self.context.local_now.tzinfo).replace(tzinfo=None)
        return Typed(f"{self.scan.bind(moment)}::timestamp", "DateTime", False)

    def as_time(self, node: Node, scope: Scope) -> Typed:
        """An expression as a time; strings are parsed."""
        if isinstance(node, Literal) and isinstance(node.value, str):
            found = self.moment(node.value)
            return found or Typed("null::timestamp", "DateTime", True)
        return self.time(self.expression(node, scope))


def _narrowest(value: int) -> str:
    """The smallest type of ClickHouse that holds a whole number, which is what its constants are."""
    sizes = (8, 16, 32, 64, 128)
    if value >= 0:
        return next((f"UInt{size}" for size in sizes if value < 2**size), "UInt256")
    return next((f"Int{size}" for size in sizes if value >= -(2 ** (size - 1))), "Int256")


def _valued(value: Any) -> Node:
    if isinstance(value, list):
        return Call("array", tuple(_valued(item) for item in value))
    if value is None or isinstance(value, (str, int, float, bool)):
        return Literal(value)
    raise QueryError("Values for placeholders must be text, numbers, booleans or lists of them.", attr="values")


def _zoned(node: Call, function: Function) -> Call:
    """toHour(time, zone) is toHour(toTimeZone(time, zone))."""
    extra = node.args[-1] if node.name.startswith("to") and len(node.args) == function.most + 1 else None
    if not isinstance(extra, Literal) or not isinstance(extra.value, str) or len(node.args) < 2:
        return node
    first = Call("toTimeZone", (node.args[0], extra))
    return replace(node, args=(first, *node.args[1:-1]))


Handler = Callable[[Compiler, Call, Scope, bool], Typed]
EXPRESSIONS: dict[type[Node], Callable[[Compiler, Any, Scope, bool], Typed]] = {
    Literal: Compiler._literal,
    Field: Compiler._field,
    Alias: Compiler._alias,
    Placeholder: Compiler._placeholder,
    Settled: Compiler._settled,
    Interval: Compiler._interval,
    Subquery: Compiler._subquery,
    Call: Compiler._call,
}
# Filled by calls.py, and with casts: functions that need more than a template.
CALLS: dict[str, Handler] = {}
COUNTS: dict[str, tuple[int, int]] = {}
CANONICAL: dict[str, str] = {}
