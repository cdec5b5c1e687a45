"""The project folder: opening it, sharing it between processes, and what survives a kill."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from insights_mcp.local import LocalError, create_project, open_backend
from insights_mcp.local.errors import Problem

from .api import TREND, Api, Clock, names, refused

WRITER = """
import asyncio, sys
from pathlib import Path
import httpx2
from insights_mcp.local import open_backend
backend = open_backend(Path(sys.argv[1]))
async def write():
    headers = {"Authorization": f"Bearer {backend.owner_key}"}
    transport = httpx2.ASGITransport(app=backend.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://local", headers=headers) as client:
        for number in range(int(sys.argv[2])):
            insight = {"name": f"{sys.argv[3]}-{number}", "tags": ["t"]}
            response = await client.post("/api/projects/1/insights/", json=insight)
            assert response.status_code == 201, response.text
            print(response.json()["id"], flush=True)
asyncio.run(write())
backend.close()
"""


def writer(folder: Path, count: int, name: str) -> subprocess.Popen[str]:
    """Another process that saves insights and prints the number of each one acknowledged."""
    command = [sys.executable, "-c", WRITER, str(folder), str(count), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def test_what_was_acknowledged_survives_a_kill(api: Api, folder: Path) -> None:
    """kill -9 in the middle of writes loses nothing, and leaves the file whole."""
    with writer(folder, 100_000, "w") as process:
        assert process.stdout is not None
        acknowledged = [int(process.stdout.readline()) for _ in range(50)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().split()]
    kept = {row["id"]: row["tags"] for row in api.get("insights/", limit=10_000, basic="true").json()["results"]}
    assert [["t"]] * len(acknowledged) == [kept[number] for number in acknowledged]
    assert api.backend.store.value("pragma integrity_check") == "ok"


def test_two_processes_on_one_folder(api: Api, folder: Path) -> None:
    """Both write at once, and each sees all."""
    processes = [writer(folder, 30, name) for name in "ab"]
    for number in range(10):
        api.insight(name=f"c-{number}")
    codes = []
    for process in processes:
        with process:
            process.communicate()
            codes.append(process.returncode)
    assert (codes, api.get("insights/").json()["count"]) == ([0, 0], 70)


def test_a_second_open_sees_the_first(api: Api, folder: Path) -> None:
    """Keys made by one backend work in another."""
    key = api.backend.create_key("k", ["insight:read"])
    api.insight(name="one")
    other = open_backend(folder)
    with asyncio.Runner() as runner:
        assert names(Api(other, runner, key).get("insights/")) == ["one"]
    other.close()


def test_a_folder_with_events_only(folder: Path) -> None:
    """Becomes a project by being opened."""
    for file in folder.glob("project.sqlite3*"):
        file.unlink()
    backend = open_backend(folder)
    assert backend.store.value("select name from projects") == "project"
    backend.close()


def test_making_a_project_twice(folder: Path) -> None:
    """Leaves it as it is."""
    create_project(folder, name="Other", timezone="Europe/Berlin")
    backend = open_backend(folder)
    assert backend.store.row("select name, timezone from projects") == {"name": "Demo", "timezone": "UTC"}
    backend.close()


def told(path: Path) -> str:
    """What opening says."""
    with pytest.raises(LocalError) as error:
        open_backend(path)
    assert error.value.next_step
    return error.value.what


def test_what_cannot_be_opened(tmp_path: Path) -> None:
    """Nothing there, a file, an empty folder: each is told apart."""
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    assert f"{tmp_path / 'nothing'} is not there." == told(tmp_path / "nothing")
    assert f"{tmp_path / 'file'} is a file, not a project folder." == told(tmp_path / "file")
    assert f"{tmp_path / 'empty'} is not a project folder: it holds no project.sqlite3." == told(tmp_path / "empty")


def test_a_damaged_file(folder: Path) -> None:
    """Is named, with what to do."""
    for file in folder.glob("project.sqlite3-*"):
        file.unlink()
    (folder / "project.sqlite3").write_bytes(b"this is no database at all, not even close" * 100)
    assert told(folder).startswith(f"{folder / 'project.sqlite3'} cannot be used: ")


def test_a_file_of_a_newer_version(folder: Path) -> None:
    """Is left alone."""
    with sqlite3.connect(folder / "project.sqlite3") as connection:
        connection.execute("pragma user_version = 99")
    connection.close()
    assert f"{folder / 'project.sqlite3'} was written by a newer version." == told(folder)


@pytest.fixture
def locked_down(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder, as somebody sees it who may not write there."""
    real = os.access

    def access(path: object, mode: int) -> bool:
        return mode != os.W_OK and real(str(path), mode)

    monkeypatch.setattr(os, "access", access)
    return folder


def test_a_read_only_folder(api: Api, locked_down: Path, clock: Clock) -> None:
    """Serves reads, computes, and refuses writes in words."""
    api.insight(name="one", query=TREND)
    backend = open_backend(locked_down, clock=clock)
    with asyncio.Runner() as runner:
        reader = Api(backend, runner, backend.owner_key)
        computed = reader.get("insights/1/", refresh="blocking").json()
        kept = reader.get("insights/1/").json()
        refusals = [reader.post("insights/", {"name": "two"}), reader.patch("insights/1/", {"name": "two"})]
    assert ([computed["name"]], computed["result"][0]["count"]) == (["one"], 4.0)
    assert kept == computed | {"is_cached": True}
    detail = "The project folder is read-only, so nothing can be saved in it."
    assert [refused(response) for response in refusals] == [(403, detail)] * 2
    with pytest.raises(Problem):
        backend.create_key("k", ["*"])
    backend.close()


def test_opening_is_light() -> None:
    """Neither DuckDB, nor SQL parsing, nor the web framework is loaded before the first request."""
    code = "import sys, insights_mcp.local; print([m for m in ('duckdb', 'sqlglot', 'starlette') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_folder_that_stays_locked(api: Api, folder: Path) -> None:
    """503 in words once the time-out is over; the next write works."""
    api.backend.store.change("pragma busy_timeout = 50")
    with sqlite3.connect(folder / "project.sqlite3", isolation_level=None) as other:
        other.execute("begin immediate")
        locked = api.post("insights/", {"name": "one"})
        other.execute("rollback")
    other.close()
    said = "Make room, or end what else writes to it, then repeat."
    assert refused(locked) == (503, f"The project folder cannot be written: database is locked. {said}")
    assert api.insight(name="one")["id"] == 1
