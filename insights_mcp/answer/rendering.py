"""Writing an answer out twice, as text and as structured content: each complete, both inside the budget.

Hosts show a model one of the two, and which one differs; so both say the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.answer import Answer, Table
from insights_mcp.answer.pieces import PIECE, dumps
from insights_mcp.text import clean, shortened

CHARACTERS_PER_TOKEN = 4
SUMMARY = 1_500
FULL = 8_000
CELL = 160
FACT = 1_600
SAID = 600
ROOM_FOR_NOTES = 400


@dataclass(frozen=True)
class Rendered:
    """The same answer in both forms."""

    text: str
    structured: dict[str, Any]


def render(answer: Answer, place: str, budget: int = SUMMARY) -> Rendered:
    """Both forms of an answer from `place` (the project in words), each at most `budget` tokens."""
    room = budget * CHARACTERS_PER_TOKEN
    cell = CELL if budget <= SUMMARY else PIECE * 2
    facts, too_long = _facts(answer.facts, min(FACT, room // 3))
    head = {"project": place, "answer": clean(answer.said, SAID)} | facts
    used = max(len(_head_text(head)), len(dumps(head))) + sum(map(len, answer.left_out + answer.next))
    shown = _fitting(answer.table, cell, room - used - len(answer.more) - ROOM_FOR_NOTES)
    left_out = [*too_long, *answer.left_out, *_rows_left_out(answer, shown)]
    structured = head | _table_content(shown) | _notes(left_out, answer.next)
    return Rendered(_text(head, shown, left_out, answer.next), structured)


def _facts(facts: dict[str, Any], limit: int) -> tuple[dict[str, Any], list[str]]:
    """Facts that fit, values cleaned; and a note on each that is too long to show."""
    kept: dict[str, Any] = {}
    notes: list[str] = []
    room = limit * 2
    for name, value in facts.items():
        shown = value if isinstance(value, bool | int | float) else _cleaned(value, 400)
        size = len(dumps(shown))
        if size > limit or size > room:
            notes.append(f"{name} ({size:,} characters)")
        elif value is not None and value not in ("", [], {}):
            kept[name] = shown
            room -= size
    return kept, notes


def _cleaned(value: Any, limit: int) -> Any:
    """The value with every text in it made safe; texts keep `limit` characters."""
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, dict):
        return {clean(k, 120): _cleaned(v, max(limit, 4_000)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item, max(limit, 4_000)) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _fitting(table: Table | None, cell: int, room: int) -> Table | None:
    """As many rows as there is room for."""
    if table is None:
        return None
    columns = [clean(column, 60) for column in table.columns]
    room -= max(len(dumps(columns)), len(_line(columns)))
    rows: list[list[Any]] = []
    for row in table.rows:
        safe = list(row) if table.verbatim else [_cell(value, cell) for value in row]
        room -= max(len(dumps(safe)), len(_line(safe, table.verbatim))) + 1
        if room < 0:
            break
        rows.append(safe)
    return Table(columns, rows, table.first, table.size, table.verbatim)


def _cell(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, float):
        return (int(value) if value.is_integer() and abs(value) < 1e15 else value) if math.isfinite(value) else None
    if isinstance(value, dict | list | tuple):
        return shortened(dumps(_cleaned(value, limit)), limit)
    return value


def _rows_left_out(answer: Answer, shown: Table | None) -> list[str]:
    if shown is None or answer.table is None:
        return []
    end = shown.first + len(shown.rows)
    if end >= shown.size and not shown.first:
        return []
    span = f"rows {shown.first + 1}-{end} of {shown.size} shown" if shown.rows else f"no row shown of {shown.size}"
    return [f"{span}; go on with {answer.more.format(offset=end)}" if answer.more and end < shown.size else span]


def _table_content(table: Table | None) -> dict[str, Any]:
    return {} if table is None else {"columns": list(table.columns), "rows": list(table.rows)}


def _notes(left_out: Sequence[str], following: Sequence[str]) -> dict[str, Any]:
    return {k: list(v) for k, v in (("left_out", left_out), ("next", following)) if v}


def _head_text(head: dict[str, Any]) -> str:
    facts = [f"{name}: {_fact_text(value)}" for name, value in head.items() if name not in ("project", "answer")]
    return "\n".join([head["answer"], *facts, f"({head['project']})"])


def _fact_text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)


def _text(head: dict[str, Any], table: Table | None, left_out: Sequence[str], following: Sequence[str]) -> str:
    parts = [_head_text(head)]
    if table is not None and table.rows:
        parts.append("\n".join([_line(table.columns), *(_line(row, table.verbatim) for row in table.rows)]))
    if left_out:
        parts.append("Left out: " + "; ".join(left_out))
    if following:
        parts.append("Next: " + " ".join(following))
    return "\n\n".join(parts)


def _line(cells: Sequence[Any], verbatim: bool = False) -> str:
    return " | ".join(cells if verbatim else (_cell_text(cell) for cell in cells))


def _cell_text(cell: Any) -> str:
    if cell is None:
        return "null"
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return f"{cell:.6g}"
    return str(cell).replace("|", "\\|")
