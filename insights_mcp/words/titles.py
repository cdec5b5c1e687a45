"""Where a name or a description says something else than the query: another window, pace or event."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from typing import Any

from insights_mcp.answer.pieces import dumps
from insights_mcp.schema.query import IN_ALL
from insights_mcp.text import counted
from insights_mcp.words import sql
from insights_mcp.words.terms import RELATIVE, UNITS, items, named, part, window

Query = dict[str, Any]

NUMBERS = {"two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "ten": 10, "twelve": 12, "fourteen": 14,
           "thirty": 30, "sixty": 60, "ninety": 90}  # fmt: skip
DAYS = {"second": 1 / 86_400, "minute": 1 / 1_440, "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": 30.44,
        "quarter": 91.3, "year": 365.25}  # fmt: skip
LAST = re.compile(
    rf"\b(?:last|past|trailing)\s+(?P<number>\d{{1,4}}|{'|'.join(NUMBERS)})\s*-?(?P<unit>hour|day|week|month|quarter|year|h|d|w)s?\b",
    re.IGNORECASE,
)
# At the end of a name: `Sign-ups (7d)`, `Sign-ups, 30 days`.
AT_END = re.compile(
    r"(?:[(\[]|[,:|–—]\s*|\s-\s*)(?P<number>\d{1,3})\s?-?(?P<unit>hour|day|week|month|year|h|d|w|y)s?\s*[)\]]?\s*$",
    re.IGNORECASE,
)
NOW = re.compile(r"\b(?:today|yesterday|this\s+(?P<unit>week|month|quarter|year))\b", re.IGNORECASE)
COMPARING = re.compile(r"\b(?:vs\.?|versus|against|than|compared|over|until|since)\b", re.IGNORECASE)
EDGE = re.compile(r"-?\d*(?P<unit>[dwmqy])Start")
OTHER_PERIOD = re.compile(r"\b(?:vs\.?|versus|against|than|from|since|to|with|and|or|until)\s+(?:the\s+)?$", re.I)
PACE = re.compile(
    r"\b(?:(?P<adverb>hourly|daily|weekly|monthly)|(?:per|each|every)\s+(?P<noun>hour|day|week|month)|(?P<short>[DWM]AU)s?)\b"
)
PACES = {"hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month", "DAU": "day", "WAU": "week",
         "MAU": "month"}  # fmt: skip
WIDER = {"weekly_active": "week", "monthly_active": "month"}
EVENT = re.compile(r"(?<![\w$./-])(?:\$[a-z][a-z_]+|[a-z][a-z0-9]*(?:_[a-z0-9]+)+)(?![\w./-])")
TOLERANCE = 0.1
WITH_WINDOW = ("TrendsQuery", "FunnelsQuery", "StickinessQuery", "LifecycleQuery", "PathsQuery")
WITH_PACE = ("TrendsQuery", "LifecycleQuery", "StickinessQuery")


def contradictions(query: Query, name: str, description: str, events: Container[str] = ()) -> Iterator[str]:
    """What the words promise and the query does not keep. `query` in the one form of its meaning.

    A description may speak of anything, so that of it only the window is looked at.
    """
    checks = (
        ("name", _of_window(query, name) or _of_end(query, name) or _of_now(query, name)),
        ("description", _of_window(query, description)),
        ("name", _of_pace(query, name)),
    )
    yield from (f"the {title} {found}" for title, found in checks if found)
    for word in strangers(query, name):
        if word.startswith("$") or word in events:
            yield f"the name speaks of {named(word)}, which the query does not use"


def strangers(query: Query, name: str) -> list[str]:
    """Words written as only events and properties are, that the query does not have."""
    held = dumps(query)
    return [word for word in dict.fromkeys(EVENT.findall(name)) if word not in held]


def _of_window(query: Query, text: str) -> str:
    said = {
        (number, unit, found[0])
        for found in LAST.finditer(text)
        if not OTHER_PERIOD.search(text[: found.start()])
        for number, unit in [_length(found)]
    }
    if len(said) != 1:
        return ""
    ((number, unit, words),) = said
    return _unlike(query, number * DAYS[unit], words)


def _of_end(query: Query, name: str) -> str:
    """A length alone, at the end; other lengths than the window's may be meant where there are any."""
    found = AT_END.search(name)
    rolling = any(entity.get("math") in WIDER for entity in items(query.get("series")) if isinstance(entity, dict))
    if found is None or rolling or part(query, "trendsFilter").get("smoothingIntervals"):
        return ""
    number, unit = _length(found)
    funnel = part(query, "funnelsFilter")
    wide, of = funnel.get("funnelWindowInterval", 14), str(funnel.get("funnelWindowIntervalUnit", "day"))
    if query.get("kind") == "FunnelsQuery" and (
        not isinstance(wide, int) or wide * DAYS.get(of, 0) == number * DAYS[unit]
    ):
        return ""
    return _unlike(query, number * DAYS[unit], found[0].strip(" ()[],:|–—-"))


