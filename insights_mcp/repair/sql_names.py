"""Which events and properties a text of SQL names: read by its words alone, so that it may be wrong, or not SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

# What has no end goes to the end of the text: else each of its characters would be looked at again.
TOKEN = re.compile(
    r"""(?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))|(?P<text>'(?:[^'\\]|\\.|'')*(?:'|\\?\Z))"""
    r"""|(?P<quoted>"(?:[^"\\]|\\.)*(?:"|\\?\Z)|`(?:[^`\\]|\\.)*(?:`|\\?\Z))"""
    r"""|(?P<word>[A-Za-z_$][\w$]*)|(?P<sign>==|!=|<>|\S)""",
    re.DOTALL,
)
ESCAPE = re.compile(r"\\(.)|('')", re.DOTALL)
ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}
PLAIN = re.compile(r"[A-Za-z_$][\w$]*\Z")
SAME = ("=", "==", "!=", "<>")
TABLES = {"events": "event", "persons": "person", "groups": "group"}


@dataclass(frozen=True)
class SqlName:
    """An event or a property, and from where to where it stands, quotes with it."""

    of: Literal["event", "property"]
    name: str
    span: tuple[int, int]
    type: str | None = None


@dataclass(frozen=True)
class _Token:
    kind: str
    raw: str
    span: tuple[int, int]

    @property
    def word(self) -> str:
        """Its letters, in lower case; of what is no word, its signs."""
        return self.raw.lower() if self.kind in ("word", "sign") else ""

    @property
    def said(self) -> str:
        """What it names, without quotes."""
        return self.raw if self.kind == "word" else ESCAPE.sub(_unescaped, self.raw[1:-1])


NOTHING = _Token("none", "", (0, 0))


def names_in_sql(text: str, table: str | None = None) -> list[SqlName]:
    """The names in the order they stand. `table`: what is read, where the text itself has no FROM."""
    tokens = [
        _Token(found.lastgroup or "", found[0], found.span())
        for found in TOKEN.finditer(text)
        if found.lastgroup != "comment"
    ]
    whose = _owner(tokens, table)
    return [name for place in range(len(tokens)) for name in _at(tokens, place, whose)]


def requoted(text: str, span: tuple[int, int], name: str) -> str:
    """The text with another name at this place, quoted as the one that stood there."""
    quote = text[span[0]]
    if quote not in "'\"`":
        quote = "" if PLAIN.match(name) else '"'
    escaped = name.replace("\\", "\\\\").replace(quote, "\\" + quote) if quote else name
    return f"{text[: span[0]]}{quote}{escaped}{quote}{text[span[1] :]}"


def _owner(tokens: list[_Token], table: str | None) -> str | None:
    """Whose `properties` are meant where nothing stands before them; None when several tables are read."""
    read = {b.word for a, b in pairwise(tokens) if a.word in ("from", "join") and b.kind == "word"}
    tables = list(read) or [table or ""]
    return TABLES.get(tables[0]) if len(tables) == 1 else None


def _at(tokens: list[_Token], place: int, whose: str | None) -> Iterator[SqlName]:
    if tokens[place].word == "event":
        yield from (SqlName("event", t.said, t.span) for t in _compared(tokens, place + 1))
    elif tokens[place].word == "properties":
        held = _held(tokens, place + 1)
        if held.kind in ("word", "quoted", "text"):
            yield SqlName("property", held.said, held.span, _type(tokens, place, whose))


def _compared(tokens: list[_Token], place: int) -> Iterator[_Token]:
    """The texts that `event` is compared with: after a sign, or in a list."""
    sign = _token(tokens, place).word
    if sign in SAME:
        yield from (t for t in [_token(tokens, place + 1)] if t.kind == "text")
        return
    start = place + (sign == "not")
    if _token(tokens, start).word == "in":
        opened = start + 1 + (_token(tokens, start + 1).word == "tuple")
        if _token(tokens, opened).word in ("(", "["):
            yield from _listed(tokens, opened + 1)


def _listed(tokens: list[_Token], place: int) -> Iterator[_Token]:
    while (token := _token(tokens, place)).kind == "text" or token.word == ",":
        if token.kind == "text":
            yield token
        place += 1


def _held(tokens: list[_Token], place: int) -> _Token:
    """What stands in `properties.NAME` or `properties['NAME']`."""
    sign, name = _token(tokens, place).word, _token(tokens, place + 1)
    right = {".": ("word", "quoted"), "[": ("text",)}.get(sign, ())
    return name if name.kind in right else NOTHING


def _type(tokens: list[_Token], place: int, whose: str | None) -> str | None:
    """By what stands before `.properties`: person, a group, or the name of a table."""
    if _token(tokens, place - 1).word != ".":
        return whose
    before = _token(tokens, place - 2).word
    if before in ("person", "persons"):
        return "person"
    if re.fullmatch(r"group_\d", before):
        return "group"
    return "event" if before == "events" else whose


def _token(tokens: list[_Token], place: int) -> _Token:
    return tokens[place] if 0 <= place < len(tokens) else NOTHING


def _unescaped(found: re.Match[str]) -> str:
    return "'" if found[2] else ESCAPED.get(found[1], found[1])
