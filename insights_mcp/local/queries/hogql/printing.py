"""A tree as HogQL text, the way PostHog names columns that have no alias: `count()`, `plus(a, 1)`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from insights_mcp.local.queries.hogql.tree import Alias, Call, Cast, Field, Interval, Lambda, Literal, Node, Star

LONGEST = 2_000


def name_of(node: Node) -> str:
    """The name of a column."""
    if isinstance(node, Alias):
        return node.name
    if isinstance(node, Field):
        return node.chain[-1]
    return text(node)[:LONGEST]


def text(node: Node) -> str:
    """The node as HogQL."""
    printer = PRINTERS.get(type(node))
    return printer(node) if printer else "(SELECT …)"


def _literal(node: Literal) -> str:
    if isinstance(node.value, str):
        return "'" + node.value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    if node.value is None:
        return "NULL"
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)


def _call(node: Call) -> str:
    inner = ", ".join(text(arg) for arg in node.args)
    if node.name in ("tuple", "array"):
        return f"({inner})" if node.name == "tuple" else f"[{inner}]"
    params = f"({', '.join(text(param) for param in node.params)})" if node.params else ""
    over = " OVER (…)" if node.over else ""
    return f"{node.name}{params}({'DISTINCT ' if node.distinct else ''}{inner}){over}"


PRINTERS: dict[type[Node], Callable[[Any], str]] = {
    Literal: _literal,
    Call: _call,
    Field: lambda node: ".".join(node.chain),
    Star: lambda node: f"{node.table}.*" if node.table else "*",
    Alias: lambda node: text(node.what),
    Cast: lambda node: f"CAST({text(node.what)} AS {node.type})",
    Interval: lambda node: f"toInterval{node.unit.capitalize()}({text(node.count)})",
    Lambda: lambda node: f"{', '.join(node.names)} -> {text(node.body)}",
}
