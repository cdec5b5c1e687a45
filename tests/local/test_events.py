"""The event store: what there is, the box around it, limits and locks."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from insights_mcp.local.events import EventStore, Failed, Interrupted, StoreError, TookTooLong
from insights_mcp.local.load import load

FOREVER = "select count(*) from range(100000000000) a, range(1000) b"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EventStore]:
    """Two events: a dated visit of ann, who is 41, and a purchase."""
    visit = {"event": "visit", "timestamp": "2026-03-08T09:00:00Z", "distinct_id": "ann"}
    rows = [
        {**visit, "properties": {"page": "/a_b", "at": "2026-01-01T00:00:00Z", "$set": {"age": 41}}},
        {**visit, "timestamp": "2026-03-09", "properties": {"page": "/"}},
        {**visit, "timestamp": "2026-03-10", "properties": {"page": "/"}},
        {**visit, "event": "buy", "properties": {"amount": 1.5, "trial": True}},
    ]
    source = tmp_path / "events.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows))
    load([source], tmp_path)
    opened = EventStore(tmp_path / "events.duckdb")
    yield opened
    opened.close()


def test_event_definitions(store: EventStore) -> None:
    """Names with their counts and times."""
    assert [("buy", 1, "2026-03-08"), ("visit", 3, "2026-03-10")] == [
        (row.name, row.count, str(row.last_seen.date())) for row in store.event_definitions()
    ]


def test_property_types(store: EventStore) -> None:
    """Types as the values show them, and which events carry each."""
    found = {row.name: (row.property_type, row.events) for row in store.property_definitions("event")}
    assert {"page": "String", "at": "DateTime", "amount": "Numeric", "trial": "Boolean", "$set": "String"} == {
        name: kind for name, (kind, _) in found.items()
    }
    assert {"buy"} == found["amount"][1]


def test_person_property_definitions(store: EventStore) -> None:
    """Properties of persons."""
    assert [("age", "Numeric")] == [(row.name, row.property_type) for row in store.property_definitions("person")]


def test_property_values(store: EventStore) -> None:
    """Values by frequency; the text sought is no pattern."""
    assert ([("/", 2), ("/a_b", 1)], [("/a_b", 1)]) == (
        store.property_values("page", ["visit"], None),
        store.property_values("page", ["visit"], "_"),
    )


def test_missing_store_is_empty(tmp_path: Path) -> None:
    """No file, no events, no error; and events appear once they are loaded."""
    store = EventStore(tmp_path / "events.duckdb")
    assert [] == store.event_definitions()
    source = tmp_path / "a.jsonl"
    source.write_text('{"event": "a", "timestamp": "2026-01-01", "distinct_id": "x", "properties": {}}\n')
    load([source], tmp_path)
    assert ["a"] == [row.name for row in store.event_definitions()]
    store.close()


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_csv('/etc/passwd')",
        "select * from '/etc/passwd'",
        "copy (select 1) to '/tmp/insights-mcp-attack.csv'",
        "attach '/tmp/insights-mcp-attack.duckdb' as x",
        "install httpfs",
        "set enable_external_access = true",
        "set memory_limit = '100GB'",
        "delete from events",
        "create table x (a int)",
    ],
)
def test_box(store: EventStore, sql: str) -> None:
    """Even SQL that got past the compiler reaches no file, network, extension or setting."""
    with pytest.raises(Failed):
        store.fetch(sql)


def test_time_limit(store: EventStore) -> None:
    """A query is stopped when its time is up, and the store still answers."""
    with pytest.raises(TookTooLong):
        store.fetch(FOREVER, seconds=0.3)
    assert [(1,)] == store.fetch("select 1").rows


def test_cancelled(store: EventStore) -> None:
    """A query is stopped soon after it is cancelled."""
    cancelled = threading.Event()
    threading.Timer(0.2, cancelled.set).start()
    start = time.monotonic()
    with pytest.raises(Interrupted):
        store.fetch(FOREVER, cancelled=cancelled)
    assert time.monotonic() - start < 5


def test_row_limit(store: EventStore) -> None:
    """No more rows are read than asked for."""
    assert 3 == len(store.fetch("select * from range(1000000)", limit=3).rows)


def test_several_at_once(store: EventStore) -> None:
    """Threads share a store."""
    answers: list[int] = []
    threads = [threading.Thread(target=lambda: answers.append(len(store.event_definitions()))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [2] * 16 == answers


@pytest.mark.parametrize("content", [b"", b"junk" * 5000])
def test_broken_file(tmp_path: Path, content: bytes) -> None:
    """A file that is no store says so, and what to do."""
    path = tmp_path / "events.duckdb"
    path.write_bytes(content)
    with pytest.raises(StoreError) as refused:
        EventStore(path).event_definitions()
    assert refused.value.next_step


def test_foreign_file(tmp_path: Path) -> None:
    """A DuckDB file of someone else is no store."""
    duckdb.connect(str(tmp_path / "events.duckdb")).close()
    with pytest.raises(StoreError, match="no event store of this version"):
        EventStore(tmp_path / "events.duckdb").event_definitions()
