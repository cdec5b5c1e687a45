"""Names of aggregates taken apart: `sumIf`, `avgArrayOrNull`, `uniqState`; and aggregates over gathered lists.

ClickHouse's states are lists here: `uniqState(x)` gathers, `uniqMerge(state)` counts what several states gathered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import aggregations, exact_calls
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.templates import element, fill, written

if TYPE_CHECKING:
    from insights_mcp.local.queries.hogql.tree import Call

HOW = ("Array", "ForEach", "Map", "State", "Merge", "ArgMin", "ArgMax")
STATE = re.compile(r"^AggregateFunction\(\w+, (?P<inner>.*)\)$", re.DOTALL)
PER_KEY = (
    "list_transform([coalesce(flatten(list(map_entries({0}))), [])], lambda l: list_transform([list_sort(list_distinct("
    "list_transform(l, lambda e: e.key)))], lambda k: map(k, list_transform(k, lambda y: {each})))[1])[1]"
)
OF_KEY = "list_transform(list_filter(l, lambda e: e.key = y), lambda e: e.value)"


@dataclass(frozen=True)
class Combined:
    """`base`, `how` it is taken, what it gives when there is nothing, and whether a condition comes last."""

    base: str
    how: str | None
    empty: str | None
    given: bool


def known(name: str) -> bool:
    """Whether this is an aggregate without a suffix."""
    return name == "count" or name in aggregations.AGGREGATES or name in aggregations.QUANTILES


def taken_apart(name: str) -> Combined | None:
    """The parts of an aggregate's name; None when it is none."""
    if known(name):
        return Combined(name, None, None, False)
    base = name.removesuffix("If")
    empty = next((each for each in ("OrNull", "OrDefault") if base.endswith(each)), None)
    base = base.removesuffix(empty or "")
    if known(base):
        return Combined(base, None, empty, name.endswith("If"))
    how = next((each for each in HOW if base.endswith(each)), "")
    base = base.removesuffix(how)
    return Combined(base, how, empty, name.endswith("If")) if known(base) else None


def exactly(name: str, kinds: list[str]) -> str | None:
    """The exact type of an aggregate over values of these types; None where no rule says."""
    parts = taken_apart(name)
    if parts is None:
        return None
    return exact_calls.of_aggregate(parts.base, parts.how, parts.empty, kinds[:-1] if parts.given else kinds)


def combined(parts: Combined, node: Call, args: list[Typed], condition: str) -> Typed:
    """An aggregate over what was gathered: arrays, maps, states, or the rows where something is least."""
    where = f" filter (where {condition})" if condition else ""
    if parts.how in ("ArgMin", "ArgMax"):
        return _at_extreme(parts, node, args, where)
    if parts.how == "State":
        return _state(parts, args, condition)
    if len(args) != 1:
        raise QueryError(f"{node.name} takes one value.", attr="query")
    return {"Array": _array, "ForEach": _for_each, "Map": _map, "Merge": _merge}[str(parts.how)](
        parts, node, args[0], where
    )


def over_list(base: str, params: tuple[object, ...], listed: str, inner: str) -> Typed:
    """An aggregate over the elements of a list."""
    function = aggregations.OVER_LISTS.get(base)
    if function is None:
        known_ones = ", ".join(aggregations.OVER_LISTS)
        raise QueryError(f"'{base}' does not go over arrays or states. These do: {known_ones}.", attr="query")
    level = params[0] if params and isinstance(params[0], (int, float)) else 0.5
    function = replace(function, template=function.template.replace("{p}", str(level)), forms={})
    return written(function, [Typed(listed, f"Array({inner})", False)])


def _levels(node: Call) -> tuple[object, ...]:
    return tuple(getattr(param, "value", None) for param in node.params)


def _array(parts: Combined, node: Call, arg: Typed, where: str) -> Typed:
    if not arg.type.startswith("Array("):
        raise QueryError(f"{node.name} takes an array, not {arg.type}.", attr="query")
    return over_list(parts.base, _levels(node), f"coalesce(flatten(list({arg.sql}){where}), [])", element(arg.type))


def _for_each(parts: Combined, node: Call, arg: Typed, where: str) -> Typed:
    if not arg.type.startswith("Array("):
        raise QueryError(f"{node.name} takes an array, not {arg.type}.", attr="query")
    at_place = "list_transform(list_filter(l, lambda a: len(a) >= y), lambda a: a[y])"
    each = over_list(parts.base, _levels(node), at_place, element(arg.type))
    longest = "coalesce(list_max(list_transform(l, lambda a: len(a))), 0)"
    body = f"list_transform(range(1, {longest} + 1), lambda y: {each.sql})"
    sql = f"list_transform([coalesce(list({arg.sql}){where}, [])], lambda l: {body})[1]"
    return Typed(sql, f"Array({each.type})", False)


def _map(parts: Combined, node: Call, arg: Typed, where: str) -> Typed:
    match = re.match(r"^Map\((\w+), (.*)\)$", arg.type)
    if match is None:
        raise QueryError(f"{node.name} takes a map, not {arg.type}.", attr="query")
    each = over_list(parts.base, _levels(node), OF_KEY, match[2])
    gathered = PER_KEY.replace("{each}", each.sql).replace("map_entries({0}))", "map_entries({0}))" + where)
    return Typed(fill(gathered, [arg.sql]), f"Map({match[1]}, {each.type})", False)


def _state(parts: Combined, args: list[Typed], condition: str) -> Typed:
    value = args[0] if args else Typed("1", "UInt8", False)
    if len(args) > 1 or parts.base not in aggregations.OVER_LISTS:
        over_list(parts.base if len(args) < 2 else parts.base + "State of several values", (), "", "")
    conditions = [*([f"{value.sql} is not null"] if value.nullable else []), *([condition] if condition else [])]
    where = f" filter (where {' and '.join(conditions)})" if conditions else ""
    sql = f"coalesce(list({value.sql}){where}, [])"
    return Typed(sql, f"AggregateFunction({parts.base}, {value.type})", False)


def _merge(parts: Combined, node: Call, arg: Typed, where: str) -> Typed:
    match = STATE.match(arg.type)
    if match is None:
        raise QueryError(f"{node.name} takes what {parts.base}State gave, not {arg.type}.", attr="query")
    return over_list(parts.base, _levels(node), f"coalesce(flatten(list({arg.sql}){where}), [])", match["inner"])


def _at_extreme(parts: Combined, node: Call, args: list[Typed], where: str) -> Typed:
    if len(args) != 2:
        raise QueryError(f"{node.name} takes a value, and what to order by.", attr="query")
    side = "list_min" if parts.how == "ArgMin" else "list_max"
    chosen = f"list_transform(list_filter(l, lambda e: e.y = {side}(list_transform(l, lambda e: e.y))), lambda e: e.x)"
    found = over_list(parts.base, _levels(node), chosen, args[0].type)
    pairs = f"list({{'x': {args[0].sql}, 'y': {args[1].sql}}}){where}"
    return replace(found, sql=f"list_transform([coalesce({pairs}, [])], lambda l: {found.sql})[1]")
