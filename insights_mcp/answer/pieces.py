"""Cutting JSON into pieces that are each whole: a path and the complete JSON that stands there.

However large a value is, its pieces page through all of it, and no piece is a cut JSON text.
Several objects at one path are parts of one object; `a[0:3]` is a run of a list's items or of a text's
characters; `a["b.c"]` is a key that is no plain word; `a{7}` is the pair [key, value] of an entry whose key is long.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from insights_mcp.answer.answer import Table
from insights_mcp.text import escaped

PIECE = 2_000
WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*")
LONGEST_KEY = 200


def pieces_table(value: Any, size: int = PIECE) -> Table:
    """All of a JSON value as rows (path, JSON)."""
    return Table(("path", "json"), [list(piece) for piece in pieces(value, size=size)], verbatim=True)


def pieces(value: Any, path: str = "", size: int = PIECE) -> Iterator[tuple[str, str]]:
    """Pieces of at most about `size` characters, in order."""
    text = dumps(value)
    if len(text) <= size:
        yield path or ".", text
    elif isinstance(value, dict):
        yield from _entries(value, path, size)
    elif isinstance(value, list):
        yield from _items(value, path, size)
    elif isinstance(value, str):
        step = max(1, (size - 2) // 12)  # a character takes up to twelve, escaped in two halves
        for start in range(0, len(value), step):
            part = value[start : start + step]
            yield f"{path}[{start}:{start + len(part)}]", dumps(part)
    else:
        yield path or ".", text


def _entries(entries: dict[str, Any], path: str, size: int) -> Iterator[tuple[str, str]]:
    run: list[str] = []
    length = 0
    room = size - 2  # within brackets
    for place, (key, item) in enumerate(entries.items()):
        text = f"{dumps(key)}:{dumps(item)}"
        if run and length + len(text) > room:
            yield path or ".", f"{{{','.join(run)}}}"
            run, length = [], 0
        if len(text) <= room:
            run.append(text)
            length += len(text) + 1
        elif len(key) <= LONGEST_KEY:
            yield from pieces(item, _below(path, key), size)
        else:
            yield from pieces([key, item], f"{path}{{{place}}}", size)
    if run:
        yield path or ".", f"{{{','.join(run)}}}"


def _items(items: list[Any], path: str, size: int) -> Iterator[tuple[str, str]]:
    run: list[str] = []
    start = length = 0
    room = size - 2  # within brackets
    for place, item in enumerate(items):
        text = dumps(item)
        if run and length + len(text) > room:
            yield f"{path}[{start}:{place}]", f"[{','.join(run)}]"
            run, length = [], 0
        if len(text) > room:
            yield from pieces(item, f"{path}[{place}]", size)
            continue
        start = start if run else place
        run.append(text)
        length += len(text) + 1
    if run:
        yield f"{path}[{start}:{start + len(run)}]", f"[{','.join(run)}]"


def _below(path: str, key: str) -> str:
    if WORD.fullmatch(key):
        return f"{path}.{key}" if path else key
    return f"{path}[{dumps(key)}]".replace("|", "\\u007c")


def dumps(value: Any) -> str:
    """Compact JSON without characters that hide or disturb. What no JSON can hold (NaN) is null."""
    try:
        text = _json(value)
    except ValueError:
        text = _json(finite(value))
    return escaped(text)


_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=str).encode


def finite(value: Any) -> Any:
    """The value with null for every number that is not finite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
