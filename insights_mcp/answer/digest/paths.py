"""Paths: the heaviest edge, where people enter, and the way most of them take."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest.course import NAME
from insights_mcp.answer.numbers import duration, number, told
from insights_mcp.text import quoted

Edge = tuple[str, str, float]


def edges_of(result: list[dict[str, Any]]) -> list[Edge]:
    """The edges that have two ends and a number."""
    found = ((str(item.get("source")), str(item.get("target")), number(item.get("value"))) for item in result)
    return [(source, target, value) for source, target, value in found if value is not None]


def digest(result: list[dict[str, Any]], _: Asked) -> list[str]:
    """Lines about edges."""
    edges = edges_of(result)
    if not edges:
        return []
    heaviest = max(edges, key=lambda edge: edge[2])
    ends = f"{_name(heaviest[0])} → {_name(heaviest[1])}"
    lines = [f"heaviest step: {ends}, {_times(heaviest[2])}{_took(result, heaviest)}"]
    way = heaviest_path(edges)
    if len(way) > 1:
        names = [way[0][0], *(target for _, target, _ in way)]
        often = ", ".join(told(value) for _, _, value in way)
        lines.append(f"heaviest path: {' → '.join(map(_name, names))} ({often} times)")
    return lines


def heaviest_path(edges: list[Edge]) -> list[Edge]:
    """From the heaviest first step on, always along the heaviest edge."""
    heaviest: dict[str, Edge] = {}
    for edge in edges:
        if edge[0] not in heaviest or edge[2] > heaviest[edge[0]][2]:
            heaviest[edge[0]] = edge
    at: Edge | None = max((e for e in edges if e[0].startswith("1_")), key=lambda e: e[2], default=None)
    way: list[Edge] = []
    while at is not None and at not in way:
        way.append(at)
        at = heaviest.get(at[1])
    return way


def _name(node: str) -> str:
    """A node without the step's number in front."""
    digits = "".join(takewhile(str.isdecimal, node))
    return quoted(node.removeprefix(f"{digits}_") if digits else node, NAME)


def _times(value: float) -> str:
    """How often it was gone: whoever goes it again counts again, so that these are no people."""
    return f"{told(value)} {'time' if value == 1 else 'times'}"


def _took(result: list[dict[str, Any]], edge: Edge) -> str:
    same = (i for i in result if (str(i.get("source")), str(i.get("target"))) == edge[:2])
    seconds = next((number(item.get("average_conversion_time")) for item in same), None)
    return f", {duration(seconds / 1000)} on average" if seconds is not None else ""
