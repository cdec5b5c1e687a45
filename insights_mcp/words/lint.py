"""What is doubtful about an insight: only what is sure, each in one sentence, with numbers where there are any."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from insights_mcp.answer.asked import Asked, local
from insights_mcp.answer.numbers import number, percent
from insights_mcp.schema.query import IN_ALL
from insights_mcp.text import clean, counted
from insights_mcp.words.meaning import meaning
from insights_mcp.words.outcomes import CUMULATIVE, revealed
from insights_mcp.words.sql import lengths, sums_of_people
from insights_mcp.words.terms import RELATIVE, counting, items, letter, named, part, window
from insights_mcp.words.titles import DAYS, contradictions, days

Query = dict[str, Any]
UNIQUE = ("dau", "weekly_active", "monthly_active", "unique_session", "unique_group")
RUNNING = ("weekly_active", "monthly_active")
SUM = re.compile(r"(?<![\w.*/])([A-Z])\s*\+\s*([A-Z])(?![\w.*/])")
DAILY = re.compile(r"\b(?:daily active|active (?:users )?per day|daily users|DAUs?)\b")
LONGEST = 300
SILENT = 7  # days without an event that are worth a word
SHARE = 0.25  # of the window, likewise
NEVER: Mapping[str, datetime] = {}
HOUR = 1 / 24


def lint(
    query: Any,
    *,
    name: str = "",
    description: str = "",
    result: Any = None,
    asked: Asked | None = None,
    test_account_filters: int = 0,
    events: Container[str] = (),
    last_seen: Mapping[str, datetime] = NEVER,
) -> list[str]:
    """The findings, gravest first; none is the rule. `test_account_filters`: how many the project has.

    `events`: names known to be events, of the words that the name has and the query does not.
    `last_seen`: when those that the query counts came last.
    """
    found, asked = meaning(query), asked or Asked()
    told = [
        *contradictions(found, name, description, events),
        *(line for check in CHECKS for line in check(found)),
        *_per_day(found, f"{name} {description}"),
        *_test_accounts(found, test_account_filters),
        *_longer_than_range(found, asked),
        *revealed(found, result, asked),
    ]
    return _sentences([*told, *_ended(found, last_seen, asked.at, " ".join(told))])


def contradicted(query: Any, name: str, description: str) -> list[str]:
    """Only what the words promise and the query does not keep."""
    return _sentences(contradictions(meaning(query), name, description))


def _sentences(told: Iterable[str]) -> list[str]:
    return [clean(line[:1].upper() + line[1:] + ".", LONGEST) for line in told]


def _series(query: Query) -> list[Query]:
    return [entity for entity in items(query.get("series")) if isinstance(entity, dict)]


def _nothing_named(query: Query) -> Iterator[str]:
    """Nothing, or every event there is, counted: seldom meant. Of users, it is those active at all."""
    if query.get("kind") not in ("TrendsQuery", "FunnelsQuery"):
        return
    if not items(query.get("series")):
        yield "the query has no series, so nothing is counted"
    for at, entity in enumerate(_series(query)):
        any_event = entity.get("kind") == "EventsNode" and not entity.get("event") and not entity.get("properties")
        if any_event and (query["kind"] == "FunnelsQuery" or counting(entity) == "count"):
            what = f"step {at + 1}" if query["kind"] == "FunnelsQuery" else f"series {letter(at)}"
            yield f"{what} names no event, so every event counts"


def _sums(query: Query) -> Iterator[str]:
    """Unique users that are added up."""
    drawn, series = part(query, "trendsFilter"), _series(query)
    unique = {letter(at): counting(entity) for at, entity in enumerate(series) if entity.get("math") in UNIQUE}
    for formula in items(drawn.get("formulas")):
        text = str(formula.get("formula") if isinstance(formula, dict) else formula)
        added = {pair for found in SUM.finditer(text) if (pair := found.groups())[0] != pair[1]}
        for one, other in sorted(added):
            if one in unique and other in unique:
                yield f"the formula adds {unique[one]} of {one} and {other}: whoever is in both counts twice"
    running = next((counting(entity) for entity in series if entity.get("math") in RUNNING), "")
    if drawn.get("display") == CUMULATIVE and running:
        yield f"the cumulative line adds up {running} of every {query.get('interval') or 'day'}: the same people again"


def _sums_in_sql(query: Query) -> Iterator[str]:
    if query.get("kind") == "HogQLQuery":
        for name in sums_of_people(str(query.get("query") or "")):
            yield f"the SQL sums {named(name)}, which counts people once each time: whoever comes again counts twice"


def _sampled(query: Query) -> Iterator[str]:
    share = number(query.get("samplingFactor"))
    if share is not None and 0 < share < 1:
        yield f"the numbers are estimated from a sample of {percent(share, 1)}"


CHECKS: tuple[Callable[[Query], Iterator[str]], ...] = (_nothing_named, _sums, _sums_in_sql, _sampled)


def _per_day(query: Query, text: str) -> Iterator[str]:
    """One number for the whole window is not the number of a day."""
    in_all = part(query, "trendsFilter").get("display") in IN_ALL
    if in_all and DAILY.search(text) and any(entity.get("math") == "dau" for entity in _series(query)):
        yield f"the number is the unique users of the whole window ({window(query.get('dateRange'))}), not of a day"


def _test_accounts(query: Query, filters: int) -> Iterator[str]:
    if filters and query.get("kind") in FILTERED and query.get("filterTestAccounts") is not True:
        has = counted(filters, "filter")
        yield f"test accounts count: the project has {has} against them, filterTestAccounts=true uses them"


FILTERED = ("TrendsQuery", "FunnelsQuery", "RetentionQuery", "StickinessQuery", "LifecycleQuery", "PathsQuery")


def _longer_than_range(query: Query, asked: Asked) -> Iterator[str]:
    """A funnel may take longer than the window lasts; retention may ask for periods that are not over."""
    given, covered = query.get("dateRange"), _covered(query, asked)
    if query.get("kind") == "FunnelsQuery" and covered is not None:
        funnel = part(query, "funnelsFilter")
        wide, unit = funnel.get("funnelWindowInterval", 14), str(funnel.get("funnelWindowIntervalUnit", "day"))
        if type(wide) is int and wide * DAYS.get(unit, 0) > covered + HOUR:
            yield (
                f"the conversion window ({counted(wide, unit)}) is longer than the range ({window(given)}): "
                "what happens after the range does not count, so late starters have less time"
            )


def _ended(query: Query, last_seen: Mapping[str, datetime], now: datetime | None, told: str) -> Iterator[str]:
    """Events that do not come any more, where the window goes on."""
    given = query.get("dateRange")
    bounded = isinstance(given, dict) and given.get("date_to") and not RELATIVE.fullmatch(str(given["date_to"]))
    if now is None or bounded or (query.get("kind") == "HogQLQuery" and not lengths(str(query.get("query") or ""))):
        return
    pace = max(DAYS.get(str(query.get("interval")), 0), DAYS[_period(query)])
    long = max(SILENT, 3 * pace, SHARE * (days(given) or 0))
    for name, seen in last_seen.items():
        silent = (now - seen).days
        if silent > long and f"{named(name)} stopped" not in told:
            yield f"{named(name)} has stopped or is rare: last seen {seen:%Y-%m-%d}, {silent} days ago"


def _period(query: Query) -> str:
    period = str(part(query, "retentionFilter").get("period") or "").lower()
    return period if period in DAYS else "second"


def _covered(query: Query, asked: Asked) -> float | None:
    """How many days the range has: as resolved, else as far as the query says it."""
    ends = local(asked.date_from, asked.zone), local(asked.date_to, asked.zone)
    if ends[0] and ends[1]:
        return (ends[1] - ends[0]).total_seconds() / 86_400
    return days(query.get("dateRange"))
