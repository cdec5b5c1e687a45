"""Filters on what was clicked, as SQL over `elements_chain`: `tag.class:attribute="value"…;` innermost first."""

from __future__ import annotations

import re
from typing import Any

from insights_mcp.diagnosis import hogql

CHAIN = "elements_chain"
ATTRIBUTES = ("text", "href")
ANY = r'(?:[^"\\]|\\.)*'  # in a value; quotes in it are escaped
TAG = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
SIMPLE = re.compile(r"(?P<tag>[a-zA-Z][a-zA-Z0-9-]*)?(?P<classes>(?:\.[\w-]+)*)")
CONTRARY = {"is_not": "exact", "not_icontains": "icontains", "not_regex": "regex", "is_not_set": "is_set"}
NAMED = r"(?:^|;)([a-zA-Z][a-zA-Z0-9-]*)(?:\.|$|;|:)"


def holds(key: str, operator: str, values: tuple[Any, ...]) -> str | None:
    """SQL that holds where the filter is met; None for what cannot be said so, such as a selector of several parts."""
    plain = CONTRARY.get(operator, operator)
    patterns = [_pattern(key, plain, hogql.words(value)) for value in values]
    known = [pattern for pattern in patterns if pattern]
    if not known or len(known) < len(patterns):
        return None
    any_of = " or ".join(f"match({CHAIN}, {hogql.text(pattern)})" for pattern in known)
    return f"not ifNull({any_of}, false)" if operator in CONTRARY else any_of


def field(key: str) -> str | None:
    """SQL for the innermost text, link or tag name there is; null without one."""
    if key in ATTRIBUTES:
        return _first(f'(?:^|[:"]){key}="({ANY})"')
    return _first(NAMED) if key == "tag_name" else None


def _first(pattern: str) -> str:
    return f"nullIf(extract({CHAIN}, {hogql.text(pattern)}), '')"


def _pattern(key: str, operator: str, value: str) -> str:
    if key in ATTRIBUTES:
        return _attribute(key, operator, value)
    if key == "tag_name":
        return rf"(?:^|;){value}(?:\.|$|;|:)" if operator == "exact" and TAG.fullmatch(value) else ""
    return _selector(value) if key == "selector" and operator == "exact" else ""


def _attribute(key: str, operator: str, value: str) -> str:
    escaped = re.escape(value.replace('"', r"\""))
    inner = {"exact": escaped, "icontains": f"{ANY}{escaped}{ANY}", "regex": value, "is_set": f'{ANY}[^"]'}
    case = "(?i)" if operator == "icontains" else ""
    return f'{case}(?:^|[:"]){key}="{inner[operator]}"' if operator in inner else ""


def _selector(value: str) -> str:
    """Of one element, by its tag and its classes: in the chain those are sorted."""
    found = SIMPLE.fullmatch(value.strip())
    if found is None or not found[0]:
        return ""
    classes = sorted(filter(None, found["classes"].split(".")))
    between = r"(?:\.[^:;.]+)*"
    named = "".join(f"{between}{re.escape(f'.{name}')}" for name in classes)
    return rf"(?:^|;){found['tag'] or '[^:;.]+'}{named}(?:\.|$|;|:)"
