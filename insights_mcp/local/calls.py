"""One authenticated call, how its parameters are read, and which function answers which endpoint."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import orjson
from starlette.datastructures import QueryParams
from starlette.responses import Response

from insights_mcp.endpoint import Endpoint, Route
from insights_mcp.local.auth import Caller
from insights_mcp.local.errors import invalid
from insights_mcp.local.store import Store, stamp

if TYPE_CHECKING:
    from insights_mcp.local.backend import Backend

TRUE = frozenset({"y", "yes", "t", "true", "on", "1"})
PAGE_SIZE = 100
LARGEST = 2**63 - 1
SECRET_PARAMETERS = frozenset({"personal_api_key"})


@dataclass
class Call:
    """A request that may be answered. `url` is the address as the client wrote it, without query."""

    backend: Backend
    caller: Caller
    path: Mapping[str, str]
    query: QueryParams
    body: dict[str, Any]
    url: str
    now: datetime
    gone: Callable[[], Awaitable[None]] = field(repr=False)

    @property
    def store(self) -> Store:
        """The project's saved objects."""
        return self.backend.store

    @property
    def user_id(self) -> int:
        """The number of the key's user."""
        return int(self.caller.user["id"])

    @property
    def stamp(self) -> str:
        """Now, as it is stored."""
        return stamp(self.now)

    def flag(self, name: str) -> bool:
        """A query parameter that means yes."""
        return self.query.get(name, "").lower() in TRUE

    def whole(self, name: str, default: int, least: int = 0) -> int:
        """A whole number from the query string; anything else is the default, as in PostHog's lists."""
        number = whole(self.query.get(name, ""))
        return default if number is None or number < least else number

    def listed(self, name: str) -> list[Any] | None:
        """A JSON array from the query string, None when not given. Problem 400 for anything else."""
        if (text := self.query.get(name)) is None:
            return None
        value = loaded(text, name)
        if not isinstance(value, list):
            raise invalid(f'Expected a list of items but got type "{type(value).__name__}".', name, "not_a_list")
        return value

    def mapped(self, name: str) -> dict[str, Any] | None:
        """A JSON object from the query string or the body, None when not given."""
        text = self.query.get(name)
        value = self.body.get(name) if text is None else loaded(text, name)
        if value is not None and not isinstance(value, dict):
            raise invalid(f"Invalid JSON passed in {name} parameter", name)
        return value

    def link(self, **changes: object) -> str:
        """This call's absolute address with some parameters changed (None takes one away)."""
        kept = [(k, v) for k, v in self.query.multi_items() if k not in changes and k not in SECRET_PARAMETERS]
        return f"{self.url}?{urlencode(kept + [(k, str(v)) for k, v in changes.items() if v is not None])}"


Handler = Callable[[Call], Response | Awaitable[Response]]
ANSWERS: dict[Route, Handler] = {}


def answers(endpoint: type[Endpoint[Any]] | Route) -> Callable[[Handler], Handler]:
    """Make a function the answer to an endpoint, or to a route that is no endpoint of the catalogue."""

    def register(handler: Handler) -> Handler:
        ANSWERS[endpoint if isinstance(endpoint, Route) else endpoint.route] = handler
        return handler

    return register


def reply(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer. `orjson.Fragment` parts are spliced in as they are."""
    return Response(encoded(body), status, headers, media_type="application/json")


def encoded(value: object, *, canonical: bool = False) -> bytes:
    """A value as JSON; numbers that JSON has no word for become null. `canonical`: with sorted keys."""
    option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_SORT_KEYS if canonical else 0)
    try:
        return orjson.dumps(value, default=str, option=option)
    except orjson.JSONEncodeError:
        # Every type has a text, so that only the depth can be wrong.
        raise invalid("JSON is nested too deeply.") from None


def page(call: Call, items: Iterable[object], count: int, limit: int, offset: int) -> Response:
    """One page of a list, in PostHog's envelope: links are absolute and keep the other parameters."""
    following = call.link(limit=limit, offset=offset + limit) if offset + limit < count else None
    before = max(0, offset - limit)
    previous = call.link(limit=limit, offset=before or None) if offset else None
    return reply({"count": count, "next": following, "previous": previous, "results": list(items)})


def bounds(call: Call, default: int = PAGE_SIZE) -> tuple[int, int]:
    """`limit` and `offset` of a list."""
    return call.whole("limit", default, least=1), call.whole("offset", 0)


def whole(text: str) -> int | None:
    """A whole number that SQLite can hold, None for any other text."""
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        return None
    number = int(text) if len(text) < 20 else LARGEST + 1
    return number if abs(number) <= LARGEST else None


def loaded(text: str, name: str) -> Any:
    """JSON from a query parameter. Problem 400 naming the parameter."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise invalid(f"Invalid JSON passed in {name} parameter", name) from None


async def finished(handler: Handler, call: Call) -> Response:
    """A handler's response; most are plain functions."""
    response = handler(call)
    return response if isinstance(response, Response) else await response
