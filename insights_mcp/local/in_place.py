"""Exported Parquet files as they are: a store whose events are a view of them, made once for each state of the files.

What the files do not say in one place (who is one person, which events and properties there are) is found out and kept
in the project folder, as after a load. The events stay in the files, and their properties text.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from insights_mcp.local.layout import FILE, LAYOUT, column_of, pointer
from insights_mcp.local.load import Progress, opened_store
from insights_mcp.local.loading import catalogue, groups, judging, merging, persons, staging
from insights_mcp.local.loading.columns import Columns
from insights_mcp.local.loading.errors import LoadError
from insights_mcp.local.loading.files import Source

if TYPE_CHECKING:
    import duckdb

FINGERPRINT = "files"
FILES = "insert into store_facts select 'file', unnest($files::varchar[])"
VIEW = """
create view events as
select rid as rowid, uuid, event, distinct_id, pid, timestamp, created_at, elements_chain,
       properties::json as properties, null::json as person_properties{columns}
from (select * replace (coalesce(nullif(properties, 'null'), '{{}}') as properties) from ({rows})) staged
join person_distinct_ids using (distinct_id)
"""
LOAD = "Load them: insights-mcp load FILE… --into FOLDER, then serve the folder."


def parquet_files(path: Path) -> list[Path]:
    """The Parquet files that a path stands for (a file, a folder, a pattern); none when others are there."""
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
    else:
        found = sorted(Path(name) for name in glob.glob(str(path), recursive=True) if Path(name).is_file())
    return [p.resolve() for p in found] if all(p.suffix == ".parquet" for p in found) else []


def folder_for(path: Path) -> Path:
    """The project folder of files read in place: beside them, or in the user's cache when that cannot be written."""
    plain = "".join("_" if letter in "*?[]" else letter for letter in path.name)
    beside = path.absolute().with_name(plain + ".insights")
    while not beside.parent.is_dir() or "*" in str(beside.parent):
        beside = beside.parent.with_name(beside.name)
    if beside.is_dir() or os.access(beside.parent, os.W_OK):
        return beside
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "insights-mcp" / f"{hashlib.sha256(str(path.absolute()).encode()).hexdigest()[:16]}.insights"


def look(files: list[Path], into: Path, progress: Progress = lambda fraction, message: None) -> None:
    """Bring the store in the folder `into` up to date with the files. Raises LoadError when they must be loaded."""
    fingerprint = json.dumps([LAYOUT, [[str(p), p.stat().st_mtime_ns, p.stat().st_size] for p in files]])
    if _fingerprint(into / FILE) == fingerprint:
        return
    half = into / "looking"
    shutil.rmtree(half, ignore_errors=True)
    try:
        with opened_store(half) as (con, workshop):
            _find_out(con, [Source(p, "parquet", False, p) for p in files], workshop, progress)
            con.execute(FILES, {"files": [str(p) for p in files]})
            con.execute("insert into store_facts values ($name, $value)", {"name": FINGERPRINT, "value": fingerprint})
            con.execute("commit")
            con.execute("checkpoint")
        (half / FILE).replace(into / FILE)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _fingerprint(store: Path) -> str | None:
    import duckdb

    if not store.exists():
        return None
    try:
        with duckdb.connect(str(store), read_only=True) as con:
            rows = con.execute("select value from store_facts where name = $n", {"n": FINGERPRINT}).fetchall()
    except duckdb.Error:
        return None
    return str(rows[0][0]) if rows else ""


def _find_out(con: duckdb.DuckDBPyConnection, sources: list[Source], workshop: Path, progress: Progress) -> None:
    rows = [_rows(con, number, source, workshop) for number, source in enumerate(sources)]
    progress(0.1, "looking at the rows")
    judging.judge(con, rows, con.execute)
    if con.execute("select 1 from staging.dropped limit 1").fetchall():
        raise LoadError("The files hold events twice, or rows that are no events.", LOAD)
    con.execute("begin")
    progress(0.5, "joining persons")
    persons.merge(con)
    con.execute("update persons set is_identified = true where person_id in (select person_id from identified)")
    groups.merge(con)
    keys = merging.wanted(con, [])
    con.execute("drop table events")
    columns = "".join(f", properties ->> {_literal(pointer(key))} as {column_of(key)}" for key in keys)
    con.execute(VIEW.format(rows=" union all ".join(rows), columns=columns))
    progress(0.9, "listing events and properties")
    catalogue.update(con)


def _rows(con: duckdb.DuckDBPyConnection, number: int, source: Source, workshop: Path) -> str:
    def refuse(_: str) -> None:
        raise LoadError(f"{source.shown} is no Parquet file as PostHog's batch export writes it.", LOAD)

    return staging.stage(con, number, source, Columns(), refuse, workshop)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
