"""Queries written as tags inside SQL: `<ActorsQuery select={['id']}>…</ActorsQuery>`, as their JSON."""

from __future__ import annotations

from typing import Any

from insights_mcp.local.queries.hogql.cursor import Cursor

DEPTH_LIMIT = 20
WORDS = {"true": True, "false": False, "null": None}


def tag(cursor: Cursor, depth: int = 0) -> dict[str, Any]:
    """The tag at the cursor: its attributes, its name as `kind`, and what stands inside as `source`."""
    if depth > DEPTH_LIMIT:
        raise cursor.error(f"tags are nested more than {DEPTH_LIMIT} levels deep")
    cursor.need("<")
    name = cursor.name()
    found: dict[str, Any] = {"kind": name} if name.endswith(("Query", "Node")) else {}
    while not cursor.sees(">") and not cursor.sees("/"):
        key = cursor.name()
        found[key] = _value(cursor, depth) if cursor.take("=") else True
    if cursor.take("/"):
        cursor.need(">")
        return found
    cursor.need(">")
    while not cursor.sees("<", "/"):
        found["source"] = tag(cursor, depth + 1)
    cursor.place += 2
    if cursor.name() != name:
        raise cursor.error(f"'</{name}>' is expected")
    cursor.need(">")
    return found


def _value(cursor: Cursor, depth: int) -> Any:
    if depth > DEPTH_LIMIT:
        raise cursor.error(f"tags are nested more than {DEPTH_LIMIT} levels deep")
    if cursor.sees("<"):
        return tag(cursor, depth + 1)
    if cursor.sees("["):
        return list(cursor.inside("[", "]", lambda: _value(cursor, depth + 1)))
    if not cursor.sees("{"):
        return _plain(cursor)
    if cursor.sees("{", "}") or (cursor.peek().kind in ("string", "word", "name") and cursor.peek(2).text == ":"):
        return dict(cursor.inside("{", "}", lambda: _entry(cursor, depth + 1)))
    cursor.need("{")
    found = _value(cursor, depth + 1)
    cursor.need("}")
    return found


def _entry(cursor: Cursor, depth: int) -> tuple[str, Any]:
    key = cursor.next().text
    cursor.need(":")
    return key, _value(cursor, depth)


def _plain(cursor: Cursor) -> Any:
    """A string, a number or one of the words that are values."""
    sign = -1 if cursor.take("-") else 1
    token = cursor.token
    if token.kind == "string" and sign == 1:
        return cursor.next().text
    if token.kind == "number" and not token.text.startswith("0x"):
        text = cursor.next().text
        return sign * (int(text) if text.isdigit() else float(text))
    if token.kind == "word" and token.text.lower() in WORDS and sign == 1:
        return WORDS[cursor.next().text.lower()]
    raise cursor.error("a value is expected: text, a number, true, false, null, a list or a tag")
