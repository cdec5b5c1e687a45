"""Paths as a flow: a column of nodes for each step, and between them bands as broad as it was gone often."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.paths import Edge, edges_of
from insights_mcp.charts.folding import is_rest
from insights_mcp.charts.look import INK, MAIN, OTHERS, PADDING, WIDTH, extent, haloed, rows, short
from insights_mcp.charts.part import Part
from insights_mcp.charts.units import PEOPLE
from insights_mcp.text import counted

MOST_EDGES = 40
NODE = 10  # pixels across
GAP = 26  # between nodes of a column: room for a name
CURVE = 14  # points along a band
NAME = 22
LEAST = 160
PER_NODE = 62


@dataclass(frozen=True)
class Node:
    """Where a node stands, from top to bottom."""

    name: str
    column: int
    people: float
    top: float
    height: float


def build(result: Sequence[dict[str, Any]], _: Asked) -> Part:
    """The heaviest edges."""
    ranked = sorted((e for e in edges_of(list(result)) if e[2] > 0), key=lambda e: -e[2])
    drawn = ranked[:MOST_EDGES]
    columns = sorted({_step(node) for source, target, _ in drawn for node in (source, target)})
    crowd = max(sum(_step(node) == column for node in _people(drawn)) for column in columns)
    height = max(LEAST, PER_NODE * crowd)
    nodes = _placed(drawn, columns, height)
    names = [_told(node) for node in nodes.values() if node.column == len(columns) - 1]
    width = WIDTH - 2 * PADDING - extent(names) - 16
    bands = [row for place, band in enumerate(_bands(drawn, nodes, width, len(columns))) for row in band(place)]
    notes = (f"{counted(len(ranked) - len(drawn), 'lighter way')} not drawn",) if len(ranked) > len(drawn) else ()
    layers = [_band_layer(bands), _node_layer(nodes, width, len(columns)), *_names(nodes, width, len(columns))]
    size = {"width": width, "height": height, "autosize": "pad"}
    return Part({**size, "layer": layers}, "flow", notes)


def _step(node: str) -> int:
    """The number before a node's name."""
    digits = node.partition("_")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 4 else 0


def _people(edges: Sequence[Edge]) -> dict[str, float]:
    """Who came to a node, or left it, whichever is more."""
    came, left = defaultdict[str, float](float), defaultdict[str, float](float)
    for source, target, value in edges:
        left[source] += value
        came[target] += value
    return {node: max(came[node], left[node]) for node in dict.fromkeys(n for e in edges for n in e[:2])}


def _placed(edges: Sequence[Edge], columns: Sequence[int], height: int) -> dict[str, Node]:
    """Columns from the left, in each the heaviest node on top, all in the same measure."""
    people = _people(edges)
    by_column = [sorted((n for n in people if _step(n) == step), key=lambda n: -people[n]) for step in columns]
    measure = min((height - GAP * len(each)) / sum(people[node] for node in each) for each in by_column)
    found: dict[str, Node] = {}
    for column, each in enumerate(by_column):
        top = GAP - 8.0
        for node in each:
            tall = max(people[node] * measure, 2.0)
            found[node] = Node(node, column, people[node], top, tall)
            top += tall + GAP
    return found


def _x(column: int, width: float, columns: int) -> float:
    return column * (width - NODE) / max(columns - 1, 1)


def _bands(edges: Sequence[Edge], nodes: dict[str, Node], width: float, columns: int) -> Iterator[Any]:
    """A function for each edge that makes its outline; bands leave and arrive in the order of the nodes' places."""
    out, into = defaultdict[str, float](float), defaultdict[str, float](float)
    for source, target, value in sorted(edges, key=lambda e: (nodes[e[0]].top, nodes[e[1]].top)):
        start, end = nodes[source], nodes[target]
        broad = value * start.height / start.people
        ends = (start.top + out[source], end.top + into[target])
        out[source] += broad
        into[target] += broad
        span = (_x(start.column, width, columns) + NODE, _x(end.column, width, columns))
        yield lambda place, span=span, ends=ends, broad=broad: _band(place, span, ends, broad)


def _band(place: int, span: tuple[float, float], ends: tuple[float, float], broad: float) -> Iterator[dict[str, Any]]:
    for step in range(CURVE + 1):
        share = step / CURVE
        bent = (1 - math.cos(math.pi * share)) / 2
        top = ends[0] + (ends[1] - ends[0]) * bent
        x = span[0] + (span[1] - span[0]) * share
        yield {"x": round(x, 1), "a": round(top, 1), "b": round(top + broad, 1), "k": place}


def _pixels(field: str) -> dict[str, Any]:
    return {"field": field, "type": "quantitative", "scale": None, "axis": None}


def _band_layer(bands: list[dict[str, Any]]) -> dict[str, Any]:
    encoding = {"x": _pixels("x"), "y": _pixels("a"), "y2": {"field": "b"}, "detail": {"field": "k"}}
    return {"data": rows(bands), "mark": {"type": "area", "color": MAIN, "opacity": 0.28}, "encoding": encoding}


def _node_layer(nodes: dict[str, Node], width: float, columns: int) -> dict[str, Any]:
    data = [
        {"x": (x := _x(node.column, width, columns)), "e": x + NODE, "a": node.top, "b": node.top + node.height,
         "c": OTHERS if is_rest(node.name) else MAIN}
        for node in nodes.values()
    ]  # fmt: skip
    encoding = {"x": _pixels("x"), "x2": {"field": "e"}, "y": _pixels("a"), "y2": {"field": "b"},
                "color": {"field": "c", "type": "nominal", "scale": None}}  # fmt: skip
    return {"data": rows(data), "mark": {"type": "rect"}, "encoding": encoding}


def _names(nodes: dict[str, Node], width: float, columns: int) -> Iterator[dict[str, Any]]:
    """Above each node; of the last column beside it."""
    room = int((width / max(columns - 1, 1) - NODE) / 6.4)
    inner = [node for node in nodes.values() if node.column < columns - 1]
    last = [node for node in nodes.values() if node.column == columns - 1]
    above = [(_x(node.column, width, columns), node.top - 4, _told(node, room)) for node in inner]
    beside = [(width + 6, node.top + node.height / 2, _told(node)) for node in last]
    for texts, baseline in ((above, "bottom"), (beside, "middle")):
        mark = {"type": "text", "color": INK, "fontSize": 11, "align": "left", "baseline": baseline}
        encoding = {"x": _pixels("x"), "y": _pixels("y"), "text": {"field": "t"}}
        data = rows({"x": round(x, 1), "y": round(y, 1), "t": text} for x, y, text in texts)
        yield from haloed({"data": data, "mark": mark, "encoding": encoding})


def _told(node: Node, room: int = NAME + 8) -> str:
    """Its name without the step, and people."""
    name = node.name.partition("_")[2] if _step(node.name) else node.name
    people = PEOPLE.told(node.people)
    return f"{short(name, max(4, min(NAME, room - len(people) - 2)))}  {people}"
