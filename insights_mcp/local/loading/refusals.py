"""The file of rows that were refused: for each its file, its line or row, and why."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from insights_mcp.local.loading.files import Source
from insights_mcp.local.loading.staging import ROW_BITS

if TYPE_CHECKING:
    import duckdb

REJECTS = "select line, error_message from reject_errors"
REFUSED = "select rid, reason from staging.refused order by rid"


def write(con: duckdb.DuckDBPyConnection, sources: list[Source], rejects: list[dict[str, Any]], folder: Path) -> Path:
    """Write `refused-TIME.jsonl` into the folder and return its path."""
    path = folder / f"refused-{datetime.now(UTC):%Y%m%d-%H%M%S-%f}.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for entry in (*rejects, *_judged(con, sources)):
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return path


def rejected(con: duckdb.DuckDBPyConnection, source: Source) -> list[dict[str, Any]]:
    """Lines of a CSV file that are no row at all (too many columns, a quote that never ends), and forget them."""
    if source.format != "csv":
        return []
    found = con.execute(REJECTS).fetchall()
    con.execute("drop table if exists reject_errors")
    con.execute("drop table if exists reject_scans")
    return [{"file": str(source.shown), "line": line, "reason": reason} for line, reason in dict(found).items()]


def _judged(con: duckdb.DuckDBPyConnection, sources: list[Source]) -> Iterator[dict[str, Any]]:
    lines: dict[int, Iterator[tuple[int, int]]] = {}
    cursor = con.cursor().execute(REFUSED)
    while batch := cursor.fetchmany(1000):
        for rid, reason in batch:
            number, row = rid >> ROW_BITS, rid & ((1 << ROW_BITS) - 1)
            source = sources[number]
            place: dict[str, Any] = {"row": row}
            if source.format == "jsonl":
                lines.setdefault(number, _numbered(source))
                place = {"line": next(line for nr, line in lines[number] if nr == row)}
            yield {"file": str(source.shown), **place, "reason": reason}


def _numbered(source: Source) -> Iterator[tuple[int, int]]:
    """Row and line number of each line that is not blank: the reader counts rows without blank lines."""
    row = 0
    with gzip.open(source.path) if source.gzipped else source.path.open("rb") as file:
        for line, text in enumerate(file, start=1):
            if text.strip():
                row += 1
                yield row, line
