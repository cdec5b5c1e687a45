"""Writing an answer out twice, as text and as structured content: each complete, both inside the budget.

Hosts show a model one of the two, and which one differs; so both say the same.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from typing import Any

from insights_mcp.answer.answer import Answer, Table
from insights_mcp.answer.pieces import PIECE, dumps, finite
from insights_mcp.text import clean, shortened

CHARACTERS_PER_TOKEN = 4
SUMMARY = 1_500
FULL = 8_000
CELL = 160
FACT = 1_600
SAID = 600
PLACE = 240
NOTE = 400
NOTES = 800  # all of what was left out, and all of what comes next, each
ROOM_FOR_NOTES = 500
PLAIN_WORDS = {None: "null", True: "true", False: "false"}
LONGEST_INTEGER = 63  # bits; longer ones are shown as text


@dataclass(frozen=True)
class Rendered:
    """The same answer in both forms."""

    text: str
    structured: dict[str, Any]


def render(answer: Answer, place: str, budget: int = SUMMARY) -> Rendered:
    """Both forms of an answer from `place` (the project in words), each at most `budget` tokens."""
    room = budget * CHARACTERS_PER_TOKEN
    cell = CELL if budget <= SUMMARY else PIECE * 2
    head: dict[str, Any] = {"project": clean(place, PLACE), "answer": clean(answer.said, SAID)}
    following, omitted = _notes_that_fit(answer.next), _notes_that_fit(answer.left_out)
    room -= _size(head) + sum(len(dumps(note)) + 2 for note in following + omitted) + ROOM_FOR_NOTES
    facts, too_long = _facts(answer.facts, room, FACT, "; detail='full' has it" if answer.more else "")
    head |= facts
    shown, cut = _fitting(answer.table, cell, room - sum(_fact_size(*fact) for fact in facts.items()) - len(too_long))
    rest = _rows_left_out(answer, shown)
    left_out = [clean(note, NOTE) for note in (too_long, *omitted, cut, rest) if note]
    return Rendered(_text(head, shown, left_out, following), head | _table_content(shown) | _notes(left_out, following))


def _notes_that_fit(notes: Sequence[str]) -> list[str]:
    """The notes, made safe, as many as there is room for."""
    kept: list[str] = []
    for note in (clean(note, NOTE) for note in notes):
        if sum(map(len, kept)) + len(note) <= NOTES:
            kept.append(note)
    return kept


def _facts(facts: dict[str, Any], room: int, longest: int, instead: str) -> tuple[dict[str, Any], str]:
    """Facts that fit, values cleaned; and a note on those that are too long to show."""
    kept: dict[str, Any] = {}
    dropped: list[str] = []
    room //= 2  # the table needs some, too
    for name, value in facts.items():
        shown = _cleaned(value, 400)
        size = _fact_size(name, shown)
        if shown is None or shown in ("", [], {}):
            continue
        if size > min(longest, room):
            dropped.append(f"{name} ({size:,} characters{instead})")
        else:
            kept[name] = shown
            room -= size
    return kept, shortened(", ".join(dropped), NOTE)


def _fact_size(name: str, value: Any) -> int:
    return len(dumps(name)) + len(dumps(value)) + 2


def _cleaned(value: Any, limit: int) -> Any:
    """The value with every text in it made safe; texts keep `limit` characters."""
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, dict):
        return {clean(k, 120): _cleaned(v, max(limit, 4_000)) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item, max(limit, 4_000)) for item in value]
    return finite(value)


def _fitting(table: Table | None, cell: int, room: int) -> tuple[Table | None, str]:
    """As many rows as there is room for, with cut cells if not one fits; and what is said of columns left out."""
    if table is None:
        return None, ""
    columns = _columns_that_fit(table.columns, room // 2)
    room -= max(len(dumps(columns)), len(_line(columns)))
    rows: list[list[Any]] = []
    for limit in (cell, cell // 4, cell // 16):
        rows = _rows_that_fit(table, len(columns), limit, room)
        if rows:
            break
    cut = (
        f"{len(table.columns) - len(columns)} of {len(table.columns)} columns"
        if len(columns) < len(table.columns)
        else ""
    )
    return Table(columns, rows, table.first, table.size, table.verbatim), cut


def _columns_that_fit(columns: Sequence[str], room: int) -> list[str]:
    kept: list[str] = []
    for column in (clean(column, 60) for column in columns):
        room -= len(dumps(column)) + 3
        if room < 0:
            break
        kept.append(column)
    return kept


def _rows_that_fit(table: Table, width: int, cell: int, room: int) -> list[list[Any]]:
    rows: list[list[Any]] = []
    for row in table.rows:
        safe = list(row) if table.verbatim else [_cell(value, cell) for value in row[:width]]
        room -= max(sum(map(_json_size, safe)) + 2, sum(map(_text_size, safe))) + 3 * len(safe)
        if room < 0:
            break
        rows.append(safe)
    return rows


def _cell(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, dict | list | tuple):
        return shortened(dumps(_cleaned(value, limit)), limit)
    return clean(value, limit) if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER else value


def _number(value: float) -> float | int | None:
    """What matters of a number: six digits, and all before the point."""
    if not math.isfinite(value):
        return None
    if value.is_integer() and abs(value) < 1e15:
        return int(value)
    return round(value, 2) if abs(value) >= 10_000 else float(f"{value:.6g}")


def _rows_left_out(answer: Answer, shown: Table | None) -> str:
    if shown is None or answer.table is None:
        return ""
    end = shown.first + len(shown.rows)
    if end >= shown.size and not shown.first:
        return ""
    span = f"rows {shown.first + 1}-{end} of {shown.size} shown" if shown.rows else f"no row shown of {shown.size}"
    if answer.table.rows and not shown.rows:
        end += 1  # go on, however large the next one is
        span = f"row {end} of {shown.size} is too large to show"
    return f"{span}; go on with {answer.more.format(offset=end)}" if answer.more and end < shown.size else span


def _table_content(table: Table | None) -> dict[str, Any]:
    return {} if table is None else {"columns": list(table.columns), "rows": list(table.rows)}


def _notes(left_out: Sequence[str], following: Sequence[str]) -> dict[str, Any]:
    return {k: list(v) for k, v in (("left_out", left_out), ("next", following)) if v}


def _size(head: dict[str, Any]) -> int:
    return max(len(_head_text(head)), len(dumps(head)))


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
    if isinstance(cell, str):
        return cell.replace("|", "\\|")
    return PLAIN_WORDS[cell] if cell is None or isinstance(cell, bool) else repr(cell)


def _text_size(cell: Any) -> int:
    return len(cell) + cell.count("|") if isinstance(cell, str) else len(_cell_text(cell))


def _json_size(cell: Any) -> int:
    return len(encode_basestring(cell)) if isinstance(cell, str) else len(_cell_text(cell))
