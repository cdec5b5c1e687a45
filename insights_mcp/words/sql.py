"""What SQL gives away by its text: how far back it looks, and whether it adds up unique users."""

from __future__ import annotations

import re
from collections.abc import Iterator

UNIT = r"(?P<unit>second|minute|hour|day|week|month|quarter|year)s?"
NUMBER = r"(?P<number>\d{1,5})"
NOW = r"(?:now|today|current_date|current_timestamp)\s*(?:\(\s*\))?"
BACK = tuple(
    re.compile(form, re.IGNORECASE)
    for form in (
        rf"-\s*interval\s+'?{NUMBER}'?\s+'?{UNIT}\b",
        rf"-\s*tointerval{UNIT}\s*\(\s*{NUMBER}\s*\)",
        rf"\bsubtract{UNIT}\s*\(\s*{NOW}\s*,\s*{NUMBER}\s*\)",
        rf"\bdate_?sub\s*\(\s*'?{UNIT}'?\s*,\s*{NUMBER}\s*,\s*{NOW}",
        rf"\bdate_?sub\s*\(\s*{NOW}\s*,\s*interval\s+{NUMBER}\s+{UNIT}",
        rf"\btoday\s*\(\s*\)\s*-\s*{NUMBER}(?P<unit>)\b(?!\s*[*/])",
    )
)
ASIDE = re.compile(r"--|/\*")
PEOPLE = r"(?:person_id|person\.id|distinct_id|events\.person_id|e\.person_id)"
UNIQUE = re.compile(
    rf"\b(?:count\s*\(\s*distinct\s+{PEOPLE}\s*\)|uniq(?:exact|combined|hll12)?\s*\(\s*{PEOPLE}\s*\))\s+(?:as\s+)?(?!from\b)(?P<name>\w+)",
    re.IGNORECASE,
)


def lengths(text: str) -> set[tuple[int, str]]:
    """How far back from now the text looks: number and unit, each once."""
    plain = _said(text)
    return {(int(found["number"]), (found["unit"] or "day").lower()) for form in BACK for found in form.finditer(plain)}


def sums_of_people(text: str) -> Iterator[str]:
    """Names of what counts people once, of which the sum is taken."""
    plain = _said(text)
    for name in dict.fromkeys(found["name"] for found in UNIQUE.finditer(plain)):
        if re.search(rf"\bsum\s*\(\s*(?:\w+\.)?{name}\s*\)", plain, re.IGNORECASE):
            yield name


def _said(text: str) -> str:
    """The text without its comments."""
    kept, place = [], 0
    while (aside := ASIDE.search(text, place)) is not None:
        kept.append(text[place : aside.start()])
        end = "\n" if aside[0] == "--" else "*/"
        place = text.find(end, aside.end()) + len(end)
        if place < len(end):  # to the end of the text
            return " ".join(kept)
    return " ".join([*kept, text[place:]])
