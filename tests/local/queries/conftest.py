"""Small worlds for the tests of the engine."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from insights_mcp.local import queries
from insights_mcp.local.events import EventStore
from insights_mcp.local.load import load

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
# Three persons over three days: bea is known from an anonymous visit, cem has no plan, and one purchase has no amount.
EVENTS: list[dict[str, Any]] = [
    {"event": event, "timestamp": f"2026-03-{time}:00Z", "distinct_id": who, "properties": properties}
    for event, time, who, properties in (
        ("visit", "08T09:00", "ann", {"page": "/", "$session_id": "s1"}),
        ("visit", "08T23:30", "anon-1", {"page": "/docs", "$session_id": "s2"}),
        ("$identify", "09T08:00", "bea", {"$anon_distinct_id": "anon-1", "$set": {"plan": "pro"}}),
        ("visit", "09T09:00", "bea", {"page": "/", "$session_id": "s3"}),
        ("visit", "10T09:00", "cem", {"page": "", "$session_id": "s4"}),
        ("buy", "08T10:00", "ann", {"amount": 10, "$set": {"plan": "free", "age": 41}}),
        ("buy", "09T10:00", "bea", {"amount": 30.5, "trial": True}),
        ("buy", "10T10:00", "cem", {"trial": False}),
    )
]
Ask = Callable[..., dict[str, Any]]


def store_of(rows: Iterable[dict[str, Any]], folder: Path) -> EventStore:
    """A store of these events."""
    source = folder / "events.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    load([source], folder)
    return EventStore(folder / "events.duckdb")


def asking(store: EventStore, now: datetime = NOW) -> Ask:
    """Asks a store a query; settings of the project by name."""

    def asked(query: dict[str, Any], **settings: Any) -> dict[str, Any]:
        project = queries.Project(**settings)
        return queries.run(query, events=store, project=project, now=now, cancelled=threading.Event())

    return asked


def asked_of(rows: Iterable[dict[str, Any]], folder: Path, now: datetime = NOW) -> Iterator[Ask]:
    """Asks a store of these events, which ends with the fixture."""
    store = store_of(rows, folder)
    yield asking(store, now)
    store.close()


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventStore]:
    """The store of EVENTS."""
    opened = store_of(EVENTS, tmp_path_factory.mktemp("small"))
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def ask(store: EventStore) -> Ask:
    """Ask the store a query; settings of the project by name."""
    return asking(store)


@pytest.fixture(scope="session")
def hogql(ask: Ask) -> Callable[..., list[Any]]:
    """The rows of a HogQL text."""

    def rows(text: str, **settings: Any) -> list[Any]:
        return list(ask({"kind": "HogQLQuery", "query": text}, **settings)["results"])

    return rows


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder."""

    def written(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written
