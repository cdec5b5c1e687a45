"""Queries that come as text: in a code fence, as SQL, as JSON, or as JSON the way people and programs write it."""

from __future__ import annotations

import json
import re
from typing import Any

FENCE = "```"
LANGUAGE = re.compile(r"`*[ \t]*\w*[ \t]*(?:\n|(?=[{\[]))")  # after the fence
SQL = re.compile(r"(?:select|with)\b", re.IGNORECASE)
BEFORE = re.compile(r"[\s(]*")
COMMENTS = {"--": "\n", "/*": "*/"}  # begin and end
TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/|\#[^\n]*)
    |(?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<word>[A-Za-z_$][\w$]*)
    |(?P<number>[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<sign>[][{}:,])""",
    re.DOTALL | re.VERBOSE,
)
WORDS = {"true": "true", "True": "true", "false": "false", "False": "false",
         "null": "null", "None": "null", "undefined": "null"}  # fmt: skip


def unfenced(text: str) -> str:
    """What stands in a code fence, if the whole text is one."""
    inside = text.strip()
    if not (inside.startswith(FENCE) and inside.endswith(FENCE) and len(inside) > 2 * len(FENCE)):
        return text
    inside = inside.removeprefix(FENCE).rstrip("`")
    language = LANGUAGE.match(inside)
    return inside[language.end() if language else 0 :].strip()


def is_sql(text: str) -> bool:
    """Whether it begins as a query in SQL does, after comments and brackets."""
    place = 0
    while True:
        place = _past(BEFORE, text, place)
        end = COMMENTS.get(text[place : place + 2])
        if end is None:
            return SQL.match(text, place) is not None
        place = text.find(end, place + 2) + len(end)
        if place < len(end):  # it has no end
            return False


def _past(pattern: re.Pattern[str], text: str, place: int) -> int:
    found = pattern.match(text, place)
    return found.end() if found else place


def is_json(text: str) -> bool:
    """Whether it is JSON as it should be."""
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def read_json(text: str) -> Any:
    """The object or list that a text is; the text itself where it is none."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        return json.loads(text)
    except RecursionError:
        return text
    except ValueError:
        return _loosely(text)


def read(text: str) -> Any:
    """The query in a text: a JSON value, or text that may be SQL."""
    return read_json(unfenced(text))


def _loosely(text: str) -> Any:
    """JSON with comments, single quotes, bare names, commas too many, or Python's words."""
    try:
        return json.loads("".join(_strict(_tokens(text))))
    except (ValueError, RecursionError):
        return text


def _tokens(text: str) -> list[tuple[str, str]]:
    """The kind and text of each; ValueError where it is no JSON at all."""
    found: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        token = TOKEN.match(text, place)
        if token is None:
            raise ValueError(place)
        place = token.end()
        if token.lastgroup != "space":
            found.append((str(token.lastgroup), token[0]))
    return found


def _strict(tokens: list[tuple[str, str]]) -> list[str]:
    """As JSON wants them."""
    following = [text for _, text in tokens[1:]] + [""]
    return [
        _token(kind, text, after)
        for (kind, text), after in zip(tokens, following, strict=True)
        if not (text == "," and after in ("}", "]"))
    ]


def _token(kind: str, text: str, after: str) -> str:
    if kind == "word":
        return json.dumps(text) if after == ":" else WORDS.get(text, text)
    if kind == "text" and text.startswith("'"):
        inside = text[1:-1].replace("\\'", "'")
        return '"' + re.sub(r'(?<!\\)"', '\\"', inside) + '"'
    return text.removeprefix("+") if kind == "number" else text
