"""A load that is killed and run again ends with the same store."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from benchmarks.generate import generate
from insights_mcp.local.load import load

KILLED = """
import os, sys
from pathlib import Path
from insights_mcp.local.load import load
load([Path(sys.argv[1])], Path(sys.argv[2]),
     progress=lambda fraction, message: os._exit(9) if fraction > float(sys.argv[3]) else None)
"""


def content(into: Path) -> list[list[tuple[object, ...]]]:
    with duckdb.connect(str(into / "events.duckdb"), read_only=True) as con:
        tables = ("events", "persons", "person_distinct_ids", "property_catalogue order by all")
        return [con.execute(f"from {table}").fetchall() for table in tables]


@pytest.mark.parametrize("when", [0.1, 0.45, 0.96])
def test_killed_and_run_again(tmp_path: Path, when: float) -> None:
    """Nothing is missing, nothing is there twice, nothing is left behind; the rows stand in the same order."""
    file, into, fresh = tmp_path / "e.parquet", tmp_path / "into", tmp_path / "fresh"
    generate(2_000, file)
    killed = subprocess.run([sys.executable, "-c", KILLED, str(file), str(into), str(when)], check=False)
    load([file], into)
    load([file], fresh)
    assert 9 == killed.returncode
    assert content(fresh) == content(into)
    assert ["events.duckdb"] == [path.name for path in into.iterdir()]
