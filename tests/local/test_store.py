"""What is remembered of the saved objects: never longer than it holds."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from insights_mcp.local import create_project
from insights_mcp.local.store import FILE, Store

from .api import Api


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A project's."""
    create_project(tmp_path, name="first")
    with closing(Store(tmp_path / FILE)) as store:
        yield store


def name(store: Store) -> str:
    """What is looked up."""
    return str(store.value("select name from projects"))


def test_what_nobody_changed_is_read_once(store: Store) -> None:
    """However often it is asked for."""
    found: list[str] = []

    def find(store: Store) -> str:
        found.append(name(store))
        return found[-1]

    assert ("first", "first") == (store.remembered(find), store.remembered(find))
    assert ["first"] == found


def test_a_change_here_is_seen(store: Store) -> None:
    """At once."""
    store.remembered(name)
    store.change("update projects set name = 'second'")
    assert "second" == store.remembered(name)


def test_a_change_by_another_process_is_seen(store: Store) -> None:
    """As soon as it is committed."""
    store.remembered(name)
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("update projects set name = 'theirs'")
        other.commit()
    assert "theirs" == store.remembered(name)


def test_what_was_rolled_back_is_forgotten(store: Store) -> None:
    """What is read inside a transaction may never have been."""
    with suppress(RuntimeError), store.transaction():
        store.change("update projects set name = 'never'")
        assert "never" == store.remembered(name)
        raise RuntimeError
    assert "first" == store.remembered(name)


def test_a_key_that_is_taken_away_is_refused(api: Api) -> None:
    """Although it has called before."""
    caller = api.with_key("insight:read")
    assert 200 == caller.get("insights/").status_code
    with closing(sqlite3.connect(api.backend.store.path)) as other:
        other.execute("delete from keys")
        other.commit()
    assert 401 == caller.get("insights/").status_code
