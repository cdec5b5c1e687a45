"""How names, values and moments are written in PostHog's SQL, so that no text of theirs becomes SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

ESCAPES = str.maketrans({"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": ""})


def text(value: Any) -> str:
    """A value as a text: as PostHog compares properties."""
    return f"'{words(value).translate(ESCAPES)}'"


def words(value: Any) -> str:
    """A value as it stands in a property's text: true and false in small letters, numbers without a bare `.0`."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:g}" if isinstance(value, float) and value.is_integer() else str(value)


def one_of(what: str, values: Iterable[Any]) -> str:
    """That it is one of these texts; of one text, that it is it."""
    given = [text(value) for value in values]
    return f"{what} = {given[0]}" if len(given) == 1 else f"{what} in ({', '.join(given)})"


def named(name: str) -> str:
    """A property's name behind a dot."""
    return "`" + name.replace("\\", "\\\\").replace("`", "\\`").replace("\0", "") + "`"


def moment(at: datetime) -> str:
    """A moment on the project's clocks."""
    return f"toDateTime('{at:%Y-%m-%d %H:%M:%S}')"


def number(value: Any) -> float | None:
    """The number a value or a text is; none when it is none."""
    if isinstance(value, bool):
        return None
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if abs(found) < 1e300 else None


def every(conditions: Iterable[str]) -> str:
    """All of these hold."""
    parts = [f"({condition})" for condition in conditions if condition]
    return " and ".join(parts) or "1 = 1"
