"""A call of a function from the table: its template filled with its arguments, and the type of what it gives."""

from __future__ import annotations

import re

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.signatures import Function
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.hogql.tree import Call

HOLE = re.compile(r"\{(\*|\d)\}")


def fill(template: str, args: list[str]) -> str:
    """A template with its arguments."""
    return HOLE.sub(lambda m: ", ".join(args) if m[1] == "*" else args[int(m[1])], template)


def written(function: Function, args: list[Typed]) -> Typed:
    """A call of a function from the table."""
    nullable = any(arg.nullable for arg in args) if function.nullable is None else function.nullable
    template = function.forms.get(len(args), function.template)
    sql, kind = fill(template, [arg.sql for arg in args]), _type(function.type, args)
    return Typed(f"{sql}::date" if function.type == "time" and kind == "Date" else sql, kind, nullable)


def _type(kind: str, args: list[Typed]) -> str:
    first = args[0].type if args else "Any"
    if kind == "time":
        return first if first in ("Date", "DateTime") else "DateTime"
    return {"=": first, "[]": f"Array({first})", "el": element(first), "sum": first}.get(kind, kind)


def element(kind: str) -> str:
    """What an array of this type holds."""
    return kind[6:-1] if kind.startswith("Array(") else "Any"


def check_count(name: str, node: Call, fewest: int, most: int) -> None:
    given = len(node.args)
    if not fewest <= given <= most:
        wanted = f"{fewest}" if fewest == most else f"{fewest} to {most}"
        raise QueryError(f"{name} takes {wanted} arguments, not {given}.", attr="query")
