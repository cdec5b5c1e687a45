"""A query's parts against their models: fields by their right names, each value as its field wants it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

from pydantic import BaseModel

from insights_mcp.repair import values
from insights_mcp.repair.conditions import conditions
from insights_mcp.repair.entities import entity, retained
from insights_mcp.repair.examples import example_of, example_with
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.ranges import broken_down, compared, dated
from insights_mcp.repair.shapes import Choice, Either, Field, Many, Part, Plain, Shape, fields, kind_of
from insights_mcp.repair.words import likeness, word
from insights_mcp.schema.filters import BreakdownFilter, CompareFilter, DateRange, Entity
from insights_mcp.schema.retention import RetentionEntity
from insights_mcp.schema.trends import FormulaNode
from insights_mcp.schema.wrappers import Wrapper

Nested = Callable[[Any, Path, Findings], Any]
CONDITIONS = frozenset({"properties", "fixedProperties", "funnelCorrelationPropertyValues"})
QUERIES = frozenset({"source", "funnelSource"})
NEAR = 0.84  # how alike a misspelled name must be
SHORTEST = 4  # shorter names are too alike to be told apart
OURS = frozenset({"unseen"})  # what this server itself reads in a query, and PostHog is not told
# What may stand where an object of this kind is meant -> that object.
READ: dict[type[BaseModel], Callable[[Any, Path, Findings], Any]] = {
    DateRange: dated,
    BreakdownFilter: broken_down,
    CompareFilter: compared,
    RetentionEntity: retained,
    FormulaNode: lambda value, at, found: (
        found.expanded(at, value, {"formula": value}) if isinstance(value, str) and value[:1] != "{" else value
    ),
}


def read(model: type[BaseModel], value: Any, at: Path, found: Findings) -> Any:
    """The object that is meant, where something shorter is given."""
    reader = entity if issubclass(model, Entity) else READ.get(model)
    if value is None:
        return None
    return values.from_json(value, at, found) if reader is None else reader(value, at, found)


def part(model: type[BaseModel], value: Any, at: Path, found: Findings, nested: Nested) -> Any:
    """The object with its fields read, one by one; what is missing is said. `nested` reads queries inside."""
    value = read(model, value, at, found)
    if not isinstance(value, dict):
        if not found.mistakes:
            found.wrong(at, f"{shown(value)} is no object", example=example_of(model))
        return value
    known = fields(model)
    done: dict[str, Any] = {}
    for key, item in named(model, value, at, found).items():
        if key in known:
            done[key] = _field(model, key, known[key], item, (*at, key), found, nested)
        else:
            if key not in OURS and not issubclass(model, Wrapper):  # wrappers have many more
                found.kept((*at, key))
            done[key] = item
    for key, field in known.items():
        if field.required and done.get(key) is None:
            found.wrong((*at, key), "is missing", example=example_with(model, key))
    return done


def named(model: type[BaseModel], value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """The object with the names its fields have: other cases and slips of the pen put right."""
    read: dict[str, Any] = {}
    for key, item in value.items():
        name = key if key in fields(model) else meant(model, key, near=False)
        if name is None and not issubclass(model, Wrapper) and found.seeks():
            name = meant(model, key)
        if name is None or name in read or (name != key and name in value):
            name = key
        elif name != key:
            found.moved((*at, key), (*at, name))
        read[name] = item
    return read


@cache
def by_words(model: type[BaseModel]) -> dict[str, str]:
    """The fields of a part by their letters alone."""
    return {word(name): name for name in fields(model)}


@lru_cache(4_096)
def meant(model: type[BaseModel], key: str, *, near: bool = True) -> str | None:
    """The field that a name means: the same letters in another case, or (`near`) nearly the same."""
    said, by_word = word(key), by_words(model)
    if said in by_word or not near or len(said) < SHORTEST:
        return by_word.get(said)
    alike = {name: likeness(said, each) for each, name in by_word.items() if len(each) >= SHORTEST}
    best = max(alike, key=lambda name: alike[name], default=None)
    return best if best is not None and alike[best] >= NEAR else None


def _field(
    model: type[BaseModel], key: str, field: Field, value: Any, at: Path, found: Findings, nested: Nested
) -> Any:
    if value is None:
        return None
    if key in CONDITIONS:
        return conditions(value, at, found, grouped=not issubclass(model, Entity | RetentionEntity))
    if key in QUERIES and field.shape == Plain("mapping"):
        return nested(value, at, found)
    return one(field.shape, value, at, found, nested, example_with(model, key))


def one(shape: Shape, value: Any, at: Path, found: Findings, nested: Nested, example: Any = None) -> Any:
    """A value as its field wants it."""
    if isinstance(shape, Part):
        return part(shape.model, value, at, found, nested)
    if isinstance(shape, Many):
        return _many(shape, value, at, found, nested, example)
    if isinstance(shape, Either):
        return _either(shape, value, at, found, nested, example)
    value = values.from_json(value, at, found) if shape == Plain("mapping") else value
    if isinstance(shape, Choice):
        return values.choice(shape, value, at, found, example)
    return values.plain(shape, value, at, found, example)


def _many(shape: Many, value: Any, at: Path, found: Findings, nested: Nested, example: Any) -> Any:
    value = values.from_json(value, at, found)
    if not isinstance(value, list):
        if not found.easy:
            found.said(at, "one item → a list of it")
        value = [value]
    return [one(shape.of, item, (*at, place), found, nested, example) for place, item in enumerate(value)]


def _either(shape: Either, value: Any, at: Path, found: Findings, nested: Nested, example: Any) -> Any:
    """The first that takes the value as it is; else the first that can be made of it."""
    models = [each.model for each in shape.of if isinstance(each, Part)]
    if len(models) == len(shape.of):
        return _of_kind(models, value, at, found, nested)
    tries = [(each, Findings(easy=found.easy)) for each in shape.of]
    read = [(one(each, value, at, own, nested, example), own) for each, own in tries]
    right = [own for _, own in read if not own.mistakes]
    if right:
        best = next((own for own in right if not own.repairs), right[0])
        found.repairs += best.repairs
        found.unknown += best.unknown
        return next(result for result, own in read if own is best)
    found.mistakes += read[0][1].mistakes
    return value


def _of_kind(models: list[type[BaseModel]], value: Any, at: Path, found: Findings, nested: Nested) -> Any:
    """One of several nodes, told apart by their kind."""
    value = values.from_json(value, at, found)
    by_kind = {str(kind_of(model)): model for model in models}
    kind = value.get("kind") if isinstance(value, dict) else None
    same = next((each for each in by_kind if isinstance(kind, str) and word(each) == word(kind)), None)
    if same is None:
        found.not_allowed((*at, "kind"), kind, tuple(by_kind), example_of(models[0]))
        return value
    if same != kind:
        value = value | {"kind": found.repaired((*at, "kind"), kind, same)}
    return part(by_kind[same], value, at, found, nested)
