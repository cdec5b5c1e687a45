"""The way to the embedded backend without a socket: what goes over it is what goes over HTTP."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from insights_mcp.client import Client
from insights_mcp.endpoint import Request
from insights_mcp.endpoints.insights import ListInsights
from insights_mcp.errors import BadReply
from insights_mcp.local import Backend
from insights_mcp.settings import Settings
from insights_mcp.transport import InProcess, RawReply, Transport

from .api import PROJECT, TREND, TREND_SOURCE, Api

REQUESTS = {
    "a list": Request("GET", f"{PROJECT}insights/", [("search", "über & more"), ("limit", "1")]),
    "a body": Request("POST", f"{PROJECT}query/", body={"query": TREND_SOURCE, "name": "ünï"}),
    "an encoded path": Request("GET", f"{PROJECT}query/a%2Fb%20%C3%BC/"),
    "an error": Request("POST", f"{PROJECT}query/", body={"query": {"kind": "no"}}),
}


async def exchanged(backend: Backend, request: Request, way: httpx2.AsyncBaseTransport | InProcess) -> RawReply:
    """The reply that came this way."""
    transport = Transport("http://local", backend.owner_key, inner=way, max_reply_bytes=1_000_000)
    return await transport.exchange(request)


@pytest.mark.parametrize("name", REQUESTS)
def test_replies_are_the_same(name: str, api: Api) -> None:
    """Status, headers, body: as they come through an HTTP client."""
    api.insight(name="über & more", query=TREND)
    api.post("query/", {"query": TREND_SOURCE})  # from now on it is cached
    ways = (InProcess(api.backend.app), httpx2.ASGITransport(app=api.backend.app))
    one, other = (api.run(exchanged(api.backend, REQUESTS[name], way)) for way in ways)
    assert (one.status, dict(one.headers), one.content) == (other.status, dict(other.headers), other.content)


def test_a_reply_is_bounded(api: Api) -> None:
    """As one over the network is."""
    api.insight(name="x" * 300)
    settings = Settings(api.backend.owner_key, "http://local", 1)

    async def listed() -> None:
        client = Client(settings, transport=InProcess(api.backend.app), max_reply_bytes=200)
        await client.send(ListInsights())

    with pytest.raises(BadReply, match="larger than"):
        api.run(listed())


def test_who_waits_no_more_is_gone(api: Api) -> None:
    """The app hears so once all is said, not before."""
    heard: list[str] = []

    async def app(_: object, receive: object, send: object) -> None:
        heard.append((await receive())["type"])  # type: ignore[operator]
        watch = asyncio.ensure_future(receive())  # type: ignore[operator]
        await asyncio.sleep(0)
        heard.append("waiting" if not watch.done() else "gone")
        await send({"type": "http.response.start", "status": 204})  # type: ignore[operator]
        await send({"type": "http.response.body"})  # type: ignore[operator]
        heard.append((await watch)["type"])

    reply = api.run(exchanged(api.backend, REQUESTS["a list"], InProcess(app)))
    assert (204, ["http.request", "waiting", "http.disconnect"]) == (reply.status, heard)
