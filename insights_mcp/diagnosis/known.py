"""The names a project has: events and properties, asked once in five minutes at most, and those nearest to another."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

import anyio

from insights_mcp.client import Client
from insights_mcp.endpoint import Endpoint, Route
from insights_mcp.endpoints.definitions import ListEventDefinitions, ListPropertyDefinitions, PropertyOwner
from insights_mcp.errors import InsightsError
from insights_mcp.schema.reply import Page
from insights_mcp.text import quoted

Found = TypeVar("Found")
PAGE = 500
NAMES_FOR = 300.0
NOTHING_FOR = 60.0
LISTED_WITHIN = 4.0
REASONS_FOR = 30.0
MOST_KEPT = 200
NEAR = 0.62
APART = 0.15  # what is so much farther than the nearest is not meant
MOST_NEAR = 3
FEW = 8  # names that may all be told where none is near
SEPARATORS = re.compile(r"[\W_]+")
CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@dataclass(frozen=True)
class Known:
    """Names, most recently seen first; `all`: whether there are no others. `seen`: when each was, where it is known."""

    names: list[str]
    all: bool = True
    seen: dict[str, str] = field(default_factory=dict)


@dataclass
class _Memory:
    kept: dict[Any, tuple[float, Any]] = field(default_factory=dict)


MEMORIES: WeakKeyDictionary[Client, _Memory] = WeakKeyDictionary()


async def remembered(client: Client, key: Any, seconds: float, ask: Callable[[], Awaitable[Found]]) -> Found:
    """What was found out a short while ago, or finds out; a copy of the server would find the same."""
    kept = MEMORIES.setdefault(client, _Memory()).kept
    until, value = kept.get(key, (0.0, None))
    if time.monotonic() >= until:
        value = await ask()
        if len(kept) >= MOST_KEPT:
            kept.clear()
        kept[key] = (time.monotonic() + (seconds if value is not None else NOTHING_FOR), value)
    found: Found = value
    return found


def free() -> None:
    """Nothing that is counted is spent."""


async def events(client: Client, spend: Callable[[], None] = free, search: str | None = None) -> Known | None:
    """The project's events; None when the key may not list them or PostHog does not."""
    return await _listed(client, _Events(limit=PAGE, search=search), spend)


async def properties(
    client: Client,
    owner: PropertyOwner,
    spend: Callable[[], None] = free,
    event: str | None = None,
    search: str | None = None,
) -> Known | None:
    """The properties of events or of persons; those seen on one event, if it is given."""
    names, only = ([event], True) if event else (None, None)
    call = _Properties(type=owner, limit=PAGE, search=search, event_names=names, filter_by_event_names=only)
    return await _listed(client, call, spend)


async def _listed(client: Client, call: _Events | _Properties, spend: Callable[[], None]) -> Known | None:
    async def ask() -> Known | None:
        if not client.may(type(call)):
            return None
        spend()
        with anyio.move_on_after(LISTED_WITHIN), suppress(InsightsError):
            page: Page[Any] = await client.send(call)
            seen = {item.name: at for item in page.results if (at := getattr(item, "last_seen_at", None))}
            return Known(list(dict.fromkeys(item.name for item in page.results)), _is_last(page), seen)
        return None

    return await remembered(client, (type(call), call.model_dump_json()), NAMES_FOR, ask)


def _is_last(page: Page[Any]) -> bool:
    return page.next is None and (page.count or 0) <= len(page.results)


def _once(endpoint: type[Endpoint[Any]]) -> Route:
    return replace(endpoint.route, repeatable=False)


class _Events(ListEventDefinitions):
    """The list for a reason: not repeated when it fails."""

    route: ClassVar[Route] = _once(ListEventDefinitions)


class _Properties(ListPropertyDefinitions):
    """The list for a reason: not repeated when it fails."""

    route: ClassVar[Route] = _once(ListPropertyDefinitions)


def same_but_for_case(name: str, names: Iterable[str]) -> str | None:
    """The only name that differs in nothing but case and spaces around it."""
    folded = name.strip().casefold()
    found = [other for other in names if other.strip().casefold() == folded]
    return found[0] if len(found) == 1 else None


def near(name: str, names: Iterable[str], most: int = MOST_NEAR) -> list[str]:
    """The names that may be meant, nearest first: by letters, or by the words they share."""
    ranked = sorted(((_likeness(name, other), other) for other in names), key=lambda pair: (-pair[0], pair[1]))
    enough = max(NEAR, ranked[0][0] - APART) if ranked else NEAR
    return [other for likeness, other in ranked[:most] if likeness >= enough]


def _likeness(a: str, b: str) -> float:
    one, two = _words(a), _words(b)
    if not one or not two:
        return 0.0
    shared = len(set(one) & set(two)) / max(len(set(one)), len(set(two)))
    matcher = SequenceMatcher(None, " ".join(one), " ".join(two))
    by_letters = matcher.ratio() if matcher.quick_ratio() >= NEAR - 0.2 else 0.0
    return max(by_letters, 0.45 + 0.5 * shared if shared else 0.0)


def _words(name: str) -> list[str]:
    """Its words in small letters: page_view, pageView and $page-view have the same."""
    return CAMEL.sub(" ", SEPARATORS.sub(" ", name[:200])).casefold().split()


def offered(name: str, names: Iterable[str], where: str) -> str:
    """What to use instead, and where; the nearest names; where there are few, all of them."""
    listed = list(names)
    if same := same_but_for_case(name, listed):
        return f" Use {quoted(same)} as {where}."
    if nearest := near(name, listed):
        told = ", ".join(map(quoted, nearest))
        return f" Use {told} as {where}." if len(nearest) == 1 else f" Nearest for {where}: {told}."
    if 0 < len(listed) <= FEW:
        return f" There are: {', '.join(quoted(other, 60) for other in listed)}."
    return " discover_data lists those there are." if listed else ""
