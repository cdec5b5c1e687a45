"""Values as text, the way ClickHouse writes them: `[1,2]`, `('a',NULL)`, `{'key':1}`, whole numbers without a point."""

from __future__ import annotations

from insights_mcp.local.queries.hogql.signatures import split_types
from insights_mcp.local.queries.hogql.sources import SECONDS, Typed

PLAIN = "{0}::varchar"
MOMENT = "strftime({0}, '%Y-%m-%d %H:%M:%S.%f')"
TEXTS = {
    "Float64": "regexp_replace({0}::varchar, '[.]0$', '')",
    "Bool": "({0})::boolean::varchar",
    "DateTime": MOMENT,
    "UInt8": "({0})::integer::varchar",
}
# Of a type that is not known, as JSON writes it, with ClickHouse's quotes.
UNKNOWN = "replace(to_json({0})::varchar, chr(34), chr(39))"
QUOTED = ("String", "Date", "DateTime", "UUID")
ESCAPED = "replace(replace(replace({0}, '\\', '\\\\'), chr(39), '\\' || chr(39)), chr(10), '\\n')"


def text(value: Typed) -> str:
    """SQL: a value as text."""
    if value.type == "String":
        return value.sql
    if value.shown == SECONDS:
        return f"strftime({value.sql}, '%Y-%m-%d %H:%M:%S')"
    if value.type.startswith(("Array(", "Tuple(", "Map(")):
        return _spelled(value.sql, value.type, 0)
    return TEXTS.get(value.type, PLAIN).format(value.sql)


def _spelled(sql: str, kind: str, depth: int) -> str:
    """SQL: a value that may hold others; inside of them text is in quotes."""
    name, _, inside = kind.partition("(")
    kinds = split_types(inside.removesuffix(")"))
    item = f"i{depth}"
    if name == "Array":
        each = _inner(item, kinds[0], depth + 1)
        return f"'[' || array_to_string(list_transform({sql}, lambda {item}: {each}), ',') || ']'"
    if name == "Map":
        key, value = _inner(f"{item}.key", kinds[0], depth + 1), _inner(f"{item}.value", kinds[1], depth + 1)
        entries = f"list_transform(map_entries({sql}), lambda {item}: {key} || ':' || {value})"
        return f"'{{' || array_to_string({entries}, ',') || '}}'"
    parts = (_inner(f"struct_extract({sql}, {place})", each, depth + 1) for place, each in enumerate(kinds, 1))
    return f"'(' || {' || chr(44) || '.join(parts)} || ')'"


def _inner(sql: str, kind: str, depth: int) -> str:
    if kind.startswith(("Array(", "Tuple(", "Map(")):
        return f"coalesce({_spelled(sql, kind, depth)}, 'NULL')"
    written = (UNKNOWN if kind in ("Any", "Nothing") else TEXTS.get(kind, PLAIN)).format(sql)
    if kind in QUOTED:
        written = f"chr(39) || {ESCAPED.format(written)} || chr(39)"
    return f"coalesce({written}, 'NULL')"
