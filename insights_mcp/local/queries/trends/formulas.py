"""Formulas over series, which are A, B, … in them: `A / B * 100`, bucket by bucket and value by value."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Sequence
from typing import Any

from insights_mcp.local.queries.breakdowns import ALL, NONE, OTHER
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.schema.trends import FormulaNode, TrendsQuery

Number = float
LIMIT, DEPTH = 1000, 100
LARGEST = 1e300
DIGITS = re.compile(r"(\d+)")
# What stands behind every value, in this order.
LAST = {NONE: -1, OTHER: -2}
Series = dict[str, Any]


def of(query: TrendsQuery) -> list[FormulaNode]:
    """The formulas of a query, whichever way they are written. Raises QueryError for one that cannot be read."""
    given = query.trendsFilter
    if given is None:
        return []
    texts = given.formulas or ([given.formula] if given.formula else [])
    found = given.formulaNodes or [FormulaNode(formula=text) for text in texts]
    for node in found:
        _check(_parsed(node.formula), node.formula, len(query.series))
    return found


def apply(nodes: list[FormulaNode], results: list[Series], orders: int) -> list[Series]:
    """What each formula makes of the series of each period and value."""
    answers: list[Series] = []
    for number, node in enumerate(nodes):
        for label in dict.fromkeys(each.get("compare_label") for each in results):
            period = [each for each in results if each.get("compare_label") == label]
            answers += _sorted([_combined(node, number, same, orders) for same in _by_value(period)])
    return answers


def _sorted(found: list[Series]) -> list[Series]:
    """The most first. Cohorts with everybody beside them stay as they were asked for; beside another period, what has
    equal counts is in the order of its values."""
    if not found or "breakdown_value" not in found[0] or any(each["breakdown_value"] == ALL for each in found):
        return found
    if found[0].get("compare_label"):
        return sorted(sorted(found, key=_natural), key=lambda each: -float(each["count"]))
    return sorted(found, key=_size, reverse=True)


def _natural(series: Series) -> list[tuple[tuple[int, int, str], ...]]:
    """Texts by their words, numbers in them by their size."""
    value = series["breakdown_value"]
    return [
        tuple((0, int(part), "") if part.isdecimal() else (1, 0, part.lower()) for part in DIGITS.split(str(text)))
        for text in (value if isinstance(value, list) else [value])
    ]


def _size(series: Series) -> tuple[int, float, float, list[Number], str]:
    value, data = series["breakdown_value"], series["data"] or []
    total = float(series["aggregated_value"] if "aggregated_value" in series else sum(data))
    return LAST.get(value if isinstance(value, str) else "", 0), total, float(series["count"]), data, repr(value)


def _by_value(results: list[Series]) -> list[list[Series]]:
    groups: dict[str, list[Series]] = {}
    for each in results:
        groups.setdefault(repr(each.get("breakdown_value")), []).append(each)
    return list(groups.values())


def _combined(node: FormulaNode, number: int, same: list[Series], orders: int) -> Series:
    tree = _parsed(node.formula)
    by_order = {each["order"]: each for each in same}
    first = by_order.get(0) or _absent(same[0])
    answer = {
        **first,
        "order": number,
        "action": None,
        "label": node.custom_name or f"Formula ({node.formula})",
    }
    if "aggregated_value" in same[0]:
        values = [by_order[n]["aggregated_value"] if n in by_order else 0 for n in range(orders)]
        return {**answer, "data": None, "count": 0, "aggregated_value": float(_value(tree, values))}
    rows = zip(
        *(by_order[n]["data"] if n in by_order else [0] * len(same[0]["data"]) for n in range(orders)), strict=True
    )
    data = [_value(tree, row) for row in rows]
    return {**answer, "data": data, "count": float(sum(data))}


def _absent(other: Series) -> Series:
    """What stands for the first series where it has nothing under a value that another one has."""
    kept = {key: other.get(key) for key in ("breakdown_value", "compare_label", "days", "labels")}
    return {"aggregated_value": 0, **kept}


def _parsed(text: str) -> ast.expr:
    try:
        if len(text) > LIMIT:
            raise ValueError
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise QueryError(f"'{text[:80]}' is no formula. Write such as A / B * 100.", attr="trendsFilter") from None


def _check(tree: ast.expr, text: str, orders: int) -> None:
    """Raise for what no formula holds, before anything is computed."""
    if _is_deep(tree):
        raise QueryError("The formula is nested too deeply.", attr="trendsFilter")
    letters = [chr(ord("A") + number) for number in range(min(orders, 26))]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id.upper() not in letters:
            raise QueryError(
                f"'{node.id}' in the formula '{text}' is no series. Use {', '.join(letters)}.", attr="trendsFilter"
            )
        if not isinstance(node, PARTS) or (isinstance(node, ast.Constant) and type(node.value) not in (int, float)):
            raise QueryError(
                f"The formula '{text}' can hold series, numbers, + - * / % ** and brackets only.", attr="trendsFilter"
            )


def _is_deep(tree: ast.expr) -> bool:
    level: list[ast.AST] = [tree]
    for _ in range(DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
    return bool(level)


def _value(tree: ast.expr, values: Sequence[Number]) -> Number:
    if isinstance(tree, ast.Constant):
        return _drawn(tree.value)  # type: ignore[arg-type]
    if isinstance(tree, ast.Name):
        return values[ord(tree.id.upper()) - ord("A")]
    if isinstance(tree, ast.UnaryOp):
        value = _value(tree.operand, values)
        return -value if isinstance(tree.op, ast.USub) else value
    assert isinstance(tree, ast.BinOp)
    left, right = _value(tree.left, values), _value(tree.right, values)
    try:
        return _drawn(OPERATIONS[type(tree.op)](left, right))
    except (ZeroDivisionError, OverflowError):
        return 0


def _drawn(number: Number) -> Number:
    """The number, if it is one that can be drawn; whole numbers in Python have no end."""
    return number if abs(number) < LARGEST else 0


def _power(left: Number, right: Number) -> Number:
    """In floating point, where a power costs nothing, however large."""
    found = float(left) ** float(right)
    return found if isinstance(found, float) else 0


OPERATIONS: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: _power,
}
PARTS = (ast.BinOp, ast.UnaryOp, ast.Name, ast.Constant, ast.Load, ast.USub, ast.UAdd, *OPERATIONS)
