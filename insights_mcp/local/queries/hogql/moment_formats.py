"""formatDateTime's codes, which are MySQL's, as SQL over a wall-clock time; and formats to read times by."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# What strftime calls the same.
STRFTIME = {
    **{code: f"%{code}" for code in "abdfGHIjmpSuVwyY"},
    "c": "%m", "D": "%m/%d/%y", "F": "%Y-%m-%d",
    "e": "%-d", "h": "%I", "k": "%H", "l": "%I", "i": "%M", "M": "%B", "r": "%I:%M %p", "R": "%H:%M",
    "s": "%S", "T": "%H:%M:%S", "W": "%A", "z": "+0000", "n": "\n", "t": "\t", "%": "%%",
}  # fmt: skip
# What it has no code for.
PARTS = {
    "C": "lpad((year({t}) // 100)::varchar, 2, '0')",
    "g": "lpad((isoyear({t}) % 100)::varchar, 2, '0')",
    "Q": "quarter({t})::varchar",
}
CODE = re.compile(r"%(.)", re.DOTALL)
WRITTEN = ("%Y/%m/%d", "%Y/%m/%d %H:%M:%S", "%Y%m%d", "%Y%m%d%H%M%S", "%b %d %Y", "%b %d %Y %H:%M", "%d %b %Y",
           "%b %d, %Y", "%B %d, %Y", "%d %B %Y", "%a, %d %b %Y %H:%M:%S", "%Y-%m-%d %H", "%d/%m/%Y",
           "%a, %d %b %Y %H:%M:%S%z", "%d/%m/%Y %I:%M %p", "%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m", "%Y")  # fmt: skip


def formatted(time: str, form: str) -> str | None:
    """SQL: a time by MySQL's codes; None when there is one that is not known."""
    if any(code not in STRFTIME and code not in PARTS for code in CODE.findall(form)):
        return None
    parts = [_run(time, piece) for piece in _pieces(form)]
    return " || ".join(parts) or "''"


def _pieces(form: str) -> list[str]:
    """The format, cut where a part stands for itself; `%%` is no such place."""
    return [piece for piece in re.split(r"((?<!%)(?:%%)*%[CgQ])", form) if piece]


def _run(time: str, piece: str) -> str:
    if piece[0] == "%" and piece[1:] in PARTS:
        return PARTS[piece[1:]].format(t=time)
    text = CODE.sub(lambda match: STRFTIME[match[1]], piece).replace("'", "''")
    return f"strftime({time}, '{text}')"


def readable(form: str) -> str | None:
    """strptime's format for MySQL's."""
    codes = {**STRFTIME, "e": "%d", "k": "%H", "l": "%I"}
    if any(code not in codes for code in CODE.findall(form)):
        return None
    return CODE.sub(lambda match: codes[match[1]], form)


def read(text: str) -> datetime | None:
    """A time as people write it; numbers are seconds since 1970, in UTC, which `tzinfo` says."""
    text = re.sub(" (UTC|GMT)$", "+00:00", text.strip())
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    if re.fullmatch(r"\d{9,10}(\.\d+)?", text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(text))
    for form in WRITTEN:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None
