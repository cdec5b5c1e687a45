"""A HogQL query as a tree. Operators are calls of the function they mean: `a = b` is equals(a, b)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Node:
    """Any part of a query; `at` is its place in the text."""

    at: int = field(default=-1, compare=False, repr=False, kw_only=True)


def standing(node: Node, at: int) -> Node:
    """A node with its place, if it has none yet."""
    return replace(node, at=at) if node.at < 0 else node


@dataclass(frozen=True)
class Literal(Node):
    """A string, number, boolean or NULL."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class Field(Node):
    """`event`, `properties.$browser`, `p.properties.plan`; `indexed`: reached by a bracket, `properties['plan']`."""

    chain: tuple[str, ...]
    indexed: bool = False


@dataclass(frozen=True)
class Star(Node):
    """`*`, or `e.*`; without the columns of EXCEPT."""

    table: str | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True)
class Placeholder(Node):
    """`{filters}`, `{variables.country}`."""

    chain: tuple[str, ...]


@dataclass(frozen=True)
class Settled(Node):
    """`{variables.which ? sql(a = 1) : sql(a = 2)}`: an expression over given values, settled before the query is."""

    what: Node


@dataclass(frozen=True)
class OrderBy(Node):
    what: Node
    descending: bool = False
    nulls: str | None = None


@dataclass(frozen=True)
class Window(Node):
    """What follows OVER. `frame` is its text, made of known words and numbers only."""

    partition: tuple[Node, ...] = ()
    order: tuple[OrderBy, ...] = ()
    frame: str = ""
    name: str | None = None


@dataclass(frozen=True)
class Call(Node):
    """name(params)(args), with DISTINCT and OVER. `form` is how it was written where that was not a call."""

    name: str
    args: tuple[Node, ...]
    params: tuple[Node, ...] = ()
    distinct: bool = False
    over: Window | None = None
    form: str = ""


@dataclass(frozen=True)
class Lambda(Node):
    names: tuple[str, ...]
    body: Node


@dataclass(frozen=True)
class Alias(Node):
    what: Node
    name: str


@dataclass(frozen=True)
class Cast(Node):
    what: Node
    type: str


@dataclass(frozen=True)
class Interval(Node):
    count: Node
    unit: str


@dataclass(frozen=True)
class Table(Node):
    """A table, a common table expression, or a table function with `args`."""

    chain: tuple[str, ...]
    alias: str | None = None
    args: tuple[Node, ...] | None = None
    share: float = 1


@dataclass(frozen=True)
class Derived(Node):
    """A subquery in FROM."""

    query: Node
    alias: str | None = None


@dataclass(frozen=True)
class Own(Node):
    """A common table expression inside itself: it is read by its name."""

    columns: Any


@dataclass(frozen=True)
class Tagged(Node):
    """A query of another kind in FROM, by its JSON."""

    query: dict[str, Any]
    alias: str | None = None


@dataclass(frozen=True)
class Join(Node):
    kind: str
    source: Node
    on: Node | None = None
    using: tuple[str, ...] = ()


# LIMIT n OFFSET m BY: how many rows of each, of what, and after how many.
LimitBy = tuple[Node, tuple[Node, ...], Node | None]


@dataclass(frozen=True)
class Fill(Node):
    """WITH FILL: where gaps are filled from, to and by which step; what is carried on from the row before.

    `carried` names columns; none of them is all of them.
    """

    start: Node | None = None
    end: Node | None = None
    step: Node | None = None
    carried: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Select(Node):
    columns: tuple[Node, ...]
    source: Node | None = None
    joins: tuple[Join, ...] = ()
    ctes: tuple[tuple[str, Node], ...] = ()
    where: Node | None = None
    group: tuple[Node, ...] = ()
    having: Node | None = None
    windows: tuple[tuple[str, Window], ...] = ()
    order: tuple[OrderBy, ...] = ()
    limit: Node | None = None
    offset: Node | None = None
    limit_by: LimitBy | None = None
    distinct: bool = False
    arrays: tuple[Node, ...] = ()
    keep_empty: bool = False
    ties: bool = False
    qualify: Node | None = None
    totals: tuple[tuple[Node, ...], ...] = ()
    fill: Fill | None = None


@dataclass(frozen=True)
class Union(Node):
    """Selects joined by UNION ALL, UNION DISTINCT, INTERSECT or EXCEPT."""

    first: Node
    rest: tuple[tuple[str, Node], ...]
    ctes: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True)
class Subquery(Node):
    """A query used as a value, or after IN."""

    query: Node


def walk(node: Any) -> Iterator[Node]:
    """The node and all below it, not entering subqueries."""
    if isinstance(node, tuple):
        for item in node:
            yield from walk(item)
    elif is_dataclass(node) and isinstance(node, Node):
        yield node
        if not isinstance(node, (Subquery, Select, Union)):
            for each in fields(node):
                yield from walk(getattr(node, each.name))
