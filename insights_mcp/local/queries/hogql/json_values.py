"""Functions that read JSON text: JSONExtractString(text, 'key', 1), JSONExtract(text, 'key', 'Array(Int64)')."""

from __future__ import annotations

import re
from collections.abc import Sequence

from insights_mcp.local.layout import pointer
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.compiling import Compiler
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.signatures import default_of
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Call, Literal

KINDS = {
    "OBJECT": "Object", "ARRAY": "Array", "VARCHAR": "String", "DOUBLE": "Double", "BOOLEAN": "Bool",
    "UBIGINT": "Int64", "BIGINT": "Int64", "HUGEINT": "Int64",
}  # fmt: skip
KIND = "case json_type({value}) " + " ".join(f"when '{own}' then '{name}'" for own, name in KINDS.items())
SIZE = "case json_type({value}) when 'ARRAY' then json_array_length({value})"
SIZE += " when 'OBJECT' then len(json_keys({value})) end"
ENTRIES = "list_transform([{value}], lambda v: list_transform(case when json_type(v) = 'OBJECT' then json_keys(v)"
ENTRIES += " else [] end, lambda k: row(k, {each})))[1]"
INSIDE = "v {arrow} ('/' || replace(replace(k, '~', '~0'), '/', '~1'))"
WHOLE = "coalesce(trunc(try_cast({text} as double))::bigint, 0)"
JSON = {
    "JSONExtractString": ("coalesce({text}, '')", "String"),
    "JSONExtractInt": (WHOLE, "Int64"),
    "JSONExtractUInt": (f"greatest({WHOLE}, 0)", "UInt64"),
    "JSONExtractFloat": ("coalesce(try_cast({text} as double), 0)", "Float64"),
    "JSONExtractBool": ("coalesce(case json_type({value}) when 'BOOLEAN' then {text} = 'true'"
        " when 'VARCHAR' then false else try_cast({text} as double) <> 0 end, false)", "UInt8"),
    "JSONExtractRaw": ("coalesce(({value})::varchar, '')", "String"),
    "JSONHas": ("(({value}) is not null)", "UInt8"),
    "JSONLength": (f"coalesce({SIZE}, 0)::bigint", "UInt64"),
    "JSONArrayLength": ("case json_type({value}) when 'ARRAY' then json_array_length({value})::bigint end", "UInt64"),
    "JSONExtractKeys": ("coalesce(json_keys({value}), [])", "Array(String)"),
    "JSONExtractArrayRaw": ("coalesce(({value} -> '$[*]')::varchar[], [])", "Array(String)"),
    "JSONType": (f"coalesce({KIND} end, 'Null')", "String"),
    "JSONExtractKeysAndValuesRaw": (
        ENTRIES.replace("{each}", f"({INSIDE.replace('{arrow}', '->')})::varchar"), "Array(Tuple(String, String))"
    ),
}  # fmt: skip
# What a type of ClickHouse is in DuckDB, for JSONExtract.
TYPES = {
    **{f"{sign}Int{size}": "bigint" for sign in ("", "U") for size in (8, 16, 32, 64)},
    "Float32": "double", "Float64": "double", "String": "varchar", "Bool": "boolean", "Date": "date",
    "DateTime": "timestamp", "UUID": "uuid",
}  # fmt: skip
OWN = {"bigint": "Int64", "double": "Float64", "varchar": "String", "boolean": "Bool", "date": "Date", "uuid": "UUID",
       "timestamp": "DateTime"}  # fmt: skip
PATH = re.compile(r"^\$(\.[A-Za-z_$][\w$]*|\[\d+\])*$")


