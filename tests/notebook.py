"""A small product's events on the embedded backend, for tests of why a result is empty: sign-ups, plans, refunds."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import httpx2

from insights_mcp.local import Backend, create_project, open_backend
from insights_mcp.local.load import load
from tests.asking import Assistant, Told, assistant
from tests.local.api import Api

NOW = datetime(2026, 1, 10, 17, 30, tzinfo=UTC)
PEOPLE = 12
STAFF = "staff"
WEEK = {"date_from": "2026-01-03", "date_to": "2026-01-09"}


def events() -> Iterator[dict[str, Any]]:
    """Twelve people sign up and use it every day of a week; two bought, months ago; one is of the team."""
    for person in range(PEOPLE):
        plan = "paid" if person % 3 == 0 else "free"
        own = {"plan": plan, "role": STAFF if person == 0 else "user"}
        yield _event(person, "signed up", 9 * 24 + person, {"$current_url": "https://n.app/welcome"}, own)
        for day in range(1, 8):
            seen = {
                "country": ("DE", "US", "FR")[day % 3],
                "seats": person + day,
                "$current_url": "https://n.app/home/",
            }
            yield _event(person, "$pageview", day * 24 + person, seen, own)
            yield _event(person, "note saved", day * 24 + person - 1, {"words": 10 * day, "size": "large"}, own)
        if person in (0, 3):
            yield _event(person, "refund asked", 60 * 24 + person, {"amount": 20}, own)


def _event(person: int, name: str, hours_ago: int, properties: dict[str, Any], own: dict[str, Any]) -> dict[str, Any]:
    at = NOW - timedelta(hours=hours_ago)
    return {
        "uuid": str(uuid5(NAMESPACE_URL, f"{person} {name} {hours_ago}")),
        "event": name, "distinct_id": f"p{person}", "timestamp": at.isoformat(),
        "properties": properties, "person_properties": own,
    }  # fmt: skip


def notebook(folder: Path) -> Path:
    """A project of these events, on New York's clocks."""
    create_project(folder, name="Notebook", timezone="America/New_York")
    file = folder / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, events())))
    load([file], folder)
    return folder


class Counting(httpx2.ASGITransport):
    """The way to a backend; remembers what went over it."""

    def __init__(self, backend: Backend) -> None:
        super().__init__(app=backend.app)
        self.sent: list[str] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass it on."""
        self.sent.append(f"{request.method} {request.url.path}")
        return await super().handle_async_request(request)

    def of(self, part: str) -> list[str]:
        """What was sent to paths with this part."""
        return [each for each in self.sent if part in each]


@asynccontextmanager
async def reader(backend: Backend, *scopes: str) -> AsyncIterator[tuple[Assistant, Counting]]:
    """An assistant with a key of these scopes (none: the owner's), and what it sends."""
    transport = Counting(backend)
    key = backend.create_key("k", scopes, []) if scopes else backend.owner_key
    async with assistant(None, transport=transport, api_key=key, host="http://local") as user:
        yield user, transport


@contextmanager
def opened(folder: Path) -> Iterator[Backend]:
    """A backend on a new project of these events, on the day they end."""
    backend = open_backend(notebook(folder), clock=lambda: NOW)
    with asyncio.Runner() as runner:
        api = Api(backend, runner, backend.owner_key)
        api.patch(
            "", {"test_account_filters": [{"key": "role", "type": "person", "operator": "is_not", "value": STAFF}]}
        )
        api.post("actions/", {"name": "Saved or joined", "steps": [{"event": "note saved"}, {"event": "signed up"}]})
        api.post("actions/", {"name": "Twice", "steps": [{}]})
        api.post("actions/", {"name": "Twice", "steps": [{}]})
        api.post("cohorts/", {"name": "nobody", "is_static": True})
        paid = {"type": "AND", "values": [{"key": "plan", "type": "person", "value": ["paid"], "operator": "exact"}]}
        api.post("cohorts/", {"name": "paid", "filters": {"properties": {"type": "OR", "values": [paid]}}})
    yield backend
    backend.close()


def trend(*filters: Any, event: str | None = "note saved", **more: Any) -> dict[str, Any]:
    """A trend of one event over the week, with filters."""
    series = {"kind": "EventsNode", "event": event} | more.pop("series", {})
    return {"kind": "TrendsQuery", "series": [series], "dateRange": WEEK, "properties": list(filters)} | more


def notes(told: Told) -> str:
    """What an answer notes, a line each."""
    return "\n".join(line.removeprefix("Note: ") for line in told.text.split("\n") if line.startswith("Note: "))
