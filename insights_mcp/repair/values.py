"""Single values: texts, numbers, switches and words, as PostHog wants them."""

from __future__ import annotations

import math
import re
from typing import Any

from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.shapes import Choice, Plain
from insights_mcp.repair.texts import read_json
from insights_mcp.repair.words import EASY_DISPLAYS, VALUES, nearly, operator, word

SWITCHES = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
WHAT = {"text": "a text", "whole": "a whole number", "number": "a number", "switch": "true or false",
        "mapping": "an object"}  # fmt: skip
NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?\s*")


def plain(shape: Plain, value: Any, at: Path, found: Findings, example: Any = None) -> Any:
    """A value that is no object with fields of its own."""
    if shape.kind == "anything" or _fits(shape, value):
        return value
    read = _read(shape, value)
    if read is not None and _fits(shape, read):
        return found.repaired(at, value, read)
    least = f" of at least {shape.least:g}" if shape.least is not None else ""
    found.wrong(at, f"{shown(value)} is not {WHAT[shape.kind]}{least}", example=example)
    return value


def choice(shape: Choice, value: Any, at: Path, found: Findings, example: Any = None) -> Any:
    """One of the words allowed, or another word for one of them."""
    if isinstance(value, str) and value in shape.values:
        return value
    if not isinstance(value, str):
        found.not_allowed(at, value, shape.values, example)
        return value
    said = word(value)
    same = next((allowed for allowed in shape.values if word(allowed) == said), None)
    if same:
        return found.expanded(at, value, same)
    name = next((part for part in reversed(at) if isinstance(part, str)), "")
    meant = (operator(value) if name == "operator" else None) or VALUES.get(name, {}).get(said)
    meant = meant if meant in shape.values else nearly(value, shape.values)
    if meant:
        easy = name == "display" and value in EASY_DISPLAYS
        return found.expanded(at, value, meant) if easy else found.repaired(at, value, meant)
    found.not_allowed(at, value, shape.values, example)
    return value


def from_json(value: Any, at: Path, found: Findings) -> Any:
    """An object or list that was given as its JSON text."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    read = read_json(value)
    if isinstance(read, str):
        return value
    found.said(at, "JSON text → JSON")
    return read


def _fits(shape: Plain, value: Any) -> bool:
    if shape.kind == "text":
        return isinstance(value, str)
    if shape.kind == "switch":
        return isinstance(value, bool)
    if shape.kind == "mapping":
        return isinstance(value, dict)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    if isinstance(value, float) and not (math.isfinite(value) and (shape.kind == "number" or value.is_integer())):
        return False
    return shape.least is None or value >= shape.least


def _read(shape: Plain, value: Any) -> Any:
    """The value of the right type, or None."""
    if shape.kind == "text":
        return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    if shape.kind == "switch":
        return SWITCHES.get(str(value).strip().casefold()) if isinstance(value, str | int) else None
    if shape.kind in ("whole", "number") and isinstance(value, str) and NUMBER.fullmatch(value):
        number = float(value)
        return int(number) if number.is_integer() else number
    return None
