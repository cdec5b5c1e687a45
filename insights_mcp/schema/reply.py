"""What every reply shape has in common, and the page around lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, WrapValidator, model_validator

Item = TypeVar("Item")


def _or_none(value: Any, read: Callable[[Any], Any]) -> Any:
    try:
        return read(value)
    except ValidationError:
        return None


Listed = Annotated[list[Item], BeforeValidator(lambda value: [] if value is None else value)]  # null is the empty list
Lenient = Annotated[Item | None, WrapValidator(_or_none)]  # what is not of its type is read as absent


class ReplyShape(BaseModel):
    """A reply object. PostHog adds fields weekly and leaves some out: unknown ones are kept, none is required."""

    model_config = ConfigDict(extra="allow", defer_build=True, populate_by_name=True, coerce_numbers_to_str=True)


class Page(ReplyShape, Generic[Item]):
    """One page of a list. `count` is the size of the whole list; `next` and `previous` are URLs."""

    results: list[Item]
    count: int | None = None
    next: str | None = None
    previous: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare_list(cls, value: Any) -> Any:
        """Some versions answer with the bare list (trending, property values)."""
        return {"results": value, "count": len(value)} if isinstance(value, list) else value
