"""HogQL text as tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.places import line_and_column

LENGTH_LIMIT = 200_000
NAME_LIMIT = 1_000
TOKEN_LIMIT = 50_000
TOKEN = re.compile(
    r"""(?P<space>\s+|(?:--|//|\#)[^\n]*|/\*.*?\*/)
    |(?P<template>f'(?:[^'\\{]|\\.|\{[^{}]*\})*')
    |(?P<string>'(?:[^'\\]|\\.|'')*')
    |(?P<quoted>"(?:[^"\\]|\\.|"")*"|`(?:[^`\\]|\\.|``)*`)
    |(?P<number>0x[0-9a-fA-F]+|0b[01]+|(?:\d+(?:\.\d+|\.(?![\w$.`"*]))?|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<word>[A-Za-z_$][A-Za-z0-9_$]*)
    |(?P<sign>!=~\*|!=~|=~\*|!~\*|<=>|=~|!~|~\*|->|<=|>=|<>|!=|==|\|\||::|\?\?|\?\.|[-+*/%<>=~(),.\[\]{}:?;@])
    """,
    re.VERBOSE | re.DOTALL,
)
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f", "a": "\a", "v": "\v"}


@dataclass(frozen=True)
class Token:
    """`kind` is string, template, name (quoted), number, word, sign or end; `at` is the place in the text."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """All tokens, then one of kind `end`. Raises QueryError at what is none."""
    if len(text) > LENGTH_LIMIT:
        raise QueryError(f"The query is longer than {LENGTH_LIMIT:,} characters.", attr="query")
    found: list[Token] = []
    at = 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match and match[0] == "/" and text.startswith("/*", at):
            raise error("A comment does not end", text, at)
        if len(found) > TOKEN_LIMIT:
            raise QueryError(f"The query has more than {TOKEN_LIMIT:,} words and signs.", attr="query")
        if not match:
            raise error(f"{text[at]!r} cannot stand here", text, at)
        found += _token(match, text)
        at = match.end()
    return [*found, Token("end", "", len(text))]


def _token(match: re.Match[str], text: str) -> list[Token]:
    kind, value = str(match.lastgroup), match[0]
    if kind in ("word", "quoted") and len(value) > NAME_LIMIT:
        raise error(f"A name is longer than {NAME_LIMIT} characters", text, match.start())
    if kind == "space":
        return []
    if kind == "template":
        value = value[2:-1]
    if kind in ("string", "quoted"):
        value = unescaped(value)
        if "\0" in value:
            raise error("A string holds a NUL character", text, match.start())
        kind = "name" if kind == "quoted" else kind
    return [Token(kind, value, match.start())]


def unescaped(quoted: str) -> str:
    """The text that stands between quotes."""
    quote = quoted[0]
    inner = quoted[1:-1].replace(quote * 2, quote)
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1] if m[1] in "\\'\"`{" else m[0]), inner, flags=re.DOTALL)


def number(text: str) -> int | float:
    """A number as it is written."""
    if text.startswith("0x"):
        return int(text, 16)
    if text.startswith("0b"):
        return int(text, 2)
    return int(text) if text.isdigit() else float(text)


def error(what: str, text: str, at: int) -> QueryError:
    """A syntax error that says where."""
    line, column = line_and_column(text, at)
    near = " ".join(text[at : at + 30].split()) or "the end"
    return QueryError(f"Syntax error at line {line}, column {column}, near '{near}': {what}.", "syntax_error", "query")
