"""Functions that take a lambda over the elements of arrays."""

from __future__ import annotations

from dataclasses import replace

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import combinators, exact, functions
from insights_mcp.local.queries.hogql.compiling import Compiler
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import default_of
from insights_mcp.local.queries.hogql.sources import Typed, exact_type
from insights_mcp.local.queries.hogql.templates import element, fill, written
from insights_mcp.local.queries.hogql.tree import Call, Lambda, Literal, Node

# PostHog gives both names to the same function.
SORTS = {"arraySort": "list_sort", "arrayReverseSort": "list_sort"}


def over_elements(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """arrayMap, arrayFilter and the like: a lambda, and as many arrays as it has arguments."""
    function, arrays = _parts(compiler, node, scope)
    template, kind = functions.LAMBDAS[node.name]
    source, head, body = _bound(compiler, function, arrays, scope)
    sql = fill(template, [head, source])
    inner, several = element(arrays[0].type), len(arrays) > 1
    if node.name == "arrayMap":
        return Typed(sql, f"Array({body.type})", arrays[0].nullable)
    if several and node.name == "arrayFilter":
        sql = f"list_transform({sql}, lambda z: struct_extract(z, 1))"
    elif several and kind == "Any":
        sql = f"struct_extract({sql}, 1)"
    if kind == "Any":
        return Typed(f"coalesce({sql}, {default_of(inner)})", inner, arrays[0].nullable)
    return Typed(sql, arrays[0].type if kind == "=1" else kind, arrays[0].nullable)


def first_index(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """arrayFirstIndex and arrayLastIndex: the place where a lambda first or last holds; 0 when nowhere."""
    held = compiler.expression(Call("arrayMap", node.args), scope).sql
    if node.name == "arrayFirstIndex":
        return Typed(f"coalesce(list_position({held}, true), 0)", "UInt64", False)
    sql = f"list_transform([{held}], lambda l: list_max(list_filter(range(1, len(l) + 1), lambda z: l[z])))[1]"
    return Typed(f"coalesce({sql}, 0)", "UInt64", False)


# What each makes of an array `e.x` and of the truth of its elements `e.t`.
FILLS = {
    "arrayFill": "list_transform(range(1, len(e.x) + 1), lambda z:"
    " e.x[greatest(coalesce(list_max(list_filter(range(1, z + 1), lambda y: e.t[y])), 1), 1)])",
    "arrayReverseFill": "list_transform(range(1, len(e.x) + 1), lambda z:"
    " e.x[coalesce(list_min(list_filter(range(z, len(e.x) + 1), lambda y: e.t[y])), len(e.x))])",
    "arraySplit": "list_transform(list_filter(range(1, len(e.x) + 1), lambda z: z = 1 or e.t[z]), lambda z: e.x[z:"
    "coalesce(list_min(list_filter(range(z + 1, len(e.x) + 1), lambda y: e.t[y])) - 1, len(e.x))])",
    "arrayReverseSplit": "list_transform(list_filter(range(1, len(e.x) + 1), lambda z: z = len(e.x) or e.t[z]),"
    " lambda z: e.x[coalesce(list_max(list_filter(range(1, z), lambda y: e.t[y])) + 1, 1):z])",
}


def filled(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """arrayFill and arraySplit: elements filled in, or parts cut, where a lambda holds."""
    array = compiler.expression(node.args[1], scope)
    held = compiler.expression(Call("arrayMap", node.args), scope).sql
    pair = f"{{'x': {array.sql}, 't': list_transform({held}, lambda z: coalesce(z::boolean, false))}}"
    kind = array.type if node.name.endswith("Fill") else f"Array({array.type})"
    return Typed(f"list_transform([{pair}], lambda e: {FILLS[node.name]})[1]", kind, array.nullable)


def _parts(compiler: Compiler, node: Call, scope: Scope) -> tuple[Lambda, list[Typed]]:
    function, *rest = node.args
    arrays = [compiler.expression(each, scope) for each in rest]
    if not isinstance(function, Lambda) or len(function.names) != len(arrays):
        raise QueryError(
            f"{node.name} takes a lambda with an argument for each array, such as {node.name}(x -> x + 1, array).",
            attr="query",
        )
    return function, arrays


def _bound(compiler: Compiler, function: Lambda, arrays: list[Typed], scope: Scope) -> tuple[str, str, Typed]:
    """The list to go over, the lambda's SQL, and its body. Several arrays go in step, as one list of tuples."""
    if len(arrays) == 1:
        argument, source = identifier(f"{function.names[0]} {len(scope.locals)}"), arrays[0].sql
        own = {function.names[0]: _element(argument, arrays[0])}
    else:
        argument = identifier(f"step {len(scope.locals)}")
        source = f"list_zip({', '.join(array.sql for array in arrays)})"
        own = {
            name: _element(f"struct_extract({argument}, {place})", array)
            for place, (name, array) in enumerate(zip(function.names, arrays, strict=True), 1)
        }
    body = compiler.expression(function.body, replace(scope, locals={**scope.locals, **own}))
    return source, f"lambda {argument}: {body.sql}", body


def _element(sql: str, array: Typed) -> Typed:
    inside = exact.of_array(exact_type(array))
    return Typed(sql, element(array.type), inside.startswith("Nullable("), exact=inside)


def mapped_first(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """arraySum and the like: of the elements, or of what a lambda makes of them."""
    args = node.args
    if isinstance(args[0], Lambda):
        args = (Call("arrayMap", args),)
    if len(args) != 1:
        raise QueryError(f"{node.name} takes an array, or a lambda and arrays.", attr="query")
    return written(functions.OF_ELEMENTS[node.name], [compiler.expression(args[0], scope)])


def sorted_(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """arraySort: by the elements, or by what a lambda makes of them."""
    if len(node.args) == 1:
        array = compiler.expression(node.args[0], scope)
        return replace(array, sql=f"{SORTS[node.name]}({array.sql})")
    function, arrays = _parts(compiler, node, scope)
    source, head, body = _bound(compiler, function, arrays, scope)
    argument = head.removeprefix("lambda ").split(": ", 1)[0]
    own = argument if len(arrays) == 1 else f"struct_extract({argument}, 1)"
    pairs = f"list_transform({source}, lambda {argument}: {{'k': {body.sql}, 'v': {own}}})"
    return Typed(f"list_transform({SORTS[node.name]}({pairs}), lambda z: z.v)", arrays[0].type, arrays[0].nullable)


def fold(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """arrayFold((sum, x) -> sum + x, array, 0)."""
    function, array, start = node.args
    if not isinstance(function, Lambda) or len(function.names) != 2:
        raise QueryError("arrayFold takes a lambda of two arguments: what is gathered, and an element.", attr="query")
    listed, first = compiler.expression(array, scope), compiler.expression(start, scope)
    inner = element(listed.type)
    gathered, item = (identifier(f"{name} {len(scope.locals)}") for name in function.names)
    own = {function.names[0]: Typed(gathered, inner, False), function.names[1]: Typed(item, inner, False)}
    body = compiler.expression(function.body, replace(scope, locals={**scope.locals, **own}))
    sql = f"list_reduce({listed.sql}, lambda {gathered}, {item}: {body.sql}, {first.sql})"
    return Typed(sql, first.type if body.type == inner else body.type, listed.nullable)


def reduced(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """arrayReduce('sum', array), arrayReduce('quantile(0.9)', array)."""
    name, _, level = _text(node.args[0]).partition("(")
    listed = compiler.expression(node.args[1], scope)
    if not listed.type.startswith("Array("):
        raise QueryError(f"arrayReduce takes the name of an aggregate and an array, not {listed.type}.", attr="query")
    share = level.removesuffix(")").strip()
    params = (float(share),) if share.replace(".", "", 1).isdigit() else ()
    found = combinators.over_list(name, params, listed.sql, element(listed.type))
    return replace(found, nullable=found.nullable or listed.nullable)


def _text(node: Node) -> str:
    return str(node.value) if isinstance(node, Literal) else ""
