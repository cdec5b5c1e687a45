"""What the demo product's team left behind, made through the API as the team would have made it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from insights_mcp.local import Backend, open_backend


def _trend(event: str, days: int, **more: Any) -> dict[str, Any]:
    math = more.pop("math", {})
    series = [{"kind": "EventsNode", "event": event, "name": event} | math]
    source = {"kind": "TrendsQuery", "series": series, "dateRange": {"date_from": f"-{days}d"}} | more
    return {"kind": "InsightVizNode", "source": source}


def _insight(kind: str, **source: Any) -> dict[str, Any]:
    return {"kind": "InsightVizNode", "source": {"kind": kind} | source}


def _event(name: str) -> dict[str, Any]:
    return {"kind": "EventsNode", "event": name, "name": name}


def _target(name: str) -> dict[str, Any]:
    return {"id": name, "name": name, "type": "events"}


def _sql(query: str) -> dict[str, Any]:
    return {"kind": "DataVisualizationNode", "source": {"kind": "HogQLQuery", "query": query}}


def _by(property_name: str) -> dict[str, Any]:
    return {"breakdownFilter": {"breakdown": property_name, "breakdown_type": "event"}}


DAU = {"math": "dau"}
P90 = {"math": "p90", "math_property": "load_ms"}
REVENUE = {"math": "sum", "math_property": "price"}
ACTIVATION = _insight(
    "FunnelsQuery",
    series=[_event("$pageview"), _event("signed up"), _event("note created"), _event("note shared")],
    dateRange={"date_from": "-60d"},
    funnelsFilter={"funnelWindowInterval": 14, "funnelWindowIntervalUnit": "day"},
)
RETENTION = _insight(
    "RetentionQuery",
    retentionFilter={
        "period": "Week",
        "totalIntervals": 8,
        "retentionType": "retention_first_time",
        "targetEntity": _target("signed up"),
        "returningEntity": _target("note created"),
    },
)
LIFECYCLE = _insight(
    "LifecycleQuery", series=[_event("note created")], interval="week", dateRange={"date_from": "-60d"}
)
COUNTRY_SQL = (
    "select properties.$geoip_country_code as country, count() as events "
    "from events group by country order by events desc"
)
# name, tags, query
INSIGHTS: tuple[tuple[str, tuple[str, ...], dict[str, Any]], ...] = (
    ("Sign-ups", ("growth",), _trend("signed up", 60)),
    ("Sign-ups by channel", ("growth", "campaign"), _trend("signed up", 90, interval="week", **_by("channel"))),
    ("Weekly active users", ("growth",), _trend("note created", 90, interval="week", math=DAU)),
    ("Page load time, p90, by browser", ("quality",), _trend("$pageview", 30, math=P90, **_by("$browser"))),
    ("Errors shown", ("quality",), _trend("error shown", 45)),
    ("Revenue started, per week", ("money",), _trend("subscription started", 90, interval="week", math=REVENUE)),
    ("From first visit to shared note", ("growth",), ACTIVATION),
    ("Weekly retention of new users", ("growth",), RETENTION),
    ("Who comes, stays and goes", ("growth",), LIFECYCLE),
    ("Countries", (), _sql(COUNTRY_SQL)),
)
# what an insight asked before it was changed to what stands above
AT_FIRST = {"Page load time, p90, by browser": _trend("$pageview", 14, math=P90)}
DASHBOARDS = {"Growth": ("growth", "money"), "Quality": ("quality",)}


class _Clock:
    """The time the backend sees."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def days_ago(self, days: float, today: datetime) -> None:
        self.now = today - timedelta(days=days)


async def history(into: Path, now: datetime) -> int:
    """Dashboards, insights, changes, a share, alerts, views; returns how many insights there are."""
    clock = _Clock(now)
    backend = open_backend(into, clock=clock)
    try:
        async with _as(backend, "analyst@example.com") as analyst, _as(backend, "product@example.com") as product:
            clock.days_ago(80, now)
            dashboards = {name: (await analyst("POST", "dashboards/", {"name": name}))["id"] for name in DASHBOARDS}
            made: dict[str, dict[str, Any]] = {}
            for number, (name, tags, query) in enumerate(INSIGHTS):
                clock.days_ago(80 - number * 5, now)
                on = [dashboards[title] for title, of in DASHBOARDS.items() if set(of) & set(tags)]
                body = {"name": name, "tags": list(tags), "query": AT_FIRST.get(name, query), "dashboards": on}
                made[name] = await analyst("POST", "insights/", body)
            await _later(made, clock, now, analyst, product)
        clock.now = now
    finally:
        backend.close()
    return len(INSIGHTS)


Call = Callable[[str, str, dict[str, Any] | None], Any]


async def _later(made: dict[str, dict[str, Any]], clock: _Clock, now: datetime, analyst: Call, product: Call) -> None:
    """Changes, a share, an alert, views; and one insight deleted."""
    signups, errors = made["Sign-ups"]["id"], made["Errors shown"]["id"]
    clock.days_ago(30, now)
    await product("PATCH", f"insights/{errors}/", {"description": "The outage is the peak.", "favorited": True})
    await product("POST", "alerts/", _alert("Errors are back", errors, {"upper": 50}))
    await product("POST", "alerts/", _alert("Sign-ups dry up", signups, {"lower": 1}))
    clock.days_ago(25, now)
    for name in AT_FIRST:
        query = next(query for title, _, query in INSIGHTS if title == name)
        await product("PATCH", f"insights/{made[name]['id']}/", {"query": query})
    clock.days_ago(20, now)
    await analyst("PATCH", f"insights/{signups}/", {"name": "Sign-ups per day"})
    await analyst("PATCH", f"insights/{signups}/sharing/", {"enabled": True})
    old = await analyst("POST", "insights/", {"name": "Old experiment", "query": _trend("note shared", 14)})
    clock.days_ago(9, now)
    await analyst("PATCH", f"insights/{old['id']}/", {"deleted": True})
    clock.days_ago(1, now)
    await product("POST", "insights/viewed/", {"insight_ids": [signups, errors]})
    await analyst("POST", "insights/viewed/", {"insight_ids": [signups]})


def _alert(name: str, insight: int, bounds: dict[str, int]) -> dict[str, Any]:
    return {
        "name": name,
        "insight": insight,
        "subscribed_users": [],
        "calculation_interval": "daily",
        "config": {"type": "TrendsAlertConfig", "series_index": 0},
        "condition": {"type": "absolute_value"},
        "threshold": {"configuration": {"type": "absolute", "bounds": bounds}},
    }


@asynccontextmanager
async def _as(backend: Backend, email: str) -> AsyncIterator[Call]:
    """Calls of the project's API as the user with this address."""
    key = backend.create_key("demo history", ["*"], user=email)
    transport = httpx2.ASGITransport(app=backend.app)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://local", headers=headers) as http:

        async def call(method: str, path: str, body: dict[str, Any] | None) -> Any:
            response = await http.request(method, f"/api/projects/{backend.project_id}/{path}", json=body)
            response.raise_for_status()
            return response.json() if response.content else None

        yield call
