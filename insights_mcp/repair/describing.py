"""What a query of a kind may hold, in words: the common form, PostHog's fields, examples of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from insights_mcp.repair.common import EASY
from insights_mcp.repair.examples import COMMON, example_of
from insights_mcp.repair.kinds import MODELS
from insights_mcp.repair.query import repaired
from insights_mcp.repair.shapes import Choice, Either, Many, Part, Plain, Shape, fields, kind_of
from insights_mcp.repair.words import COMMON_KINDS, EASY_KINDS, KINDS, word
from insights_mcp.schema.filters import PropertyFilter

LONG = 120  # characters of what a field holds, beside which there is room for others
WHAT = {
    "TrendsQuery": "how often things happened, over time or in all",
    "FunnelsQuery": "how many go on from one step to the next, and how long it takes them",
    "RetentionQuery": "who comes back, so many periods after they first did something",
    "StickinessQuery": "on how many days of a range people did something",
    "LifecycleQuery": "who of each period is new, still there, back again, or gone",
    "PathsQuery": "which way people go, step by step",
    "FunnelCorrelationQuery": "what goes along with converting in a funnel: events, or properties and their values",
    "HogQLQuery": "a question in SQL, over the tables events, persons, sessions, groups and cohort_people",
    "EventsQuery": "a table of events",
    "ActorsQuery": "persons or groups; list_actors writes it for one point of an insight",
}
_EVENTS = (
    'names of events, or {"event","math","property","where","label"}; {"event":["a","b"]} counts either, '
    '{"action":12} an action, "*" every event'
)
MEANT: dict[str, str] = {
    "events": _EVENTS,
    "math": "of all events: total, dau, sum, avg, p90 …; part series has all",
    "property": "what math is over, such as amount; person.age is the person's",
    "by": 'property to split by, or up to three: "$browser", "person.plan", "session.$channel_type", "group_0.name"; '
    'or {"cohort":[1,2]}',
    "limit": "how many values of by; the rest is one",
    "from": "-30d, -1mStart, 2026-01-31, all; words such as last month are understood",
    "to": "as from; without it, now",
    "where": '{"plan":"paid","city":["Oslo","Rome"],"amount":{"gt":5},"person.email":{"icontains":"@x.io"},"ref":null}'
    ', or {"or":[{…},{…}]}, or SQL: "properties.amount > 5"',
    "compare": 'true: with the period before; "-1w": with a week ago',
    "formula": "A / B, where A is the first of the events",
    "display": "line, area, bar, cumulative; all in one: number, table, pie, total bar, map",
    "steps": _EVENTS.replace('"label"', '"label","optional"'),
    "window": "within which time: 14 days, 2 hours",
    "order": "ordered, strict (nothing in between), unordered",
    "exclude": "events that must not happen between first and last step",
    "start": "the event people start with",
    "return": "the event that counts as coming back; without it, the same",
    "period": "hour, day, week, month",
    "periods": "how many, 8 without it",
    "type": "recurring, first_time, first_ever",
    "cumulative": "true: on so many days or more",
    "end": "where paths end",
    "sql": "the text; 100 rows unless it has a LIMIT",
}
OWN_MEANING: dict[str, dict[str, str]] = {
    "FunnelsQuery": {"display": "steps, trends, time_to_convert"},
    "FunnelCorrelationQuery": {
        "events": "names of events, of which the values of their properties are compared; without it, all events are",
        "properties": "names of properties of those who are counted, or all, of which the values are compared",
    },
    "PathsQuery": {
        "events": "$pageview, $screen, custom_event (any other); or names of custom events",
        "start": "where paths start: /pricing, or an event",
        "exclude": "what is left out",
        "steps": "how long paths are, 5 without it",
        "limit": "how many edges, 50 without it",
    },
}
PLAIN = {"text": "text", "whole": "whole number", "number": "number", "switch": "true, false", "mapping": "object",
         "anything": "anything"}  # fmt: skip


@dataclass(frozen=True)
class Described:
    """A kind, or a part of one: what it is, its short names, its fields, examples, and which parts there are."""

    name: str
    what: str
    short: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    examples: tuple[dict[str, Any], ...] = ()
    full: dict[str, Any] | None = None
    choices: dict[str, list[str]] | None = None
    parts: tuple[str, ...] = ()


def kind_named(text: str) -> str | None:
    """PostHog's name of a kind, by any of its names."""
    by_word = {word(name): name for name in WHAT}
    return EASY_KINDS.get(text) or by_word.get(word(text)) or KINDS.get(word(text))


