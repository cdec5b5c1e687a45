"""What is given to a tool or a prompt on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from insights_mcp.errors import InvalidInput


def argument(text: str, properties: dict[str, Any]) -> tuple[str, Any]:
    """`name=value` typed as the tool's schema says: text stays text, anything else is read as JSON."""
    name, value = pair(text)
    if value.startswith("@"):
        value = _file_text(Path(value[1:]))
    if properties.get(name, {}).get("type") == "string":
        return name, value
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def pair(text: str) -> tuple[str, str]:
    """`name=value`, taken apart. Raises InvalidInput."""
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInput(f"'{text}' is no argument.", "Write arguments as name=value.")
    return name, value


def _file_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}.", "Give a text file that is there.") from None
