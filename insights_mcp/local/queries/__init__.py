"""Query JSON in, PostHog's answer out. One module for each kind: its model, how it compiles, how its rows are shaped.

    unwrap -> check (the kind's model) -> compile (pure: SQL and bound values) -> run (events.py) -> shape (pure)

A kind is added by its own module and one line in KINDS.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches
from functools import cache
from importlib import import_module
from typing import Any, Protocol, cast

from pydantic import BaseModel, ValidationError

from insights_mcp.local.events import EngineLost, EventStore, Failed, Interrupted, Rows, TooBig, TookTooLong
from insights_mcp.local.queries import failures, unsupported
from insights_mcp.local.queries.errors import QueryCancelled, QueryError, SchemaError
from insights_mcp.local.queries.project import Context, Project
from insights_mcp.local.queries.sql import Sql
from insights_mcp.schema.query import WRAPPERS

__all__ = ["Project", "QueryCancelled", "QueryError", "SchemaError", "check", "interval_of", "run"]

# DuckDB plans a statement in the square of its conditions: 3,000 of them take more than half a minute.
MOST_VALUES = 1_000
KINDS = {
    "TrendsQuery": "trends",
    "PathsQuery": "paths",
    "RetentionQuery": "retention",
    "StickinessQuery": "stickiness",
    "LifecycleQuery": "lifecycle",
    "FunnelsQuery": "funnels",
    "FunnelCorrelationQuery": "funnels.correlation",
    "ActorsQuery": "actors",
    "HogQLQuery": "hogql",
    "EventsQuery": "events_table",
}


class _Plan(Protocol):
    @property
    def statements(self) -> list[Sql]: ...


# A plan may ask again, by what was answered so far, until it has nothing more to ask.
Follow = Callable[[list[Rows]], list[Sql]]


@dataclass(frozen=True)
class _Kind:
    """What a kind's module offers."""

    model: type[BaseModel]
    interval: Callable[[Any], str | None]
    compile: Callable[[Any, Context], _Plan]
    shape: Callable[[Any, list[Rows]], dict[str, Any]]


def run(
    query: dict[str, Any], *, events: EventStore, project: Project, now: datetime, cancelled: threading.Event
) -> dict[str, Any]:
    """The answer as POST /query gives it, without what caching adds. Blocking.

    Raises SchemaError, QueryError, QueryCancelled, StoreError.
    """
    kind, model = _parsed(query)
    try:
        plan = kind.compile(model, Context(project, now, events.catalogue()))
    except ValidationError as error:
        raise SchemaError(_told(error)) from None
    except RecursionError:
        raise QueryError("The query is nested too deeply.") from None
    except OverflowError:
        raise QueryError("The query's dates reach beyond the years 1 to 9999.", attr="dateRange") from None
    answers = [_fetched(events, statement, cancelled) for statement in plan.statements]
    follow: Follow | None = getattr(plan, "follow", None)
    while follow and (more := follow(answers)):
        answers += [_fetched(events, statement, cancelled) for statement in more]
    return {"timezone": project.timezone, **kind.shape(plan, answers)}


def _fetched(events: EventStore, statement: Sql, cancelled: threading.Event) -> Rows:
    if len(statement.parameters) > MOST_VALUES:
        raise QueryError(
            f"The query has more than {MOST_VALUES:,} filters and values. Put many values into one filter's list."
        )
    try:
        return events.fetch(statement.text, statement.parameters, cancelled=cancelled)
    except Interrupted:
        raise QueryCancelled("The query was cancelled.") from None
    except TookTooLong as error:
        raise QueryError(f"The query took longer than {error.args[0]:.0f} s. Ask for less: a shorter range.") from None
    except TooBig:
        raise QueryError("The query needs too much memory. Ask for less: a shorter range, fewer values.") from None
    except EngineLost as error:
        raise QueryError(str(error)) from None
    except Failed as error:
        raise QueryError(failures.told(str(error))) from error


def check(query: dict[str, Any]) -> None:
    """Raise SchemaError when the JSON is no valid query. Kinds that are not supported yet are valid."""
    source = _unwrapped(query)
    if _name(source) in KINDS:
        _parsed(source)


def interval_of(query: dict[str, Any]) -> str | None:
    """The interval of a query that has one, else None."""
    try:
        source = _unwrapped(query)
    except SchemaError:
        return None
    given = source.get("interval")
    return given if isinstance(given, str) else ("day" if source.get("kind") == "TrendsQuery" else None)


def _parsed(query: dict[str, Any]) -> tuple[_Kind, BaseModel]:
    source = _unwrapped(query)
    name = _name(source)
    if name not in KINDS:
        raise unsupported.kind(name)
    kind = _kind(name)
    try:
        return kind, kind.model.model_validate(source)
    except ValidationError as error:
        raise SchemaError(_told(error)) from None
    except RecursionError:
        raise SchemaError("The query is nested too deeply.") from None


@cache
def _kind(name: str) -> _Kind:
    module = cast(Any, import_module(f"{__name__}.{KINDS[name]}"))
    return _Kind(module.MODEL, module.interval, module.compile, module.shape)


def _unwrapped(query: Any) -> dict[str, Any]:
    """The query inside its wrappers."""
    for _ in range(3):
        if not isinstance(query, dict):
            raise SchemaError(f"A query is a JSON object with a 'kind', not {type(query).__name__}.")
        if query.get("kind") not in WRAPPERS:
            return query
        if not isinstance(query.get("source"), dict):
            raise SchemaError(f"{query['kind']} needs a 'source', the query it wraps.")
        query = query["source"]
    raise SchemaError("The query is wrapped more than twice.")


def _name(source: dict[str, Any]) -> str:
    known = (*KINDS, *unsupported.KINDS)
    name = source.get("kind")
    if name in known:
        return str(name)
    near = get_close_matches(str(name)[:100], known, 1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise SchemaError(f"kind: {name!r} is no query kind.{hint} Known are {', '.join((*known, *WRAPPERS))}.")


def _told(error: ValidationError) -> str:
    """The first complaint of each place: where, what is allowed, what was given."""
    seen: dict[str, str] = {}
    for entry in error.errors(include_url=False, include_context=False):
        path = ".".join(str(part) for part in entry["loc"] if part not in ("PropertyFilter", "PropertyGroup"))
        given = repr(entry["input"])
        seen.setdefault(path, f"{path}: {entry['msg']} (given: {given[:80]}{'…' if len(given) > 80 else ''})")
    return "; ".join(list(seen.values())[:5])
