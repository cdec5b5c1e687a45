"""HTTP to one PostHog: bounded requests and replies, and network trouble as our errors."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

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


class Transport:
    """Sends requests to `host` with a key. `inner` replaces the network (the embedded backend)."""

    def __init__(
        self, host: str, api_key: str, *, inner: httpx2.AsyncBaseTransport | None, max_reply_bytes: int
    ) -> None:
        self.host = host
        self._key = api_key.encode()
        self._max_reply_bytes = max_reply_bytes
        self._http = httpx2.AsyncClient(
            headers={
                "Authorization": f"Bearer {api_key}",
                "Accept": "application/json",
                "Accept-Encoding": "gzip",
                "User-Agent": f"insights-mcp/{__version__}",
            },
            timeout=TIMEOUT,
            follow_redirects=False,
            transport=inner,
        )

    async def exchange(self, request: Request) -> RawReply:
        """One request, one reply, whatever its status. Unreachable; BadReply or InvalidInput when too large."""
        body = written(request)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        url = f"{self.host}{request.target}"
        with _network_errors(self.host):
            async with self._http.stream(request.method, url, content=body, headers=headers) as response:
                content = await self._limited(response)
        return RawReply(response.status_code, response.headers, self._without_key(content))

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    def _without_key(self, content: bytes) -> bytes:
        """A reply that repeats the key loses it here, whatever form the key has."""
        return content.replace(self._key, b"[API key]") if len(self._key) >= SHORTEST_KEY else content

    async def _limited(self, response: httpx2.Response) -> bytes:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > self._max_reply_bytes:
                raise BadReply(
                    f"The reply is larger than {self._max_reply_bytes // 1024 // 1024} MB; the rest was not read.",
                    "Ask for less: a shorter date range, fewer breakdowns, a smaller limit.",
                )
            parts.append(part)
        return b"".join(parts)


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
