"""Reading a reply as the type its endpoint declares, once; and saying what is wrong with one that cannot be read."""

from __future__ import annotations

import json
import re
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import from_json

from insights_mcp.endpoint import Endpoint, reply_adapter, reply_type
from insights_mcp.errors import BadReply
from insights_mcp.text import clean

Reply = TypeVar("Reply")

HALF_CHARACTER = re.compile(rb"\\u[dD][89a-fA-F]")


def read(endpoint: type[Endpoint[Reply]], content: bytes, host: str) -> Reply:
    """The reply of `endpoint`. BadReply when it is no JSON, is cut off, or has a shape no version has."""
    if reply_type(endpoint) is type(None):
        content = content if _is_page(content) else b"null"
    try:
        return cast(Reply, _validated(reply_adapter(endpoint), content))
    except ValidationError as error:
        if (mended := _mended(content)) == content:
            raise _unreadable(endpoint, content, error, host) from None
    return read(endpoint, mended, host)


def _validated(adapter: TypeAdapter[Any], content: bytes) -> Any:
    """Parsed, then validated: keys repeat in every row of a result, and are kept once this way."""
    try:
        parsed = from_json(content, cache_strings="keys")
    except ValueError:
        return adapter.validate_json(content)  # says what is wrong with it
    return adapter.validate_python(parsed)


def _unreadable(endpoint: type[Endpoint[Any]], content: bytes, error: ValidationError, host: str) -> BadReply:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    if _is_page(content):
        problem = "is a web page, not JSON"
    elif first["type"] == "json_invalid":
        problem = "is empty" if not content.strip() else "is no JSON, or was cut off"
    else:
        problem = f"has an unknown shape at {clean(where, 80) or 'its root'}: {first['msg']}"
    return BadReply(
        f"The reply of {host} to {endpoint.__name__} {problem}.",
        "Check that POSTHOG_HOST is PostHog itself and no proxy or login page; then try again.",
    )


def _is_page(content: bytes) -> bool:
    return content.lstrip()[:1] == b"<"


def _mended(content: bytes) -> bytes:
    """The reply without the halves of characters in it, which JSON allows and text does not; else the reply."""
    try:
        halved = HALF_CHARACTER.search(content)
        return json.dumps(json.loads(content), ensure_ascii=False).encode("utf-8", "replace") if halved else content
    except (ValueError, RecursionError):
        return content
