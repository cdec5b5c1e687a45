"""The file a chart is written to: which argument of a call it implies, and what is wrong with it."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from insights_mcp.errors import InvalidInput

SUFFIXES = (".png", ".svg")


def implied(file: Path, tool: str, properties: dict[str, Any]) -> dict[str, str]:
    """The argument that draws for this file. InvalidInput before anything is asked, if it cannot be written."""
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise InvalidInput(f"--chart writes PNG or SVG; {file} is neither.", "Name a file that ends in .png or .svg.")
    if properties and "chart" not in properties:
        raise InvalidInput(f"{tool} has no result to draw.", "Use --chart with run_query, get_insight or query_result.")
    if file.is_dir() or not os.access(file if file.exists() else file.parent, os.W_OK):
        raise InvalidInput(f"--chart cannot write {file}.", "Name a file in a folder that you may write to.")
    return {"chart": suffix.removeprefix(".")}


def picture_in(contents: Iterable[Any]) -> bytes:
    """The picture among the contents of a tool's result; nothing when there is none."""
    return b"".join(_picture(content) for content in contents)


def _picture(content: Any) -> bytes:
    if content.type == "image":
        return base64.b64decode(content.data)
    return str(content.resource.text).encode() if content.type == "resource" else b""


def write(file: Path, picture: bytes) -> None:
    """Write it. InvalidInput when there is nothing to write, or no way to."""
    if not picture:
        raise InvalidInput(f"There is no chart, so {file} was not written.", "The answer says why.")
    try:
        file.write_bytes(picture)
    except OSError as error:
        raise InvalidInput(f"--chart cannot write {file}: {error.strerror}.", "The answer above is complete.") from None
