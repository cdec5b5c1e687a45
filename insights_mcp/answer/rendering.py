"""Writing an answer out twice, as text and as structured content: each complete, both inside the budget.

Hosts show a model one of the two, and which one differs; so both say the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from insights_mcp.answer.answer import Answer, Table
from insights_mcp.answer.numbers import LONGEST_INTEGER, plain
from insights_mcp.answer.pieces import dumps, finite
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
PROVENANCE = 500
LINE = 400  # of the digest
LEAST = 0.75  # of a note: it holds the call that goes on
OWN = frozenset({"project", "answer", "notes", "digest", "provenance"})
MOST_ROWS = 40  # of a ranked table that are shown without choosing
PLAIN_WORDS = {None: "null", True: "true", False: "false"}
BAR = re.compile(r"(\\*)\|")  # a backslash before a bar would take the one that escapes it
# A text that reads like one of these, or like a number, is in quotes in the text.
SPECIAL = re.compile(r"null|true|false|[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Rendered:
    """The same answer in both forms."""

    text: str
    structured: dict[str, Any]


def render(answer: Answer, place: str, budget: int = SUMMARY) -> Rendered:
    """Both forms of an answer from `place` (the project in words), each at most `budget` tokens."""
    room = budget * CHARACTERS_PER_TOKEN
    scale = min(1.0, budget / SUMMARY)  # of what is short anyway
    cell = int(CELL * max(scale, budget / SUMMARY))
    head: dict[str, Any] = {
        "project": clean(place, int(PLACE * scale)),
        "answer": clean(answer.said, int(SAID * scale)),
    }
    if notes := _notes_that_fit(answer.notes, int(NOTES * scale)):
        head["notes"] = notes
    following = _notes_that_fit(answer.next, int(NOTES * scale))
    omitted = _notes_that_fit(answer.left_out, int(NOTES * scale))
    room -= (
        _size(head)
        + sum(len(dumps(note)) + 2 for note in following + omitted)
        + int(ROOM_FOR_NOTES * max(scale, LEAST))
    )
    told = _told(answer, room, scale)
    head |= told
    room -= _size(head, told)
    facts, too_long = _facts(answer.facts, room, FACT, "; detail='full' has it" if answer.more else "")
    head |= facts
    room -= sum(_fact_size(*fact) for fact in facts.items()) + len(too_long)
    shown, cut = _fitting(answer.table, cell, room, budget)
    rest = _rows_left_out(answer, shown)
    longest = int(NOTE * max(scale, LEAST))
    left_out = [clean(note, longest) for note in (too_long, *omitted, cut, rest) if note]
    return Rendered(_text(head, shown, left_out, following), head | _table_content(shown) | _notes(left_out, following))


def _told(answer: Answer, room: int, scale: float) -> dict[str, Any]:
    """The provenance, and as many lines of the digest as there is room for beside it."""
    told: dict[str, Any] = {}
    if answer.provenance:
        told["provenance"] = clean(answer.provenance, int(PROVENANCE * scale))
    lines: list[str] = []
    left = room // 2
    for line in (clean(line, LINE) for line in answer.digest):
        if (size := len(dumps(line)) + 3) <= left:
            lines.append(line)
            left -= size
    return told | ({"digest": lines} if lines else {})


def _notes_that_fit(notes: Sequence[str], room: int) -> list[str]:
    """The notes, made safe, as many as there is room for."""
    kept: list[str] = []
    for note in (clean(note, min(NOTE, room)) for note in notes):
        if len(dumps(note)) <= room:
            kept.append(note)
            room -= len(dumps(note))
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


def _fitting(table: Table | None, cell: int, room: int, budget: int) -> tuple[Table | None, str]:
    """As many rows as there is room for, with cut cells if not one fits; and what is said of columns left out."""
    if table is None:
        return None, ""
    columns = _columns_that_fit(table.columns, room // 2)
    room -= max(len(dumps(columns)), len(_line(columns)))
    rows: list[list[Any]] = []
    for limit in (cell, cell // 4, cell // 16):
        rows = _rows_to_show(table, len(columns), limit, room, _enough(table, budget))
        if rows:
            break
    cut = (
        f"{len(table.columns) - len(columns)} of {len(table.columns)} columns"
        if len(columns) < len(table.columns)
        else ""
    )
    return replace(table, columns=columns, rows=rows, held=table.size), cut


def _enough(table: Table, budget: int) -> int:
    """Rows at most; who makes room wants them."""
    return table.enough if budget <= SUMMARY else max(table.enough, MOST_ROWS) * budget // SUMMARY


def _rows_to_show(table: Table, width: int, cell: int, room: int, enough: int) -> list[list[Any]]:
    """The first rows; of a ranked table those that say most, in the table's order."""
    if table.ranked is None:
        return [row for _, row in _rows_that_fit(table, range(len(table.rows)), width, cell, room)]
    most = max(enough, MOST_ROWS if len(table.rows) <= MOST_ROWS else 0)
    return [row for _, row in sorted(_rows_that_fit(table, table.ranked[:most], width, cell, room), key=itemgetter(0))]


