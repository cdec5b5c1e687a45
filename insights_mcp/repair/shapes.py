"""What the fields of a query's parts may hold, read from the models in `schema`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from annotated_types import Ge
from pydantic import BaseModel

from insights_mcp.schema.filters import InsightQuery


@dataclass(frozen=True)
class Plain:
    """A text, a whole number (of at least so much), a number, a switch; a mapping of anything; or anything."""

    kind: Literal["text", "whole", "number", "switch", "mapping", "anything"]
    least: float | None = None


@dataclass(frozen=True)
class Choice:
    """One of these texts."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Many:
    """A list."""

    of: Shape


@dataclass(frozen=True)
class Part:
    """An object with fields of its own."""

    model: type[BaseModel]


@dataclass(frozen=True)
class Either:
    """One of several."""

    of: tuple[Shape, ...]


Shape: TypeAlias = Plain | Choice | Many | Part | Either
PLAIN: dict[Any, Plain] = {
    str: Plain("text"), int: Plain("whole"), float: Plain("number"), bool: Plain("switch"), Any: Plain("anything"),
}  # fmt: skip


@dataclass(frozen=True)
class Field:
    """A field of a part."""

    shape: Shape
    required: bool


@cache
def fields(model: type[BaseModel]) -> dict[str, Field]:
    """The fields of a part, in the order they are declared; `kind` first, what every query may carry last."""
    hints = get_type_hints(model, include_extras=True)
    order = sorted(model.model_fields, key=lambda name: 2 if name in InsightQuery.model_fields else name != "kind")
    return {name: Field(_field(hints[name], info.metadata), info.is_required())
            for name in order for info in [model.model_fields[name]]}  # fmt: skip


@cache
def kind_of(model: type[BaseModel]) -> str | None:
    """The one `kind` that a part can have."""
    shape = fields(model)["kind"].shape if "kind" in model.model_fields else None
    return shape.values[0] if isinstance(shape, Choice) and len(shape.values) == 1 else None


def _field(annotation: Any, metadata: list[Any]) -> Shape:
    shape = _shape(annotation)
    least = next((m.ge for m in metadata if isinstance(m, Ge)), None)
    return Plain(shape.kind, float(str(least))) if isinstance(shape, Plain) and least is not None else shape


def _shape(annotation: Any) -> Shape:
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _field(inside[0], list(inside[1:]))
    if origin in (Union, UnionType):
        shapes = tuple(_shape(each) for each in inside if each is not type(None))
        return shapes[0] if len(shapes) == 1 else Either(shapes)
    if origin is Literal:
        return Choice(inside)
    if origin is list:
        return Many(_shape(inside[0]))
    if origin is dict:
        return Plain("mapping")
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return Part(annotation)
    return PLAIN[annotation]
