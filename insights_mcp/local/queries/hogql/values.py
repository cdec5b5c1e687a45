"""Functions of values inside values: arrays, tuples, JSON; and conversions."""

from __future__ import annotations

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import combinators, exact, functions, operators, spelling
from insights_mcp.local.queries.hogql.compiling import Compiler
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import default_of, split_types
from insights_mcp.local.queries.hogql.sources import Typed, exact_type
from insights_mcp.local.queries.hogql.templates import element, fill
from insights_mcp.local.queries.hogql.tree import Call, Field, Literal, Node


def array(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    values = compiler.args(node, scope)
    if not values:
        return Typed("[]", "Array(Nothing)", False)
    found = operators.common("[" + ", ".join("{}" for _ in values) + "]", values)
    return Typed(found.sql, f"Array({found.type})", False)


def tuple_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    values = compiler.args(node, scope)
    return Typed(f"row({', '.join(v.sql for v in values)})", f"Tuple({', '.join(v.type for v in values)})", False)


def map_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """map(key, value, key, value, …)."""
    if len(node.args) % 2:
        raise QueryError("map takes keys, each with its value.", attr="query")
    if not node.args:
        return Typed("map([]::varchar[], []::varchar[])", "Map(String, String)", False)
    sides = [compiler.expression(Call("array", node.args[start::2]), scope) for start in (0, 1)]
    kinds = ", ".join(element(side.type) for side in sides)
    return Typed(f"map({sides[0].sql}, {sides[1].sql})", f"Map({kinds})", False)


def map_part(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """The keys of a map, or its values."""
    found = compiler.expression(node.args[0], scope)
    if not found.type.startswith("Map("):
        raise QueryError(f"{node.name} takes a map, not {found.type}.", attr="query")
    name, place = ("map_keys", 0) if node.name == "mapKeys" else ("map_values", 1)
    return Typed(f"{name}({found.sql})", f"Array({split_types(found.type[4:-1])[place]})", False)


def transform(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """transform(x, from, to, default): what stands in `to` where x stands in `from`."""
    args = compiler.args(node, scope)
    what, start, end = args[:3]
    other = args[3] if len(args) > 3 else what
    place = f"nullif(list_position({start.sql}, {what.sql}), 0)"
    return Typed(f"coalesce({end.sql}[{place}], {other.sql})", element(end.type), other.nullable)


def _path(node: Node) -> tuple[str, ...] | None:
    """The chain of names and places that leads into a property: `properties.list[1].id`; None for anything else."""
    if isinstance(node, Field):
        return node.chain if "properties" in node.chain[:-1] else None
    if not isinstance(node, Call) or node.name not in ("arrayElement", "tupleElement") or len(node.args) != 2:
        return None
    inner, key = _path(node.args[0]), node.args[1]
    if inner is None or not isinstance(key, Literal) or not isinstance(key.value, (int, str)):
        return None
    if key.value == 0:
        example = "array[1]" if node.name == "arrayElement" else "array.1"
        raise QueryError(f"SQL indexes start from one, not from zero. E.g: {example}", attr="query")
    return (*inner, str(key.value - 1) if isinstance(key.value, int) else key.value)


def array_element(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """An element of an array, a map, a tuple, or of what is inside a property."""
    if path := _path(node):
        return compiler.expression(Field(path), scope)
    owner, key = compiler.args(node, scope)
    if owner.type.startswith("Map("):
        kind = split_types(owner.type[4:-1])[1]
        found, default = f"{owner.sql}[{key.sql}]", default_of(kind)
        return Typed(found if default == "null" else f"coalesce({found}, {default})", kind, default == "null")
    if owner.type.startswith("Tuple("):
        return member(compiler, node, scope, truth)
    if owner.type == "String" and isinstance(node.args[1], Literal) and isinstance(node.args[1].value, str):
        return compiler.expression(Call("JSONExtractString", node.args), scope)
    return _at(compiler, node, owner, key)


def _at(compiler: Compiler, node: Call, owner: Typed, key: Typed) -> Typed:
    """The element at a place, counted from 1, or from the end below zero; ClickHouse's default where there is none."""
    if node.args[1] == Literal(0):
        raise QueryError("SQL indexes start from one, not from zero. E.g: array[1]", attr="query")
    kind = element(owner.type)
    if not owner.type.startswith("Array(") or default_of(kind) == "null":
        return Typed(f"list_extract({owner.sql}, {key.sql}::bigint)", kind, True)
    place = f"{key.sql}::bigint"
    inside = f"case when abs({place}) between 1 and len(l) then l[{place}] else {default_of(kind)} end"
    return Typed(f"list_transform([{owner.sql}], lambda l: {inside})[1]", kind, owner.nullable or key.nullable)


def length(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """The bytes of a text, or the elements of an array or a map."""
    what = compiler.expression(node.args[0], scope)
    name = "cardinality" if what.type.startswith("Map(") else ("strlen" if what.type == "String" else "len")
    return Typed(f"{name}({what.sql})", "UInt64", what.nullable)


def empty(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Whether a text or an array is empty; a UUID is when it is all zeros."""
    what = compiler.expression(node.args[0], scope)
    sign = "<>" if "not" in node.name.lower() else "="
    if what.type == "UUID":
        return Typed(f"({what.sql} {sign} {default_of('UUID')})", "UInt8", what.nullable)
    size = "cardinality" if what.type.startswith("Map(") else "len"
    compared = f"({what.sql} {sign} '')" if what.type == "String" else f"({size}({what.sql}) {sign} 0)"
    return Typed(compared, "UInt8", what.nullable)


def flatten(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """All arrays in an array, as one."""
    what = compiler.expression(node.args[0], scope)
    sql, kind = what.sql, what.type
    while kind.startswith("Array(Array("):
        sql, kind = f"flatten({sql})", element(kind)
    return Typed(sql, kind, what.nullable)


def intersection(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """The elements that are in every array, in the order of the first."""
    first, *others = compiler.args(node, scope)
    sql = fill(functions.PLAIN["arrayDistinct"].template, [first.sql])
    for other in others:
        sql = f"list_filter({sql}, lambda z: list_contains({other.sql}, z))"
    return Typed(sql, first.type, any(arg.nullable for arg in (first, *others)))


def resized(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """An array cut or filled up to a length; below zero, from its start."""
    array, size, *given = compiler.args(node, scope)
    fill = given[0].sql if given else default_of(element(array.type))
    count = f"greatest(-100000, least({size.sql}::bigint, 100000))"
    kept = f"list_resize(l, {count}, {fill})"
    turned = f"list_reverse(list_resize(list_reverse(l), -({count}), {fill}))"
    sql = f"list_transform([{array.sql}], lambda l: case when {size.sql} >= 0 then {kept} else {turned} end)[1]"
    return Typed(sql, array.type, array.nullable)


def xor(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Whether an odd number of the arguments is true."""
    args = compiler.args(node, scope)
    counted = " + ".join(f"({arg.sql})::boolean::integer" for arg in args)
    return Typed(f"(({counted}) % 2 = 1)", "UInt8", any(arg.nullable for arg in args))


def member(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """An element of a tuple, by its number."""
    if path := _path(node):
        return compiler.expression(Field(path), scope)
    owner = compiler.expression(node.args[0], scope)
    index = node.args[1].value if isinstance(node.args[1], Literal) else None
    listed = owner.type.startswith("Array(Tuple(")
    inner = element(owner.type) if listed else owner.type
    kinds = split_types(inner[6:-1]) if inner.startswith("Tuple(") else []
    if len(node.args) == 3 and isinstance(index, int) and kinds and index > len(kinds):
        return compiler.expression(node.args[2], scope)
    if isinstance(index, int) and index < 0:
        index += len(kinds) + 1
    if not isinstance(index, int) or (kinds and not 1 <= index <= len(kinds)):
        raise QueryError("A tuple's element is named by its number, from 1.", attr="query")
    if owner.type != "Any" and not inner.startswith("Tuple("):
        raise QueryError(f"{owner.type} has no numbered elements; tuples have.", attr="query")
    known = exact_type(owner)
    inside = exact.parts(exact.of_array(known) if listed else known)
    exactly = inside[index - 1] if 1 <= index <= len(inside) else None
    if listed:
        sql = f"list_transform({owner.sql}, lambda z: struct_extract(z, {index}))"
        return Typed(sql, f"Array({kinds[index - 1]})", owner.nullable, exact=exactly and f"Array({exactly})")
    with_null = exactly is None or owner.nullable or exactly.startswith("Nullable(")
    return Typed(
        f"struct_extract({owner.sql}, {index})", kinds[index - 1] if kinds else "Any", with_null, exact=exactly
    )


def array_zip(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Tuples of what stands at the same place of several arrays."""
    arrays = compiler.args(node, scope)
    kinds = ", ".join(element(array.type) for array in arrays)
    return Typed(f"list_zip({', '.join(array.sql for array in arrays)})", f"Array(Tuple({kinds}))", False)


# One map for each pair, then all of them added up; at last the keys in order, and beside them the sums.
PAIRS = "list_transform(list_zip({k}, {v}), lambda z: map([z[1]], [z[2]]))"
ADDED = "map_concat(a, map(map_keys(b), [coalesce(a[map_keys(b)[1]], 0) + map_values(b)[1]]))"
ENTRIES = f"list_sort(map_entries(list_reduce({PAIRS}, lambda a, b: {ADDED})))"
SUM_MAP = f"row(list_transform({ENTRIES}, lambda e: e.key), list_transform({ENTRIES}, lambda e: e.value))"


def sum_map(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """Values added up by key, over all rows: a tuple of the keys and of the sums."""
    if len(node.args) == 1 and (one := compiler.expression(node.args[0], scope)).type.startswith("Map("):
        return combinators.combined(combinators.Combined("sum", "Map", None, False), node, [one], "")
    given = node.args[0] if len(node.args) == 1 else Call("tuple", node.args)
    args = [member(compiler, Call("tupleElement", (given, Literal(place))), scope, truth) for place in (1, 2)]
    if not all(arg.type.startswith("Array(") for arg in args):
        raise QueryError("sumMap takes two arrays: the keys and their values.", attr="query")
    keys, values = (f"coalesce(flatten(list({arg.sql})), [])" for arg in args)
    kind = "Float64" if element(args[1].type) == "Float64" else element(args[1].type).replace("Int32", "Int64")
    return Typed(SUM_MAP.format(k=keys, v=values), f"Tuple({args[0].type}, Array({kind}))", False)


def range_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """range(3), range(1, 4), range(1, 10, 2)."""
    given = compiler.args(node, scope)
    args = [f"({arg.sql})::bigint" for arg in given]
    start, stop, step = ("0", args[0], "1") if len(args) == 1 else (args[0], args[1], (*args, "1")[2])
    most = f"{start} + 100000"
    capped = f"case when {stop} > {most} then {most} else {stop} end"
    return Typed(f"range({start}, {capped}, {step})", "Array(UInt64)", any(arg.nullable for arg in given))


def reverse(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    [what] = compiler.args(node, scope)
    if what.type.startswith("Array"):
        return Typed(f"list_reverse({what.sql})", what.type, what.nullable)
    return Typed(f"reverse({spelling.text(what)})", "String", what.nullable)


def array_join(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    [array] = compiler.args(node, scope)
    inside = exact.of_array(exact_type(array))
    return Typed(f"unnest({array.sql})", element(array.type), inside.startswith("N"), exact=inside)


def sparkline(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """What PostHog draws as a small chart."""
    parts = (Literal("__hx_tag"), Literal("Sparkline"), Literal("data"), node.args[0])
    return tuple_(compiler, Call("tuple", parts), scope, truth)


def bar(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """bar(x, least, most, width): a bar of text."""
    x, low, high, width = (f"{operators.number(arg)}::double" for arg in compiler.args(node, scope))
    return Typed(f"rtrim(bar({x}, {low}, {high}, least({width}, 1000)))", "String", False)
