"""A client of the embedded backend for tests: plain functions, real HTTP requests through the ASGI transport."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from insights_mcp.local import Backend

PROJECT = "/api/projects/1/"
NOW = datetime(2026, 1, 10, 9, 0, tzinfo=UTC)

SIGNED_UP = {"kind": "EventsNode", "event": "signed_up", "name": "signed_up"}
WEEK: dict[str, Any] = {"date_from": "-7d"}
TREND_SOURCE: dict[str, Any] = {"kind": "TrendsQuery", "series": [SIGNED_UP], "interval": "day", "dateRange": WEEK}
TREND = {"kind": "InsightVizNode", "source": TREND_SOURCE}
SQL = {
    "kind": "DataVisualizationNode",
    "source": {"kind": "HogQLQuery", "query": "select event, count() from events group by event"},
}
RETENTION = {
    "kind": "InsightVizNode",
    "source": {
        "kind": "RetentionQuery",
        "retentionFilter": {
            "period": "Day",
            "totalIntervals": 7,
            "targetEntity": {"id": "signed_up", "name": "signed_up", "type": "events"},
            "returningEntity": {"id": "signed_up", "name": "signed_up", "type": "events"},
        },
    },
}


class Clock:
    """A clock that stands still until told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        """Let time pass: `pass_by(minutes=5)`."""
        self.now += timedelta(**time)


class Api:
    """Calls with one key. A path without leading slash is inside the project."""

    def __init__(self, backend: Backend, runner: asyncio.Runner, key: str | None) -> None:
        self.backend = backend
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._runner = runner

    def with_key(self, *scopes: str, user: str | None = None, teams: list[int] | None = None) -> Api:
        """The same backend, called with a new key."""
        return Api(self.backend, self._runner, self.backend.create_key("a key", scopes, teams, user=user))

    def anonymous(self) -> Api:
        """The same backend, called without a key."""
        return Api(self.backend, self._runner, None)

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request."""
        return self._runner.run(self.send(method, path, **options))

    async def send(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request, from inside a loop."""
        url = path if path.startswith("/") else PROJECT + path
        headers = self.headers | options.pop("headers", {})
        transport = httpx2.ASGITransport(app=self.backend.app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://local") as client:
            return await client.request(method, url, headers=headers, **options)

    def get(self, path: str, **params: Any) -> httpx2.Response:
        """GET."""
        return self.request("GET", path, params=params or None)

    def post(self, path: str, body: object = None) -> httpx2.Response:
        """POST of JSON."""
        return self.request("POST", path, json=body)

    def patch(self, path: str, body: object) -> httpx2.Response:
        """PATCH of JSON."""
        return self.request("PATCH", path, json=body)

    def delete(self, path: str, **params: Any) -> httpx2.Response:
        """DELETE."""
        return self.request("DELETE", path, params=params or None)

    def insight(self, **fields: Any) -> dict[str, Any]:
        """A new insight."""
        response = self.post("insights/", fields)
        assert response.status_code == 201, response.text
        return dict(response.json())

    def run(self, work: Any) -> Any:
        """Run a coroutine in the loop of this client."""
        return self._runner.run(work)


def names(response: httpx2.Response) -> list[str]:
    """The names in a page, in order."""
    return [item["name"] for item in response.json()["results"]]


def refused(response: httpx2.Response) -> tuple[int, str]:
    """Status and detail of an error."""
    return response.status_code, response.json()["detail"]
