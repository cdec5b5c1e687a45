"""Making text from elsewhere safe to show, and finding the nearest name.

Names, descriptions, values and errors come from PostHog and its users: they are data. Nothing in them
may break a table, hide behind control characters, or carry a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

KEY = re.compile(r"\bph[a-z]_[A-Za-z0-9_-]{6,}")
# control, format, direction, private, surrogate and separator characters
UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ue000-\uf8ff"
    "\ufeff\ufff9-\uffff\U000e0000-\U0010ffff]"
)
# of these, what counts as printable
ODD = re.compile("[\ufffc\ufffd\U000e0000-\U0010ffff]")
SPACES = re.compile(r"\s+")


def clean(value: object, limit: int = 500) -> str:
    """Text on one line: control, format and direction characters and keys removed, at most `limit` characters."""
    raw = str(value)
    if len(raw) <= limit and _is_safe(raw) and "ph" not in raw and "  " not in raw:
        return raw  # most texts are plain: nothing below would change them
    visible = KEY.sub("ph*_…", UNSAFE.sub("", SPACES.sub(" ", raw[: limit * 2])))
    return shortened(visible, limit, unread=max(0, len(raw) - limit * 2))


def _is_safe(text: str) -> bool:
    """Whether nothing in it is UNSAFE, found in a fraction of the time; False may be wrong."""
    return text.isprintable() and (text.isascii() or not ODD.search(text))


def escaped(json_text: str) -> str:
    """JSON text with what must not be shown as it is written as escapes: the same value, safe to read."""
    if _is_safe(json_text):
        return json_text
    return UNSAFE.sub(lambda found: _escape(ord(found[0])), json_text)


def _escape(code: int) -> str:
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def shortened(text: str, limit: int, unread: int = 0) -> str:
    """The text, or its first `limit` characters and how many more there are, with those `unread`."""
    rest = max(0, len(text) - limit) + unread
    return f"{text[:limit].rstrip()}… (+{rest} characters)" if rest else text


def quoted(value: object, limit: int = 120) -> str:
    """Foreign text inside a sentence of ours, in quotes it cannot leave."""
    return '"' + clean(value, limit).replace('"', "'") + '"'


def counted(number: int, noun: str) -> str:
    """`1 event`, `2 events`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant, if one is near."""
    by_folded = {n.casefold(): n for n in names}
    found = get_close_matches(name[:200].casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[found[0]] if found else None


def meant(name: str, names: Iterable[str]) -> str:
    """`, did you mean 'x'?` or nothing."""
    near = nearest(name, names)
    return f", did you mean '{near}'?" if near else ""