def _of_now(query: Query, name: str) -> str:
    """Today, yesterday, this month: a window of another length, or cut to another unit."""
    found = NOW.search(name)
    if found is None or COMPARING.search(name) or len(NOW.findall(name)) > 1:
        return ""
    unit = (found["unit"] or "day").lower()
    edge = EDGE.fullmatch(str(part(query, "dateRange").get("date_from") or ""))
    if edge and query.get("kind") in WITH_WINDOW:
        kept = UNITS[edge["unit"]] == unit
        return "" if kept else f"says {named(found[0])}, the query covers {window(query['dateRange'])}"
    return _unlike(query, DAYS[unit], found[0])


def _unlike(query: Query, wanted: float, words: str) -> str:
    """What is said where the query covers another length of time; nothing where that is not known."""
    if query.get("kind") == "HogQLQuery":
        return _unlike_sql(str(query.get("query") or ""), wanted, words)
    if query.get("kind") not in WITH_WINDOW or not isinstance(query.get("dateRange"), dict):
        return ""
    length = days(query["dateRange"])
    if length is not None and abs(length - wanted) <= max(TOLERANCE * wanted, _slack(query["dateRange"])):
        return ""
    return f"says {named(words)}, the query covers {window(query['dateRange'])}"


def _unlike_sql(text: str, wanted: float, words: str) -> str:
    """SQL says how far back it looks only where there is one such length in it."""
    lengths = sql.lengths(text)
    if len(lengths) != 1:
        return ""
    ((number, unit),) = lengths
    length = number * DAYS[unit]
    return (
        ""
        if abs(length - wanted) <= max(TOLERANCE * wanted, 1.0 if wanted > 1 else 0.0)
        else (f"says {named(words)}, the SQL looks back {counted(number, unit)}")
    )


def _length(found: re.Match[str]) -> tuple[int, str]:
    given, unit = found["number"].lower(), found["unit"].lower()
    return NUMBERS.get(given) or int(given), UNITS.get(unit, unit)


def _slack(given: Query) -> float:
    """Days by which an end before today may shorten the window that is meant."""
    return 1.0 if given.get("date_to") else 0.0


def days(given: Any) -> float | None:
    """How many days a window reaches back; None where it starts or ends at a date, or is cut to the calendar."""
    given = given if isinstance(given, dict) else {}
    start, end = (RELATIVE.fullmatch(str(given.get(name) or "")) for name in ("date_from", "date_to"))
    if start is None or not start["number"] or start["edge"] or (given.get("date_to") and (not end or end["edge"])):
        return None
    return _back(start) - (_back(end) if end else 0.0)


def _back(found: re.Match[str]) -> float:
    return int(found["number"] or 0) * DAYS[UNITS[found["unit"]]]


def _of_pace(query: Query, text: str) -> str:
    held = dumps(query).lower()
    said = {(_pace(found), found[0]) for found in PACE.finditer(_lowered(text)) if found[0].lower() not in held}
    kept = _paces(query)
    if not kept or len({pace for pace, _ in said}) != 1:
        return ""
    pace, words = min(said)
    return "" if pace in kept else f"says {named(words)}, the query counts per {' and '.join(sorted(kept))}"


def _lowered(text: str) -> str:
    """In lower case, but for DAU, WAU and MAU."""
    return re.sub(r"\b(?![DWM]AUs?\b)\w+", lambda found: found[0].lower(), text)


def _pace(found: re.Match[str]) -> str:
    return found["noun"] or PACES[found["adverb"] or found["short"]]


def _paces(query: Query) -> set[str]:
    """The paces that a name may speak of; none where it is not known what pace there is."""
    if query.get("kind") == "RetentionQuery":
        return {str(part(query, "retentionFilter").get("period") or "Day").lower()}
    if query.get("kind") not in WITH_PACE or part(query, "trendsFilter").get("display") in IN_ALL:
        return set()
    wider = {
        WIDER.get(str(entity.get("math")), "") for entity in items(query.get("series")) if isinstance(entity, dict)
    }
    return {str(query.get("interval") or "day")} | (wider - {""})
