"""A tree as HogQL text, the way PostHog names columns that have no alias: `count()`, `plus(a, 1)`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from insights_mcp.local.queries.hogql.tree import (
    Alias,
    Call,
    Cast,
    Field,
    Interval,
    Lambda,
    Literal,
    Node,
    OrderBy,
    Star,
    Window,
)

LONGEST = 2_000
PLAIN = re.compile(r"^[A-Za-z_$][A-Za-z0-9_$]*$")
ESCAPES = str.maketrans(
    {"\\": "\\\\", "'": "\\'", "\b": "\\b", "\f": "\\f", "\r": "\\r", "\n": "\\n", "\t": "\\t", "\0": "\\0",
     "\a": "\\a", "\v": "\\v"}
)  # fmt: skip
# These look into the whole partition, whatever the order.
NEIGHBOURS = ("lag", "lead")
WHOLE = "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"


def name_of(node: Node) -> str:
    """The name of a column."""
    if isinstance(node, Alias):
        return node.name
    if isinstance(node, Field) and not node.indexed:
        return _own_name(node.chain)
    return text(node)[:LONGEST]


def text(node: Node) -> str:
    """The node as HogQL."""
    printer = PRINTERS.get(type(node))
    return printer(node) if printer else "(SELECT …)"


def _own_name(chain: tuple[str, ...]) -> str:
    """A field is called by its last name, a property by all of its path."""
    start = chain.index("properties") + 1 if "properties" in chain[:-1] else len(chain) - 1
    return "__".join(chain[start:])


def _identifier(name: str) -> str:
    return name if PLAIN.match(name) else "`" + name.translate(ESCAPES).replace("`", "\\`") + "`"


def _literal(node: Literal) -> str:
    if isinstance(node.value, str):
        return f"'{node.value.translate(ESCAPES)}'"
    if node.value is None:
        return "NULL"
    return str(node.value).lower() if isinstance(node.value, bool) else str(node.value)


def _listed(nodes: tuple[Node, ...]) -> str:
    return ", ".join(map(text, nodes))


def _call(node: Call) -> str:
    if node.form in FORMS:
        return FORMS[node.form](node)
    if node.name == "array":
        return f"[{_listed(node.args)}]"
    if node.over:
        return _windowed(node)
    params = f"({_listed(node.params)})" if node.params else ""
    return f"{node.name}{params}({'DISTINCT ' if node.distinct else ''}{_listed(node.args) or node.form})"


def _windowed(node: Call) -> str:
    """A call with OVER; PostHog writes lag and lead as ClickHouse's functions of a frame."""
    over = node.over or Window()
    params = f"({_listed(node.params)})" if node.params else ""
    if node.name not in NEIGHBOURS or not node.args:
        window = over.name or f"({_window(over)})"
        return f"{node.name}{params}({_listed(node.args)}) OVER {window}"
    first, *rest = map(text, node.args)
    window = over.name or f"({' '.join(filter(None, (_window(over), '' if over.frame else WHOLE)))})"
    return f"{node.name}InFrame({', '.join((f'toNullable({first})', *rest))}) OVER {window}"


def _window(over: Window) -> str:
    parts = [
        f"PARTITION BY {_listed(over.partition)}" if over.partition else "",
        f"ORDER BY {', '.join(map(_ordered, over.order))}" if over.order else "",
        over.frame.upper(),
    ]
    return " ".join(part for part in parts if part)


def _ordered(item: OrderBy) -> str:
    return f"{text(item.what)} {'DESC' if item.descending else 'ASC'}"


def _element(node: Call) -> str:
    """`list[1]`, `pair.1`; a place inside a property is one more of its names."""
    owner, key = node.args
    if _is_property(node):
        value = key.value if isinstance(key, Literal) else ""
        return f"{text(owner)}.{value if isinstance(value, int) else _identifier(str(value))}"
    if node.form == "[]":
        return f"{text(owner)}[{text(key)}]"
    bare = isinstance(owner, Field) or (isinstance(owner, Call) and not owner.form)
    return f"{text(owner)}.{text(key)}" if bare else f"({text(owner)}).{text(key)}"


def _slice(node: Call) -> str:
    """`list[2:3]`: its end stands in what is counted from it."""
    owner, start, *size = node.args
    end = size[0].args[0].args[0] if size and isinstance(size[0], Call) and isinstance(size[0].args[0], Call) else None
    return f"{text(owner)}[{text(start)}:{text(end) if end else ''}]"


def _is_property(node: Node) -> bool:
    if isinstance(node, Call) and node.form in ("[]", "."):
        return isinstance(node.args[1], Literal) and _is_property(node.args[0])
    return isinstance(node, Field) and "properties" in node.chain


def _between(node: Call) -> str:
    inside = node.args[0] if node.name == "not" else node
    assert isinstance(inside, Call)
    [what, low], [_, high] = (bound.args for bound in inside.args if isinstance(bound, Call))
    return f"{text(what)} {'NOT ' if inside is not node else ''}BETWEEN {text(low)} AND {text(high)}"


def _case(node: Call) -> str:
    """CASE x WHEN a THEN b ELSE c END."""
    *arms, other = node.args
    whens = [each.args for each in arms[::2] if isinstance(each, Call)]
    if len(whens) < len(arms) / 2:  # two constants were compared
        return f"{node.name}({_listed(node.args)})"
    asked, found = (f"[{_listed(tuple(each))}]" for each in ((when[1] for when in whens), arms[1::2]))
    return f"transform({text(whens[0][0])}, {asked}, {found}, {text(other)})"


FORMS: dict[str, Callable[[Call], str]] = {
    "[]": _element,
    ".": _element,
    "between": _between,
    "case": _case,
    "[:]": lambda node: _slice(node),
    "distinct": lambda node: f" IS {'NOT ' if node.name == 'equals' else ''}DISTINCT FROM ".join(map(text, node.args)),
    "is": lambda node: f"{'notEquals' if node.name == 'isNotNull' else 'equals'}({text(node.args[0])}, NULL)",
    "-": lambda node: f"minus(0, {text(node.args[0])})",
}


def _lambda(node: Lambda) -> str:
    names = ", ".join(map(_identifier, node.names))
    return f"{names if len(node.names) == 1 else f'({names})'} -> {text(node.body)}"


PRINTERS: dict[type[Node], Callable[[Any], str]] = {
    Literal: _literal,
    Call: _call,
    Field: lambda node: ".".join(map(_identifier, node.chain)),
    Star: lambda node: f"{node.table}.*" if node.table else "*",
    Alias: lambda node: f"{text(node.what)} AS {_identifier(node.name)}",
    Cast: lambda node: f"CAST({text(node.what)} AS {node.type})",
    Interval: lambda node: f"toInterval{node.unit.capitalize()}({text(node.count)})",
    Lambda: _lambda,
}
