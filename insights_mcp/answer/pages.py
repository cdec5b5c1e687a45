"""A flat table as a file, page by page: CSV for spreadsheets, JSON for programs.

JSON holds every text as it is, written with escapes. CSV (RFC 4180) leaves out characters that hide or steer, and puts
an apostrophe before a text that a spreadsheet would take for a formula: whoever may send an event may name it.
Null is an empty field, empty text is "". API keys are masked in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from insights_mcp.answer.flat import Flat
from insights_mcp.answer.pieces import dumps
from insights_mcp.text import KEY, UNSAFE

MOST_CHARACTERS = 200_000
# With these a spreadsheet begins a formula; a text that is a plain number is none.
FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
PLAIN = re.compile(r"[+-]?\d+(\.\d+)?")
QUOTED = re.compile(r'[",\r\n]|^$|^\s|\s$')
HEADER = re.compile(r'(?:[^"\r]|"[^"]*")*\r\n')
WORDS = {None: "", True: "true", False: "false"}


class Page(NamedTuple):
    """A part of a table, written out, and the row after it."""

    text: str
    end: int


def csv_page(table: Flat, offset: int, limit: int) -> Page:
    """The header and rows from `offset` on: `limit` at most, fewer when they are long, but one at least."""
    head = _csv_line(list(table.columns))
    lines = _that_fit((_csv_line(row) for row in table.rows[offset : offset + limit]), len(head))
    return Page("".join([head, *lines]), offset + len(lines))


def json_page(table: Flat, offset: int, limit: int, facts: Callable[[int], dict[str, Any]]) -> Page:
    """An object of columns, types, rows and facts (of the row after the last); one row a line."""
    lines = _that_fit((dumps(list(map(masked, row))) for row in table.rows[offset : offset + limit]), 0)
    end = offset + len(lines)
    head = {"columns": list(map(masked, table.columns)), "types": list(table.types)} | facts(end)
    return Page(_object(head, lines), end)


def masked(cell: Any) -> Any:
    """The cell, without an API key in it."""
    return KEY.sub("ph*_…", cell) if isinstance(cell, str) and "ph" in cell else cell


def csv_cell(cell: Any) -> str:
    """The cell as a spreadsheet may read it, before quotes."""
    if cell is None or isinstance(cell, bool):
        return WORDS[cell]
    if not isinstance(cell, str):
        return repr(int(cell) if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15 else cell)
    visible = UNSAFE.sub(lambda found: found[0] if found[0] in "\t\r\n" else "", masked(cell))
    return f"'{visible}" if FORMULA.match(visible) and not PLAIN.fullmatch(visible) else visible


def _csv_line(cells: Sequence[Any]) -> str:
    return ",".join(map(_csv_field, cells)) + "\r\n"


def _csv_field(cell: Any) -> str:
    text = csv_cell(cell)
    return '"' + text.replace('"', '""') + '"' if isinstance(cell, str) and QUOTED.search(text) else text


def _that_fit(lines: Iterator[str], used: int) -> list[str]:
    kept: list[str] = []
    for line in lines:
        used += len(line)
        if kept and used > MOST_CHARACTERS:
            break
        kept.append(line)
    return kept


def joined(pages: list[str], mime_type: str) -> str:
    """Pages of one table as one text: CSV with one header, JSON with all rows and the facts of the whole."""
    if mime_type == "text/csv":
        return "".join([pages[0], *(HEADER.sub("", page, count=1) for page in pages[1:])])
    if len(pages) == 1:
        return pages[0]
    objects = [json.loads(page) for page in pages]
    facts = {name: value for name, value in objects[-1].items() if name not in ("rows", "next")}
    rows = [dumps(row) for each in objects for row in each["rows"]]
    return _object(facts | {"first": objects[0]["first"]}, rows)


def _object(head: dict[str, Any], rows: list[str]) -> str:
    listed = ",\n".join(rows)
    return f'{dumps(head)[:-1]},"rows":[\n{listed}\n]}}\n'
