"""Runs in a process of its own: reads a specification, writes the picture.

The library that draws holds Python's lock while it does, so the server would stand still beside it; and only a
process can be ended when it takes too long. Imports nothing of ours: it is started by its path.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import zlib
from collections.abc import Iterator
from typing import Any

import vl_convert

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SCALES = (2.0, 1.5, 1.0)  # pixels for one of the specification: the first whose picture is small enough
SHAPE = re.compile(r'(?<= d=")[^"]*')
DIGITS = re.compile(r"(\.\d)\d+")


def png(spec: dict[str, Any], most: int) -> bytes:
    """The picture, at most `most` bytes where that can be had."""
    picture = b""
    for scale in SCALES:
        picture = packed(vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[]))
        if len(picture) <= most:
            break
    return picture


def packed(picture: bytes) -> bytes:
    """The same PNG, its pixels compressed better than the library does."""
    chunks = list(_chunks(picture))
    pixels = zlib.compress(zlib.decompress(b"".join(data for name, data in chunks if name == b"IDAT")), 6)
    head = next(data for name, data in chunks if name == b"IHDR")
    return SIGNATURE + b"".join(_chunk(*chunk) for chunk in ((b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")))


def _chunks(picture: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(picture):
        (length,) = struct.unpack(">I", picture[at : at + 4])
        yield picture[at + 4 : at + 8], picture[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def svg(spec: dict[str, Any]) -> bytes:
    """The picture as text; shapes with no more digits than can be seen."""
    text = str(vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    return SHAPE.sub(lambda shape: DIGITS.sub(r"\1", shape[0]), text).encode()


if __name__ == "__main__":
    wanted = json.load(sys.stdin)
    sys.stdout.buffer.write(png(wanted, int(sys.argv[2])) if sys.argv[1] == "png" else svg(wanted))
