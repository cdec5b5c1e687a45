"""Parquet files read where they are: the same answers as after loading, and nothing else within reach."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from benchmarks.engine_cases import CASES
from benchmarks.generate import generate
from insights_mcp.local import in_place, queries
from insights_mcp.local.events import EventStore, Failed
from insights_mcp.local.in_place import folder_for, look, parquet_files
from insights_mcp.local.layout import LAYOUT
from insights_mcp.local.load import LoadError, load


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two files of an export."""
    folder = tmp_path_factory.mktemp("made") / "events"
    folder.mkdir()
    whole = folder.parent / "whole.parquet"
    generate(3_000, whole)
    with duckdb.connect() as con:
        for part, file in enumerate(("a.parquet", "b.parquet")):
            rows = f"select * exclude (place) from (select *, row_number() over () as place from '{whole}')"
            con.execute(
                f"copy ({rows} where place // 1500 = {part} or (place = 3000 and {part} = 1)) to '{folder / file}'"
            )
    return folder


def answer(store: Path, query: dict[str, Any]) -> Any:
    events = EventStore(store / "events.duckdb")
    try:
        now, never = datetime(2026, 11, 1, tzinfo=UTC), threading.Event()
        return queries.run(query, events=events, project=queries.Project(), now=now, cancelled=never)["results"]
    finally:
        events.close()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_same_answers_as_loaded(exported: Path, case: Any) -> None:
    """Every kind answers the same, loaded or not."""
    loaded, folder = exported.parent / "loaded", folder_for(exported)
    load([exported], loaded)
    look(parquet_files(exported), folder)
    assert answer(loaded, case.query) == answer(folder, case.query)


def test_catalogue(exported: Path) -> None:
    """Events, properties and their types are those of a load."""
    loaded, folder = exported.parent / "loaded", folder_for(exported)
    load([exported], loaded)
    look(parquet_files(exported), folder)
    one, other = EventStore(loaded / "events.duckdb"), EventStore(folder / "events.duckdb")
    assert one.catalogue() == other.catalogue()
    one.close()
    other.close()


def test_nothing_else_is_in_reach(exported: Path) -> None:
    """The files of the store can be read, a file beside them cannot."""
    folder = folder_for(exported)
    look(parquet_files(exported), folder)
    events = EventStore(folder / "events.duckdb")
    assert [(3_000,)] == events.fetch("select count(*) from events").rows
    with pytest.raises(Failed, match="disabled"):
        events.fetch(f"select count(*) from '{exported.parent / 'whole.parquet'}'")
    events.close()


def test_other_files_are_to_be_loaded(tmp_path: Path) -> None:
    """Columns of one's own, or an event twice: it says to load."""
    with duckdb.connect() as con:
        con.execute(
            f"copy (select 'visit' as event, now() as timestamp, 'ann' as distinct_id) to '{tmp_path}/a.parquet'"
        )
    with pytest.raises(LoadError, match="batch export"):
        look(parquet_files(tmp_path / "*.parquet"), tmp_path / "folder")


def test_looked_at_again_when_the_files_change(exported: Path, tmp_path: Path) -> None:
    """A file more, and its events are there."""
    first, second = sorted(exported.glob("*.parquet"))
    look([first], tmp_path / "folder")
    look([first, second], tmp_path / "folder")
    events = EventStore(tmp_path / "folder" / "events.duckdb")
    assert [(3_000,)] == events.fetch("select count(*) from events").rows
    events.close()


def test_looked_at_again_by_another_version(exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an older version found out may be laid out otherwise."""
    files = parquet_files(exported)
    with monkeypatch.context() as older:
        older.setattr(in_place, "LAYOUT", LAYOUT - 1)
        look(files, tmp_path)
    before = (tmp_path / "events.duckdb").stat().st_ino
    look(files, tmp_path)
    again = (tmp_path / "events.duckdb").stat().st_ino
    look(files, tmp_path)
    assert (False, True) == (again == before, (tmp_path / "events.duckdb").stat().st_ino == again)
