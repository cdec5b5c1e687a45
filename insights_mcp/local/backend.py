"""A project folder that answers PostHog's API: the saved objects, the events, the keys and the running queries."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from insights_mcp.local.auth import OWNER_ID, PROJECT_ID, Keys, new_key
from insights_mcp.local.errors import LocalError
from insights_mcp.local.events import EventStore
from insights_mcp.local.limits import Limits
from insights_mcp.local.store import FILE, Store, stamp

if TYPE_CHECKING:
    from insights_mcp.local.computing import Computing

EVENTS_FILE = "events.duckdb"
Clock = Callable[[], datetime]


def utcnow() -> datetime:
    """The time, in UTC."""
    return datetime.now(UTC)


class Backend:
    """An open project folder. `app` is the ASGI app, `owner_key` a key of this process with every scope.

    The engine, DuckDB and Starlette are loaded when first needed, so that opening is quick.
    """

    def __init__(self, path: Path, store: Store, *, strict_keys: bool = False, clock: Clock = utcnow) -> None:
        self.path = path
        self.events_file = path / EVENTS_FILE
        self.events = EventStore(self.events_file)
        self.store = store
        self.strict_keys = strict_keys
        self.clock = clock
        self.project_id = PROJECT_ID
        self.owner_key = new_key()
        self.keys = Keys(store, stamp(clock()))
        self.keys.add_owner(self.owner_key)
        self.limits = Limits()
        self.app = App(self)

    def add_key(self, key: str) -> None:
        """Accept this key text as the owner's, while this backend is open."""
        self.keys.add_owner(key)

    def create_key(
        self, label: str, scopes: Sequence[str], scoped_teams: Sequence[int] | None = None, *, user: str | None = None
    ) -> str:
        """Make a key that stays in the folder (as a hash): its text, shown this once. `user`: an e-mail address."""
        user_id = self.user(user) if user else OWNER_ID
        return self.keys.create(label, list(scopes), list(scoped_teams or ()), user_id, stamp(self.clock()))

    def user(self, email: str) -> int:
        """The number of the user with this address, who is added when new."""
        with self.store.transaction():
            found = self.store.value("select id from users where email = ?", email)
            return int(found or add_user(self.store, email, email.partition("@")[0], stamp(self.clock())))

    @cached_property
    def computing(self) -> Computing:
        """Where queries run."""
        from insights_mcp.local.computing import Computing

        return Computing(self)

    def close(self) -> None:
        """Stop the queries and close the files."""
        if "computing" in self.__dict__:
            self.computing.close()
        self.events.close()
        self.store.close()


class App:
    """The ASGI app of a backend, built when the first request comes."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    @cached_property
    def _built(self) -> Any:
        from insights_mcp.local.app import build

        return build(self._backend)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._built(scope, receive, send)


def open_backend(path: Path, *, strict_keys: bool = False, clock: Clock = utcnow) -> Backend:
    """Open a project folder. LocalError when it is none, or cannot be used.

    `strict_keys`: refuse every key where PostHog does (analyze, suggestions, cancel, trending).
    """
    path = existing_folder(path)
    file = path / FILE
    if not file.exists() and not (path / EVENTS_FILE).exists():
        raise LocalError(f"{path} is not a project folder: it holds no {FILE}.", _HOW_TO_MAKE)
    store = Store(file)
    if not store.read_only:
        _furnish(store, path.name, "UTC")
    return Backend(path, store, strict_keys=strict_keys, clock=clock)


def create_project(path: Path, *, name: str, timezone: str = "UTC") -> None:
    """Make a project folder. One that exists is left as it is."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"{path} cannot be made: {error.strerror}.", "Choose a folder you may write to.") from error
    store = Store(path.resolve() / FILE)
    try:
        if not store.read_only:
            _furnish(store, name, timezone)
    finally:
        store.close()


def existing_folder(path: Path) -> Path:
    """The folder's full path. LocalError when there is no folder."""
    if path.is_file():
        raise LocalError(f"{path} is a file, not a project folder.", _HOW_TO_MAKE)
    if not path.is_dir():
        raise LocalError(f"{path} is not there.", _HOW_TO_MAKE)
    return path.resolve()


def add_user(store: Store, email: str, first_name: str, created_at: str, last_name: str = "") -> int:
    """Add a user: their number."""
    names = {"first_name": first_name, "last_name": last_name}
    return store.insert(
        "users", uuid=str(uuid4()), distinct_id=str(uuid4()), email=email, created_at=created_at, **names
    )


def _furnish(store: Store, name: str, timezone: str) -> None:
    if store.row("select id from projects"):
        return
    now = stamp(utcnow())
    with store.transaction():
        if store.row("select id from projects"):
            return
        add_user(store, "local@localhost", "Local", now, "Owner")
        store.insert(
            "projects", id=PROJECT_ID, uuid=str(uuid4()), organization=str(uuid4()), organization_name="Local",
            name=name, timezone=timezone, api_token=f"phc_{secrets.token_urlsafe(32)}",
            test_account_filters=json.dumps([]), created_at=now,
        )  # fmt: skip


_HOW_TO_MAKE = "Make one with `insights-mcp load FILE --into PATH` or `insights-mcp demo-data --into PATH`."
