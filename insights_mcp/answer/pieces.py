"""Cutting JSON into pieces that are each whole: a path and the complete JSON that stands there.

However large a value is, its pieces page through all of it, and no piece is a cut JSON text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from insights_mcp.answer.answer import Table
from insights_mcp.text import clean, escaped

PIECE = 2_000


def pieces_table(value: Any) -> Table:
    """All of a JSON value as rows (path, JSON)."""
    return Table(("path", "json"), [list(piece) for piece in pieces(value)], verbatim=True)


def pieces(value: Any, path: str = "", size: int = PIECE) -> Iterator[tuple[str, str]]:
    """Pieces of at most about `size` characters, in order. `a[0:3]` is a run of items or of characters."""
    text = dumps(value)
    if len(text) <= size:
        yield path or ".", text
    elif isinstance(value, dict):
        for key, item in value.items():
            name = clean(key, 80)
            yield from pieces(item, f"{path}.{name}" if path else name, size)
    elif isinstance(value, list):
        yield from _runs(value, path, size)
    else:
        step = size // 6  # a character takes up to six in JSON
        for start in range(0, len(str(value)), step):
            part = str(value)[start : start + step]
            yield f"{path}[{start}:{start + len(part)}]", dumps(part)


def _runs(items: list[Any], path: str, size: int) -> Iterator[tuple[str, str]]:
    run: list[str] = []
    start = length = 0
    for place, item in enumerate(items):
        text = dumps(item)
        if run and length + len(text) + 1 > size:
            yield f"{path}[{start}:{place}]", f"[{','.join(run)}]"
            run, length = [], 0
        if len(text) > size:
            yield from pieces(item, f"{path}[{place}]", size)
            continue
        start = start if run else place
        run.append(text)
        length += len(text) + 1
    if run:
        yield f"{path}[{start}:{start + len(run)}]", f"[{','.join(run)}]"


def dumps(value: Any) -> str:
    """Compact JSON without characters that hide or disturb."""
    return escaped(json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str))
