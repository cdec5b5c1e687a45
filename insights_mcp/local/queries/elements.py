"""What was clicked: `elements_chain`, the clicked element and those around it, as autocapture writes them.

Elements are separated by `;`, the innermost first; each is `tag.class.class:attribute="value"…`.
"""

from __future__ import annotations

import re
from typing import Any

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.sql import Scan

# What an attribute's value is made of: quotes in it are escaped.
ATTRIBUTE = r'(?:^|[:"]){name}="((?:[^"\\]|\\.)*)"'
TAG = r"(?:^|;)([a-zA-Z][a-zA-Z0-9-]*)(?:\.|$|;|:)"
KEYS = ("text", "href", "tag_name")
PLAIN = ("href", "text", "nth-child", "nth-of-type")
PART = re.compile(
    r"""(?P<tag>\*|[a-zA-Z][\w-]*)?(?P<rest>(?:[.#](?:[\w-]|\\.)+|\[[^\]]+\]|:nth-child\(\d+\)|:nth-of-type\(\d+\))*)"""
)
PIECE = re.compile(r"\.(?P<klass>(?:[^\s.#\[:\\]|\\.)+)|\#(?P<id>(?:[^\s.#\[:\\]|\\.)+)|\[(?P<attribute>[^\]]+)\]"
                   r"|:(?P<nth>nth-child|nth-of-type)\((?P<number>\d+)\)")  # fmt: skip

# A chain's elements; the tag and classes of one, and its attributes; the pairs of these.
ELEMENT = re.compile(r'(?:[^\s;"]|"(?:[^"\\]|\\.)*")+')
HEAD = re.compile(r"(?P<head>.*?)(?::(?=[\w-]*=)(?P<rest>.*))?", re.DOTALL)
GIVEN = re.compile(r'([^="]*)="((?:[^"\\]|\\.)*)"')


def texts(key: str, scan: Scan) -> str:
    """SQL: the list of the texts, links or tag names in the chain."""
    if key not in KEYS:
        raise QueryError(f"'{key}' is no property of elements. Use {', '.join(KEYS)} or selector.", attr="properties")
    pattern = TAG if key == "tag_name" else ATTRIBUTE.format(name=key)
    return f"regexp_extract_all(coalesce({scan.events}.elements_chain, ''), {scan.bind(pattern)}, 1)"


def link(scan: Scan) -> str:
    """SQL: the innermost link in the chain, or NULL."""
    pattern = scan.bind(ATTRIBUTE.format(name="href"))
    return f"nullif(regexp_extract({scan.events}.elements_chain, {pattern}, 1), '')"


def shown(chain: str) -> list[dict[str, Any]]:
    """The elements of a chain, each as PostHog writes it out."""
    return [{**_written_out(text), "order": order} for order, text in enumerate(ELEMENT.findall(chain))]


def _written_out(text: str) -> dict[str, Any]:
    found = HEAD.fullmatch(text)
    assert found  # the pattern takes any text
    given = dict(GIVEN.findall(found["rest"] or ""))
    tag, *classes = found["head"].split(".")
    numbers = {name: given.pop(name.replace("_", "-"), "") for name in ("nth_child", "nth_of_type")}
    return {
        "text": given.pop("text", None),
        "tag_name": tag or None,
        "attr_class": [name for name in classes if name] if classes else None,
        "href": given.pop("href", None),
        "attr_id": given.pop("attr_id", None),
        **{name: int(number) if number.isdecimal() else None for name, number in numbers.items()},
        "attributes": given,
    }


def selected(selector: str, scan: Scan) -> str:
    """SQL that holds where an element of the chain is the one that a CSS selector means."""
    pattern = scan.bind(pattern_of(selector))
    return f"regexp_matches(coalesce({scan.events}.elements_chain, ''), {pattern})"


def pattern_of(selector: str) -> str:
    """A CSS selector as a pattern of chains. The chain runs from the inside out, so the selector's parts turn round."""
    words = re.sub(r"\s*>\s*", " > ", selector.strip()).split()
    if not words or words[0] == ">" or words[-1] == ">":
        raise QueryError(f"'{selector}' is no selector.", attr="properties")
    pattern, direct = "", False
    for word in reversed(words):
        if word == ">":
            direct = True
            continue
        pattern += (";" if direct else "(?:;.*?)?;" if pattern else "") + _element(word, selector)
        direct = False
    return "(?:^|;)" + pattern + "(?:;|$)"


def _element(word: str, selector: str) -> str:
    match = PART.fullmatch(word)
    if not match:
        raise QueryError(f"'{word}' in the selector '{selector}' is not understood.", attr="properties")
    tag = re.escape(match["tag"]) if match["tag"] not in (None, "*") else "[a-zA-Z][a-zA-Z0-9-]*"
    classes, attributes = [], {}
    for piece in PIECE.finditer(match["rest"]):
        if piece["klass"]:
            classes.append(piece["klass"].replace("\\", ""))
        else:
            name, value = _attribute(piece)
            attributes[name] = value
    listed = "".join(rf"(?:\.[^;:.]+)*?\.{re.escape(name)}" for name in sorted(classes))
    # The attributes of an element stand in the order of their names.
    wanted = "".join(_pair(name, attributes[name]) for name in sorted(attributes))
    return tag + listed + r"(?:\.[^;:]*)?" + (":" + wanted if wanted else "") + r'(?:[^;"]|"(?:[^"\\]|\\.)*")*'


def _pair(name: str, value: str | None) -> str:
    content = r'(?:[^"\\]|\\.)*' if value is None else re.escape(value.replace('"', r"\""))
    return rf'(?:[^;"]|"(?:[^"\\]|\\.)*")*?{re.escape(name)}="{content}"'


def _attribute(piece: re.Match[str]) -> tuple[str, str | None]:
    if piece["nth"]:
        return piece["nth"], piece["number"]
    if piece["id"]:
        return "attr_id", piece["id"].replace("\\", "")
    name, _, value = piece["attribute"].partition("=")
    kept = name.strip() if name.strip() in PLAIN else f"attr__{name.strip()}"
    return "attr_id" if kept == "attr__id" else kept, value.strip().strip("\"'") if value else None
