"""A project folder with a few events, the backend on it, and clients."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from insights_mcp.local import Backend, create_project, open_backend
from insights_mcp.local.load import load

from .api import NOW, Api, Clock

EVENTS = [
    # days ago, person, event, browser
    (6, "ann", "signed_up", "Chrome"),
    (5, "bob", "signed_up", "Chrome"),
    (5, "ann", "paid", "Chrome"),
    (2, "eve", "signed_up", "Safari"),
    (1, "bob", "signed_up", "Firefox"),
    (1, "eve", "paid", "Safari"),
]


@pytest.fixture(scope="session")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An event store, loaded once."""
    folder = tmp_path_factory.mktemp("loaded")
    lines = [
        {
            "uuid": str(UUID(int=number + 1)),
            "event": event,
            "distinct_id": person,
            "timestamp": (NOW - timedelta(days=days)).isoformat(),
            "properties": {"$browser": browser, "plan": "pro", "seats": number},
        }
        for number, (days, person, event, browser) in enumerate(EVENTS)
    ]
    file = folder / "events.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines))
    load([file], folder)
    return folder / "events.duckdb"


@pytest.fixture
def clock() -> Clock:
    """The backend's clock."""
    return Clock()


@pytest.fixture
def folder(tmp_path: Path, loaded: Path) -> Path:
    """A project folder with events."""
    path = tmp_path / "project"
    create_project(path, name="Demo")
    (path / "events.duckdb").write_bytes(loaded.read_bytes())
    return path


@pytest.fixture
def backend(folder: Path, clock: Clock) -> Iterator[Backend]:
    """The backend on the folder."""
    backend = open_backend(folder, clock=clock)
    yield backend
    backend.close()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    """One loop for all calls of a test."""
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def api(backend: Backend, runner: asyncio.Runner) -> Api:
    """The owner's client."""
    return Api(backend, runner, backend.owner_key)


@pytest.fixture
def strict(folder: Path, clock: Clock, runner: asyncio.Runner) -> Iterator[Api]:
    """The owner's client of a backend that refuses what PostHog refuses."""
    backend = open_backend(folder, strict_keys=True, clock=clock)
    yield Api(backend, runner, backend.owner_key)
    backend.close()
