"""What may be written into an object's fields, and PostHog's words for what may not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from insights_mcp.local.errors import invalid
from insights_mcp.schema.filters import Properties

Field = Callable[[Any, str], Any]

LARGEST_ORDER = 2**31 - 1
WORDS = dict.fromkeys(("t", "y", "yes", "true", "on", "1"), True) | dict.fromkeys(
    ("f", "n", "no", "false", "off", "0"), False
)
NUMBER = re.compile(r"-?[0-9]{1,40}")
WHOLE = re.compile(rf"{NUMBER.pattern}(\.0*)?")
FILTERS: TypeAdapter[Any] = TypeAdapter(Properties)


def read(body: Mapping[str, Any], fields: Mapping[str, Field]) -> dict[str, Any]:
    """The writable fields of a body, checked; others are ignored. Problem 400 for the first bad one."""
    return {name: field(body[name], name) for name, field in fields.items() if name in body}


def required(body: Mapping[str, Any], names: Iterable[str]) -> None:
    """Problem 400 when a field is missing."""
    for name in names:
        if name not in body:
            raise invalid("This field is required.", name, "required")


def nullable(field: Field) -> Field:
    """The field, or null."""
    return lambda value, name: None if value is None else field(value, name)


def text(most: int | None = None) -> Field:
    """A string, trimmed, of at most `most` characters."""

    def check(value: Any, name: str) -> str:
        if isinstance(value, bool) or not isinstance(not_null(value, name), str | int | float):
            raise invalid("Not a valid string.", name)
        trimmed = str(value).strip()
        if "\x00" in trimmed:
            raise invalid("Null characters are not allowed.", name, "null_characters_not_allowed")
        if most is not None and len(trimmed) > most:
            raise invalid(f"Ensure this field has no more than {most} characters.", name, "max_length")
        return trimmed

    return check


def boolean(value: Any, name: str) -> bool:
    """true or false; the words and digits for them are read too."""
    known = WORDS.get(str(not_null(value, name)).lower())
    if known is None:
        raise invalid("Must be a valid boolean.", name)
    return known


def integer(value: Any, name: str) -> int:
    """A whole number of any size, also as text."""
    if isinstance(value, bool) or not WHOLE.fullmatch(str(not_null(value, name))):
        raise invalid("A valid integer is required.", name)
    return int(str(value).partition(".")[0])


def whole_number(value: Any, name: str) -> int:
    """A 32-bit whole number."""
    number = integer(value, name)
    if abs(number) > LARGEST_ORDER:
        raise invalid(f"Ensure this value is less than or equal to {LARGEST_ORDER}.", name, "max_value")
    return number


def json_object(value: Any, name: str) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(not_null(value, name), dict):
        raise invalid("Value must be a valid JSON object.", name)
    return dict(value)


def filters(value: Any, name: str) -> Any:
    """Property filters: a list of them, or a group."""
    try:
        return FILTERS.validate_python(value) and value
    except ValidationError as error:
        raise invalid(error.errors(include_url=False)[0]["msg"], name) from None


def query(value: Any, name: str) -> dict[str, Any]:
    """A query object; its inside has been checked with the body."""
    if not isinstance(value, dict):
        raise invalid("Query must be a valid JSON object", name)
    return value


def many(field: Field) -> Field:
    """A list of them."""

    def check(value: Any, name: str) -> list[Any]:
        if not isinstance(not_null(value, name), list):
            raise invalid(f'Expected a list of items but got type "{type(value).__name__}".', name, "not_a_list")
        return [field(item, name) for item in value]

    return check


def primary_key(value: Any, name: str) -> int:
    """The number of another object. That the object is there is checked by whoever uses it."""
    if isinstance(value, bool) or not NUMBER.fullmatch(str(not_null(value, name))):
        raise invalid(f"Incorrect type. Expected pk value, received {type(value).__name__}.", name, "incorrect_type")
    if not 0 <= int(value) < 2**63:
        raise missing_object(value, name)
    return int(value)


def one_of(*choices: str) -> Field:
    """One of these words."""

    def check(value: Any, name: str) -> str:
        if not_null(value, name) not in choices:
            raise invalid(f'"{value}" is not a valid choice.', name, "invalid_choice")
        return str(value)

    return check


def missing_object(value: object, name: str) -> Exception:
    """Problem 400: nothing has this number."""
    return invalid(f'Invalid pk "{value}" - object does not exist.', name, "does_not_exist")


def not_null(value: Any, name: str) -> Any:
    """The value. Problem 400 for null."""
    if value is None:
        raise invalid("This field may not be null.", name, "null")
    return value


def tags(value: Any, name: str) -> list[str]:
    """Tags: trimmed, lower case, each once, in order."""
    given = many(text(255))(value, name)
    return sorted({tag.lower() for tag in given} - {""})
