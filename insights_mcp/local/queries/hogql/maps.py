"""Functions of maps and tuples."""

from __future__ import annotations

from dataclasses import replace

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import functions, operators
from insights_mcp.local.queries.hogql.compiling import Compiler
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import split_types
from insights_mcp.local.queries.hogql.sources import Typed, exact_type
from insights_mcp.local.queries.hogql.templates import element, written
from insights_mcp.local.queries.hogql.tree import Call, Lambda

# Values of one key, added up over several maps.
ADDED = (
    "list_transform([{entries}], lambda l: list_transform("
    "[list_sort(list_distinct(list_transform(l, lambda e: e.key)))], lambda k: map(k, list_transform(k, lambda y:"
    " list_sum(list_transform(list_filter(l, lambda e: e.key = y), lambda e: e.value)))))[1])[1]"
)
TUPLES = {
    "tuplePlus": "+", "tupleMinus": "-", "tupleMultiply": "*", "tupleDivide": "/", "plus": "+", "minus": "-",
    "tupleMultiplyByNumber": "*", "tupleDivideByNumber": "/",
}  # fmt: skip
VECTORS = tuple(name for name in functions.PLAIN if name.endswith(("Norm", "Distance")) and name[0] in "Lc")


def _map(compiler: Compiler, node: Call, scope: Scope) -> Typed:
    found = compiler.expression(node.args[0], scope)
    if not found.type.startswith("Map("):
        raise QueryError(f"{node.name} takes a map, not {found.type}.", attr="query")
    return found


def from_arrays(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    keys, values = compiler.args(node, scope)
    return Typed(f"map({keys.sql}, {values.sql})", f"Map({element(keys.type)}, {element(values.type)})", False)


def contains(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """mapContains, and mapContainsKeyLike with a pattern."""
    owner, key = _map(compiler, node, scope), compiler.expression(node.args[1], scope)
    if node.name == "mapContains":
        return Typed(f"list_contains(map_keys({owner.sql}), {key.sql})", "UInt8", key.nullable)
    alike = f"list_transform(map_keys({owner.sql}), lambda k: k like {key.sql})"
    return Typed(f"coalesce(list_bool_or({alike}), false)", "UInt8", False)


def extract_like(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """The entries whose key is like a pattern."""
    owner, key = _map(compiler, node, scope), compiler.expression(node.args[1], scope)
    kept = f"list_filter(map_entries({owner.sql}), lambda e: e.key like {key.sql})"
    return replace(owner, sql=f"map_from_entries({kept})")


def added(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """mapAdd and mapSubtract: by key."""
    maps = compiler.args(node, scope)
    entries = [f"map_entries({each.sql})" for each in maps]
    if node.name == "mapSubtract":
        entries[1:] = [f"list_transform({e}, lambda e: {{'key': e.key, 'value': - e.value}})" for e in entries[1:]]
    listed = f"flatten([{', '.join(entries)}])"
    return replace(maps[0], sql=ADDED.format(entries=listed))


def updated(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    owner, other = _map(compiler, node, scope), compiler.expression(node.args[1], scope)
    return replace(owner, sql=f"map_concat({owner.sql}, {other.sql})")


def over_entries(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """mapFilter((k, v) -> condition, map), mapApply((k, v) -> (k, v), map)."""
    function = node.args[0]
    if not isinstance(function, Lambda) or len(function.names) != 2:
        raise QueryError(f"{node.name} takes a lambda of a key and a value, then a map.", attr="query")
    owner = _map(compiler, replace(node, args=node.args[1:]), scope)
    kinds = split_types(owner.type[4:-1])
    entry = f'"entry {len(scope.locals)}"'
    exactly = split_types(exact_type(owner)[4:-1])
    own = {
        name: Typed(f"{entry}.{part}", kind, exact=known)
        for name, part, kind, known in zip(function.names, ("key", "value"), kinds, exactly, strict=True)
    }
    body = compiler.expression(function.body, replace(scope, locals={**scope.locals, **own}))
    if node.name == "mapFilter":
        kept = f"list_filter(map_entries({owner.sql}), lambda {entry}: ({body.sql})::boolean)"
        return replace(owner, sql=f"map_from_entries({kept})")
    if not body.type.startswith("Tuple("):
        raise QueryError("mapApply's lambda gives a key and a value: (k, v) -> (k, v + 1).", attr="query")
    made = f"list_transform(map_entries({owner.sql}), lambda {entry}: {body.sql})"
    return Typed(f"map_from_entries({made})", f"Map({body.type[6:-1]})", owner.nullable)


# -- tuples ------------------------------------------------------------------------------------------------------------


def _elements(value: Typed) -> list[Typed]:
    kinds = split_types(value.type[6:-1])
    return [Typed(f"struct_extract({value.sql}, {place})", kind) for place, kind in enumerate(kinds, 1)]


def tuple_sum(name: str, left: Typed, right: Typed) -> Typed:
    """Tuples added and so on, element by element; or each element with one number."""
    sign, lefts = TUPLES[name], _elements(left)
    rights = _elements(right) if right.type.startswith("Tuple(") else [right] * len(lefts)
    if len(lefts) != len(rights):
        raise QueryError(f"{name} takes tuples of one length.", attr="query")
    made = [f"({a.sql}::double / {b.sql}::double)" if sign == "/" else f"({a.sql} {sign} {b.sql})"
            for a, b in zip(lefts, rights, strict=True)]  # fmt: skip
    kinds = ["Float64" if sign == "/" else each.type for each in lefts]
    return Typed(f"row({', '.join(made)})", f"Tuple({', '.join(kinds)})", False)


def over_tuples(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    args = compiler.args(node, scope)
    if not args[0].type.startswith("Tuple("):
        raise QueryError(f"{node.name} takes tuples.", attr="query")
    if node.name == "tupleNegate":
        return replace(args[0], sql=f"row({', '.join(f'(- {each.sql})' for each in _elements(args[0]))})")
    if node.name == "tupleHammingDistance":
        pairs = zip(*(_elements(arg) for arg in args), strict=False)
        unlike = " + ".join(f"({a.sql} is distinct from {b.sql})::integer" for a, b in pairs)
        return Typed(f"({unlike})", "UInt64", False)
    return tuple_sum(node.name, args[0], args[1])


def vector(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Norms, distances and dotProduct take arrays, or tuples of numbers."""
    args = [_listed(arg) for arg in compiler.args(node, scope)]
    function = functions.PLAIN[node.name]
    if len(args) != function.most:
        raise QueryError(f"{node.name} takes {function.most} arguments, not {len(args)}.", attr="query")
    return written(function, args)


def _listed(value: Typed) -> Typed:
    if not value.type.startswith("Tuple("):
        return value
    listed = ", ".join(f"{operators.number(each)}::double" for each in _elements(value))
    return Typed(f"[{listed}]", "Array(Float64)", False)


def normalized(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """A tuple divided by its norm."""
    what, *power = compiler.args(node, scope)
    norm = written(functions.PLAIN[node.name.replace("Normalize", "Norm")], [_listed(what), *power])
    return tuple_sum("tupleDivideByNumber", what, norm)
