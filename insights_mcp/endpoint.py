"""What an endpoint is: its route, its fields, its reply, and the request they make.

One class is the only place an endpoint is written down; request, validation, schema, tool,
scope check and the local backend's route are derived from it.
"""

from __future__ import annotations

import json
import string
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ConfigDict, TypeAdapter

from insights_mcp.errors import InvalidInput
from insights_mcp.scopes import Scope

Reply = TypeVar("Reply")


class Effect(StrEnum):
    """What a call does to the project. The HTTP method does not tell it, so it is declared."""

    READ = "read"
    WRITE = "write"
    DESTRUCTIVE = "destructive"


@dataclass(frozen=True)
class Route:
    """Where an endpoint lives and what calling it takes.

    `scope` None: any valid key. `repeatable`: sending it twice does no more than sending it once,
    so it may be retried. `session_only`: PostHog (in some versions) refuses every personal API key.
    """

    method: str
    path: str
    scope: Scope | None
    effect: Effect = Effect.READ
    repeatable: bool = True
    session_only: bool = False

    @property
    def path_fields(self) -> tuple[str, ...]:
        """Names of the fields that stand in the path, without the project's."""
        names = (name for _, name, _, _ in string.Formatter().parse(self.path) if name)
        return tuple(name for name in names if name != "project_id")


@dataclass(frozen=True)
class InQuery:
    """Marks a field of a POST or PATCH that goes into the query string."""


@dataclass(frozen=True)
class JsonText:
    """Marks a field the API wants as JSON text; the user gives the natural type."""


@dataclass(frozen=True)
class Presence:
    """Marks a switch of which the API only looks whether it is there: false leaves it out."""


@dataclass(frozen=True)
class Request:
    """An HTTP request without host and key. `path` is encoded; `query` holds decoded pairs."""

    method: str
    path: str
    query: list[tuple[str, str]] = field(default_factory=list)
    body: dict[str, Any] | None = None

    @property
    def target(self) -> str:
        """Path and query as they stand in a URL."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path


class Endpoint(BaseModel, Generic[Reply]):
    """Base of every endpoint. A subclass has a `route`, its fields, and `Endpoint[ItsReply]`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)

    route: ClassVar[Route]

    def request(self, project_id: int | str) -> Request:
        """The request this call makes. Pure. InvalidInput when a path field would leave its segment."""
        route = self.route
        values = self._given()
        in_path = {name: values.pop(name) for name in route.path_fields}
        path = route.path.format_map({name: segment(name, value) for name, value in in_path.items()}
                                     | {"project_id": segment("project_id", project_id)})  # fmt: skip
        query = [name for name in values if route.method in ("GET", "DELETE") or self._marked(name, InQuery)]
        pairs = [pair for name in query for pair in self._pairs(name, values.pop(name))]
        body = None if route.method in ("GET", "DELETE") else {self._wire(n): plain(v) for n, v in values.items()}
        return Request(route.method, path, pairs, body)

    def _given(self) -> dict[str, Any]:
        """The fields to send: those that were given, and defaults that say something."""
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {name: v for name, v in values.items() if v is not None or name in self.model_fields_set}

    def _pairs(self, name: str, value: object) -> list[tuple[str, str]]:
        wire = self._wire(name)
        if value is None or (value is False and self._marked(name, Presence)):
            return []
        if self._marked(name, JsonText):
            return [(wire, json.dumps(plain(value), separators=(",", ":")))]
        return [(wire, text(item)) for item in (value if isinstance(value, list | tuple) else [value])]

    def _marked(self, name: str, marker: type) -> bool:
        return any(isinstance(m, marker) for m in type(self).model_fields[name].metadata)

    def _wire(self, name: str) -> str:
        return type(self).model_fields[name].serialization_alias or name


@cache
def reply_type(endpoint: type[Endpoint[Any]]) -> Any:
    """The type an endpoint's reply is read as: the argument of `Endpoint[…]`."""
    for base in endpoint.__mro__:
        if arguments := getattr(base, "__pydantic_generic_metadata__", {}).get("args"):
            return type(None) if arguments[0] is None else arguments[0]
    raise TypeError(f"{endpoint.__name__} does not say its reply: derive from Endpoint[Reply]")


@cache
def reply_adapter(endpoint: type[Endpoint[Any]]) -> TypeAdapter[Any]:
    """Reads an endpoint's reply from JSON bytes."""
    return TypeAdapter(reply_type(endpoint))


def segment(name: str, value: object) -> str:
    """One path segment, percent-encoded whole. InvalidInput for the empty one, `.`, `..` and half characters."""
    plain_text = text(value)
    if plain_text in ("", ".", ".."):
        raise InvalidInput(f"{name} is {plain_text!r}, which names nothing.", f"Give a real {name}.")
    return quote(plain_text, safe="")


def text(value: object) -> str:
    """A value as it stands in a URL."""
    if isinstance(value, bool):
        return "true" if value else "false"
    written = str(value.value if isinstance(value, Enum) else value)
    try:
        written.encode()
    except UnicodeEncodeError:
        raise InvalidInput("A text holds half of a character.", "Give whole characters.") from None
    return written


def plain(value: object) -> Any:
    """A value as JSON types."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value.value if isinstance(value, Enum) else value