def kinds() -> Described:
    """All kinds, each with an example."""
    short = {kind: name for name, kind in COMMON_KINDS.items()}
    rows = tuple((short.get(kind, kind), what) for kind, what in WHAT.items())
    return Described("Queries", "of these kinds", rows=rows, examples=tuple(each[0] for each in COMMON.values()))


def described(kind: str, part: str | None = None) -> Described:
    """A kind by PostHog's name; or a part of it, where there is one of that name."""
    model = MODELS[kind]
    parts = dict(parts_of(model))
    found = next((name for name in parts if part and _is(name, part)), None)
    if found is not None:
        return _of_part(kind, found, parts[found])
    examples = COMMON.get(kind, [])
    return Described(
        kind,
        WHAT[kind],
        tuple(_short(kind)),
        _rows(model),
        tuple(examples),
        repaired(examples[0]).query if examples else example_of(model),
        _choices(model),
        tuple(parts),
    )


def _of_part(kind: str, name: str, model: type[BaseModel]) -> Described:
    what = " ".join((model.__doc__ or "").split())
    return Described(f"{name} of {kind}", what, rows=_rows(model), full=example_of(model), choices=_choices(model))


def _is(name: str, asked: str) -> bool:
    return word(asked) in (word(name), word(name.rsplit(".", 1)[-1]))


def _short(kind: str) -> Iterator[str]:
    meanings = MEANT | OWN_MEANING.get(kind, {})
    return (f"{name}: {meanings[name]}" for name in EASY.get(kind, {}))


def _rows(model: type[BaseModel]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"{name} (needed)" if field.required else name, _holds(name, field.shape))
        for name, field in fields(model).items()
    )


def _choices(model: type[BaseModel]) -> dict[str, list[str]]:
    """What is one of more words than fit into a line."""
    found = {name: field.shape for name, field in fields(model).items()}
    return {
        name: list(shape.values)
        for name, shape in found.items()
        if isinstance(shape, Choice) and len(", ".join(shape.values)) > LONG
    }


def parts_of(
    model: type[BaseModel], at: str = "", seen: tuple[type[BaseModel], ...] = ()
) -> Iterator[tuple[str, type[BaseModel]]]:
    """The objects inside a query, by their path."""
    for name, field in fields(model).items():
        inside = PropertyFilter if name in ("properties", "fixedProperties") else _model(field.shape)
        if inside is None or inside in seen or name == "fixedProperties" or (name == "properties" and at):
            continue
        yield f"{at}{name}", inside
        yield from parts_of(inside, f"{at}{name}.", (*seen, inside))


def _model(shape: Shape) -> type[BaseModel] | None:
    if isinstance(shape, Many):
        return _model(shape.of)
    return shape.model if isinstance(shape, Part) else None


def _holds(name: str, shape: Shape) -> str:
    if name in ("properties", "fixedProperties"):
        return 'list of filters (part properties), or {"type":"AND","values":[{"type":"OR","values":[filters]}]}'
    if isinstance(shape, Plain):
        return PLAIN[shape.kind]
    if isinstance(shape, Choice):
        text = ", ".join(shape.values)
        return text if len(text) <= LONG else f"one of {len(shape.values)} words, above"
    if isinstance(shape, Many):
        return f"list of {_holds('', shape.of)}"
    if isinstance(shape, Either) and all(isinstance(each, Part) and kind_of(each.model) for each in shape.of):
        return f"one of {', '.join(str(kind_of(each.model)) for each in shape.of if isinstance(each, Part))}"
    if isinstance(shape, Either):
        return " or ".join(dict.fromkeys(_holds("", each) for each in shape.of))
    return _object(shape.model)


def _object(model: type[BaseModel]) -> str:
    names = list(fields(model))
    return f"{{{', '.join(names[:5])}{', …' if len(names) > 5 else ''}}}"