def json_value(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """A value of JSON by its keys; places in arrays count from 1, and from the end below zero."""
    template, kind = JSON[node.name]
    holes = _holes(compiler, node, node.args[1:], scope)
    found = Typed(template.format_map(holes), kind, node.name == "JSONArrayLength")
    return _of_null(found, compiler.expression(node.args[0], scope))


def _of_null(found: Typed, owner: Typed) -> Typed:
    """What is inside of NULL is NULL, but arrays and maps never are."""
    if not owner.nullable or found.type.startswith(("Array(", "Map(")):
        return found
    return Typed(f"case when {owner.sql} is not null then {found.sql} end", found.type, True)


def _holes(compiler: Compiler, node: Call, path: tuple[object, ...], scope: Scope) -> dict[str, str]:
    owner = compiler.expression(node.args[0], scope)
    keys = [arg.value for arg in path if isinstance(arg, Literal)]
    if len(keys) != len(path):
        raise QueryError(f"{node.name} takes constant keys.", attr="query")
    value = f"case when json_valid({owner.sql}) then {owner.sql}::json end"
    bound = ""
    for at, run in enumerate(_runs(keys)):
        value = f"({value} -> {bound})" if at else value
        bound = compiler.scan.bind(run)
    return {"text": f"({value} ->> {bound or repr('')})", "value": f"({value} -> {bound})" if keys else f"({value})"}


def _runs(keys: Sequence[object]) -> list[str]:
    """The keys as pointers; a place counted from the end needs a path of its own."""
    found: list[str] = []
    for key in keys:
        if isinstance(key, int) and key < 0:
            found += [f"$[#{key}]", ""]
        else:
            part = pointer(str(key - 1 if isinstance(key, int) and key > 0 else key))
            found = [*found[:-1], found[-1] + part] if found else [part]
    return [run for run in found if run] or [""]


def extracted(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """JSONExtract(text, keys…, type)."""
    wanted = node.args[-1]
    name = str(wanted.value) if isinstance(wanted, Literal) else ""
    inner = name.removeprefix("Nullable(").removesuffix(")") if name.startswith("Nullable(") else name
    own = _type(inner)
    if own is None:
        raise QueryError(
            f"JSONExtract takes a type at its end, such as 'String', 'Array(Int64)' or 'Map(String, String)', not"
            f" '{name}'.", attr="query",
        )  # fmt: skip
    holes = _holes(compiler, node, node.args[1:-1], scope)
    kind = _named(own)
    if own == "boolean":
        holes["text"] = f"coalesce((try_cast({holes['text']} as double) <> 0)::varchar, {holes['text']})"
    sql = f"try_cast({holes['value'] if own.endswith((']', ')')) else holes['text']} as {own})"
    if inner != name:
        return Typed(sql, kind, True)
    return _of_null(
        Typed(sql if kind.startswith("Map") else f"coalesce({sql}, {default_of(kind)})", kind, False),
        compiler.expression(node.args[0], scope),
    )


def _type(name: str) -> str | None:
    """DuckDB's name of a type; None for one that is not known."""
    if name.startswith("Array(") and name.endswith(")"):
        inner = _type(name[6:-1])
        return inner and f"{inner}[]"
    if match := re.fullmatch(r"Map\((\w+), ?(\w+)\)", name):
        parts = [TYPES.get(part) for part in match.groups()]
        return f"map({parts[0]}, {parts[1]})" if all(parts) else None
    if name.startswith("Nullable("):
        return _type(name[9:-1])
    return TYPES.get(name)


def _named(own: str) -> str:
    if own.endswith("[]"):
        return f"Array({_named(own[:-2])})"
    if own.startswith("map("):
        return "Map(" + ", ".join(OWN[part] for part in own[4:-1].split(", ")) + ")"
    return OWN[own]


def entries(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """JSONExtractKeysAndValues(text, keys…, type): pairs of a key and its value."""
    own = _type(str(getattr(node.args[-1], "value", "")))
    if own is None or own.endswith((")", "]")):
        raise QueryError("JSONExtractKeysAndValues takes a type at its end, such as 'String'.", attr="query")
    holes = _holes(compiler, node, node.args[1:-1], scope)
    each = f"try_cast({INSIDE.replace('{arrow}', '->>')} as {own})"
    sql = f"list_filter({ENTRIES.replace('{each}', each).format_map(holes)}, lambda e: e[2] is not null)"
    return Typed(sql, f"Array(Tuple(String, {OWN[own]}))", False)


def by_path(compiler: Compiler, node: Call, scope: Scope, truth: bool) -> Typed:
    """JSON_VALUE(text, '$.a.b')."""
    owner, path = compiler.expression(node.args[0], scope), node.args[1]
    text = str(path.value) if isinstance(path, Literal) else ""
    if not PATH.match(text):
        raise QueryError("JSON_VALUE takes a constant path of names and places, such as '$.a[0].b'.", attr="query")
    value = f"case when json_valid({owner.sql}) then {owner.sql}::json -> {compiler.scan.bind(text)} end"
    own = "when json_type(j) in ('OBJECT', 'ARRAY') then '' when json_type(j) = 'NULL' then 'null'"
    sql = f"list_transform([{value}], lambda j: case {own} else coalesce(j ->> '$', '') end)[1]"
    return Typed(sql, "String", False)
