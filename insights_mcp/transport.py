"""HTTP to one PostHog, over the network or in this process: bounded both ways, and network trouble as our errors."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx2

from insights_mcp import __version__
from insights_mcp.endpoint import Request
from insights_mcp.errors import BadReply, InvalidInput, Unreachable

MAX_REPLY_BYTES = 64 * 1024 * 1024
MAX_REQUEST_BYTES = 1024 * 1024
TIMEOUT = httpx2.Timeout(30.0, connect=10.0, read=120.0)
SHORTEST_KEY = 16
REASONS = {
    "certificate": "its certificate is not trusted",
    "ssl": "the encrypted connection failed",
    "name or service": "there is no server of that name",
    "nodename": "there is no server of that name",
    "getaddrinfo": "there is no server of that name",
    "refused": "it refuses connections",
    "attempts failed": "it refuses connections",
    "timed out": "it does not answer",
}


@dataclass(frozen=True)
class RawReply:
    """A reply as it came, whole, without the key should it repeat it."""

    status: int
    headers: Mapping[str, str]
    content: bytes


Message = MutableMapping[str, Any]
App = Callable[[Message, Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]]


@dataclass(frozen=True)
class InProcess:
    """An ASGI app in place of the network: the same requests and replies, without a socket or a client of HTTP."""

    app: App

    async def exchange(self, host: str, request: Request, headers: dict[str, str], body: bytes | None) -> RawReply:
        """One request, one reply. What the app raises is raised."""
        scheme, _, netloc = host.partition("://")
        path, _, query = request.target.partition("?")
        scope: Message = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": scheme, "root_path": "",
            "method": request.method, "path": unquote(path), "raw_path": path.encode(), "query_string": query.encode(),
            "headers": [(name.lower().encode(), text.encode()) for name, text in ({"Host": netloc} | headers).items()],
            "server": (netloc, None), "client": None,
        }  # fmt: skip
        said = _Said(body or b"")
        await self.app(scope, said.receive, said.send)
        return RawReply(said.status, httpx2.Headers(said.headers), b"".join(said.parts))


@dataclass
class _Said:
    """What passes between an app and who called it."""

    body: bytes | None
    status: int = 500
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self) -> Message:
        """The request; after that, once all is said, that nobody listens any more."""
        if self.body is None:
            await self.complete.wait()
            return {"type": "http.disconnect"}
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        """Take a part of the reply."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
            return
        self.parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            self.complete.set()


class Transport:
    """Sends requests to `host` with a key. `inner` replaces the network (the embedded backend)."""

    def __init__(
        self, host: str, api_key: str, *, inner: httpx2.AsyncBaseTransport | InProcess | None, max_reply_bytes: int
    ) -> None:
        self.host = host
        self._key = api_key.encode()
        self._max_reply_bytes = max_reply_bytes
        self._headers = {
            "Authorization": f"Bearer {api_key}",
            "Accept": "application/json",
            "User-Agent": f"insights-mcp/{__version__}",
        }
        self._app = inner if isinstance(inner, InProcess) else None
        self._http = None if isinstance(inner, InProcess) else self._connections(inner)

    async def exchange(self, request: Request) -> RawReply:
        """One request, one reply, whatever its status. Unreachable; BadReply or InvalidInput when too large."""
        body = written(request)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if self._app:
            reply = await self._app.exchange(self.host, request, self._headers | headers, body)
            self._check_size(len(reply.content))
        else:
            reply = await self._over_network(request, headers, body)
        return RawReply(reply.status, reply.headers, self._without_key(reply.content))

    async def aclose(self) -> None:
        """Close the connections."""
        if self._http:
            await self._http.aclose()

    def _connections(self, inner: httpx2.AsyncBaseTransport | None) -> httpx2.AsyncClient:
        headers = self._headers | {"Accept-Encoding": "gzip"}
        return httpx2.AsyncClient(headers=headers, timeout=TIMEOUT, follow_redirects=False, transport=inner)

    async def _over_network(self, request: Request, headers: Mapping[str, str], body: bytes | None) -> RawReply:
        assert self._http
        url = f"{self.host}{request.target}"
        with _network_errors(self.host):
            async with self._http.stream(request.method, url, content=body, headers=headers) as response:
                content = await self._limited(response)
        return RawReply(response.status_code, response.headers, content)

    def _without_key(self, content: bytes) -> bytes:
        """A reply that repeats the key loses it here, whatever form the key has."""
        return content.replace(self._key, b"[API key]") if len(self._key) >= SHORTEST_KEY else content

    async def _limited(self, response: httpx2.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            self._check_size(size)
            parts.append(part)
        return b"".join(parts)

    def _check_size(self, size: int) -> None:
        if size > self._max_reply_bytes:
            raise BadReply(
                f"The reply is larger than {self._max_reply_bytes // 1024 // 1024} MB; the rest was not read.",
                "Ask for less: a shorter date range, fewer breakdowns, a smaller limit.",
            )


def written(request: Request) -> bytes | None:
    """The body as JSON, bounded: PostHog takes 20 MB, but a query that means something is far smaller."""
    if request.body is None:
        return None
    try:
        body = json.dumps(request.body, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"The request cannot be written as JSON: {error}.", "Give finite numbers and text."
        ) from None
    if len(body) > MAX_REQUEST_BYTES:
        raise InvalidInput(
            f"The request is {len(body) / 1024 / 1024:.1f} MB; at most 1 MB is sent.",
            "Make the query smaller: fewer listed values, a cohort instead of a list of ids.",
        )
    return body


@contextmanager
def _network_errors(host: str) -> Iterator[None]:
    """Network trouble as our errors. The messages of the network library are not shown: they may hold addresses."""
    try:
        yield
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol) as error:
        raise Unreachable(
            f"{host} cannot be reached: {_reason(error)}.", "Check POSTHOG_HOST, the network and any proxy."
        ) from None
    except httpx2.TimeoutException:
        raise Unreachable(
            f"{host} took too long to answer.",
            "Try again, or ask for less: a shorter date range, fewer breakdowns.",
            sent=True,
        ) from None
    except httpx2.DecodingError:
        raise BadReply(f"The reply of {host} is compressed in a way that cannot be read.", "Try again.") from None
    except (httpx2.HTTPError, httpx2.InvalidURL):
        raise Unreachable(f"The connection to {host} broke off.", "Try again.", sent=True) from None


def _reason(error: Exception) -> str:
    said = str(error).lower()
    return next((reason for sign, reason in REASONS.items() if sign in said), "no connection")