def _columns_that_fit(columns: Sequence[str], room: int) -> list[str]:
    kept: list[str] = []
    for column in (clean(column, 60) for column in columns):
        room -= len(dumps(column)) + 3
        if room < 0:
            break
        kept.append(column)
    return kept


def _rows_that_fit(
    table: Table, places: Iterable[int], width: int, cell: int, room: int
) -> list[tuple[int, list[Any]]]:
    rows: list[tuple[int, list[Any]]] = []
    for place in places:
        row = table.rows[place]
        safe = list(row) if table.verbatim else [_cell(value, cell) for value in row[:width]]
        room -= _row_size(safe) + 3 * len(safe)
        if room < 0:
            break
        rows.append((place, safe))
    return rows


def _cell(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return clean(value, limit)
    if isinstance(value, float):
        return plain(value)
    if isinstance(value, dict | list | tuple):
        return shortened(dumps(_cleaned(value, limit)), limit)
    return clean(value, limit) if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER else value


def _rows_left_out(answer: Answer, shown: Table | None) -> str:
    if shown is None or answer.table is None:
        return ""
    return _chosen(answer, shown) if shown.ranked is not None else _page(answer, answer.table, shown)


def _chosen(answer: Answer, shown: Table) -> str:
    """What the chosen rows are a part of, and the call that brings all of it from the start."""
    left_out = (
        [f"{len(shown.rows)} of {shown.size} rows shown, those that say most"] if len(shown.rows) < shown.size else []
    )
    left_out += [shown.sums_up] if shown.sums_up else []
    called = f" (all, in order: {answer.more.format(offset=0)})" if answer.more else ""
    return f"{', '.join(left_out)}{called}" if left_out else ""


def _page(answer: Answer, table: Table, shown: Table) -> str:
    end = shown.first + len(shown.rows)
    if end >= shown.size and not shown.first:
        return ""
    span = f"rows {shown.first + 1}-{end} of {shown.size} shown" if shown.rows else f"no row shown of {shown.size}"
    if table.rows and not shown.rows:
        end += 1  # go on, however large the next one is
        span = f"row {end} of {shown.size} is too large to show"
    return f"{span}; go on with {answer.more.format(offset=end)}" if answer.more and end < shown.size else span


def _table_content(table: Table | None) -> dict[str, Any]:
    return {} if table is None else {"columns": list(table.columns), "rows": list(table.rows)}


def _notes(left_out: Sequence[str], following: Sequence[str]) -> dict[str, Any]:
    return {k: list(v) for k, v in (("left_out", left_out), ("next", following)) if v}


def _size(head: dict[str, Any], part: dict[str, Any] | None = None) -> int:
    """Of the head in its larger form, or of what a part of it adds."""
    size = max(len(_head_text(head)), len(dumps(head)))
    return size if part is None else size - _size({k: v for k, v in head.items() if k not in part})


def _head_text(head: dict[str, Any]) -> str:
    facts = [f"{name}: {_fact_text(value)}" for name, value in head.items() if name not in OWN]
    where = "; ".join(head[name] for name in ("project", "provenance") if name in head)
    notes = [f"Note: {line}" for line in head.get("notes", ())]
    digest = [f"- {line}" for line in head.get("digest", ())]
    return "\n".join([head["answer"], *notes, *digest, *facts, f"({where})"])


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
        return f'"{cell}"' if SPECIAL.fullmatch(cell) else BAR.sub(r"\1\1\|", cell) if "|" in cell else cell
    return PLAIN_WORDS[cell] if cell is None or isinstance(cell, bool) else repr(cell)


def _row_size(cells: list[Any]) -> int:
    """Of a row in its larger form, without what stands between the cells."""
    written = dumps(cells)
    size = len(written) - len(cells) + bool(cells)
    # In the text only a bar takes more than in JSON.
    return max(size, sum(map(_text_size, cells))) if "|" in written else size


def _text_size(cell: Any) -> int:
    return len(_cell_text(cell)) + 2
