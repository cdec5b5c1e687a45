"""What the values of a column are: dates by how they look, numbers, truth values; text where they differ in kind."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from insights_mcp.answer.asked import Asked, local
from insights_mcp.answer.pieces import dumps

DATE = re.compile(r"\d{4}-\d\d-\d\d")
MOMENT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?")
MIDNIGHT = " 00:00:00"
STRING = re.compile(r"(\w+\()*String\)*")
TEXT, INTEGER, NUMBER, BOOLEAN, DAY, TIME = "text", "integer", "number", "boolean", "date", "time"
LARGEST = 2**63 - 1


def typed(values: Sequence[Any], asked: Asked, kind: str | None = None) -> tuple[str, list[Any]]:
    """The narrowest type that holds all values, unless it is known; and the values as that type has them."""
    kind = kind or _type_of(values, asked)
    if kind in (DAY, TIME):
        told = {text: _time(text, asked) for text in set(values) if text is not None}
        length = 10 if kind == DAY else None
        return kind, [None if text is None else told[text][:length] for text in values]
    hold = HELD.get(kind)
    return kind, [None if value is None else hold(value) for value in values] if hold else list(values)


def texts(types: Any, columns: Sequence[Any]) -> dict[int, str]:
    """The columns of SQL that are text, whatever it looks like: their declared type says so."""
    pairs = types if isinstance(types, list) and len(types) == len(columns) else []
    names = [pair[1] if isinstance(pair, list) and len(pair) == 2 else pair for pair in pairs]
    return {place: TEXT for place, name in enumerate(names) if STRING.fullmatch(str(name))}


def _type_of(values: Sequence[Any], asked: Asked) -> str:
    kinds = set(map(type, values)) - {type(None)}
    if kinds == {bool}:
        return BOOLEAN
    if kinds == {int}:
        known = [value for value in values if value is not None]
        return INTEGER if min(known) >= -LARGEST and max(known) <= LARGEST else TEXT
    if kinds and kinds <= {int, float}:
        return NUMBER
    return _type_of_texts({text for text in values if text is not None}, asked) if kinds == {str} else TEXT


def _type_of_texts(found: set[str], asked: Asked) -> str:
    if not all(map(_is_moment, found)):
        return TEXT
    return DAY if all(DATE.fullmatch(text) or _time(text, asked).endswith(MIDNIGHT) for text in found) else TIME


def _is_moment(text: str) -> bool:
    if not (DATE.fullmatch(text) or MOMENT.fullmatch(text)):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _time(text: str, asked: Asked) -> str:
    """On the project's clocks; what has no offset is told by them already."""
    found = local(text, asked.zone)
    return (found or datetime.fromisoformat(text).replace(tzinfo=None)).isoformat(" ")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else dumps(value)


def _number(value: float) -> float | None:
    try:
        return float(value) if math.isfinite(value) else None
    except OverflowError:  # an integer of hundreds of digits
        return None


HELD: dict[str, Callable[[Any], Any]] = {TEXT: _text, NUMBER: _number}
