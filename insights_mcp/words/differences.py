"""How any two JSON values differ, part by part: `path: before → after`, each in one short line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from itertools import chain
from typing import Any

from insights_mcp.text import clean
from insights_mcp.words.meaning import Path, gone_and_new, same
from insights_mcp.words.terms import DISPLAYS, SHORT, UNITS, shown

MINUS = "−"
ARROW = " → "
FRAGMENT = 50
MOST = 4
MOST_WORDS = 400
SHORT_OF = {UNITS[unit]: SHORT[unit] for unit in UNITS}

LABELS: dict[Path, str] = {
    ("interval",): "interval",
    ("filterTestAccounts",): "test accounts",
    ("samplingFactor",): "sampling",
    ("aggregation_group_type_index",): "counted by group type",
    ("trendsFilter", "display"): "display",
    ("trendsFilter", "smoothingIntervals"): "smoothing over intervals",
    ("breakdownFilter", "breakdown_limit"): "breakdown limit",
    ("breakdownFilter", "breakdown_hide_other_aggregation"): "the other breakdown values hidden",
    ("compareFilter", "compare"): "comparison with the period before",
    ("compareFilter", "compare_to"): "compared with",
    ("funnelsFilter", "funnelOrderType"): "step order",
    ("funnelsFilter", "funnelVizType"): "shown as",
    ("funnelsFilter", "breakdownAttributionType"): "breakdown attribution",
    ("funnelsFilter", "funnelAggregateByHogQL"): "counted by SQL",
    ("retentionFilter", "period"): "period",
    ("retentionFilter", "totalIntervals"): "periods",
    ("retentionFilter", "retentionType"): "cohorts",
    ("retentionFilter", "minimumOccurrences"): "least occurrences",
    ("retentionFilter", "cumulative"): "cumulative",
    ("stickinessFilter", "computedAs"): "computed",
    ("pathsFilter", "startPoint"): "start point",
    ("pathsFilter", "endPoint"): "end point",
    ("pathsFilter", "stepLimit"): "steps at most",
    ("pathsFilter", "edgeLimit"): "edges at most",
    ("query",): "SQL",
    ("drawn", "display"): "display",
}
WORDS: dict[Path, dict[str, str]] = {
    ("trendsFilter", "display"): DISPLAYS,
    ("drawn", "display"): DISPLAYS,
    ("retentionFilter", "retentionType"): {
        "retention_recurring": "every time",
        "retention_first_time": "first time in the window",
        "retention_first_ever_occurrence": "first time ever",
    },
}
# What a missing part means, where it was left out because it goes without saying.
ABSENT: dict[Path, str] = {
    ("interval",): "day",
    ("samplingFactor",): "none",
    ("trendsFilter", "display"): "line chart",
    ("trendsFilter", "smoothingIntervals"): "1",
    ("funnelsFilter", "funnelOrderType"): "ordered",
    ("funnelsFilter", "funnelVizType"): "steps",
    ("funnelsFilter", "breakdownAttributionType"): "first_touch",
    ("retentionFilter", "period"): "Day",
    ("retentionFilter", "retentionType"): "every time",
    ("stickinessFilter", "computedAs"): "non_cumulative",
    ("pathsFilter", "stepLimit"): "5",
    ("pathsFilter", "edgeLimit"): "50",
}


def differences(before: Any, after: Any, path: Path = (), called: str = "") -> Iterator[str]:
    """A line for each part that differs; none for what is the same. None is what is not there."""
    if same(before, after):
        return
    if isinstance(before, dict | None) and isinstance(after, dict | None) and (before or after):
        yield from _of_objects(before or {}, after or {}, path, called)
    elif isinstance(before, list | None) and isinstance(after, list | None) and (before or after):
        yield from _of_lists(before or [], after or [], path, called)
    else:
        yield _line(before, after, path, called)


def _of_objects(before: dict[str, Any], after: dict[str, Any], path: Path, called: str) -> Iterator[str]:
    found = False
    for key in dict.fromkeys(chain(before, after)):
        below = f"{called}{' ' if ' ' in called else '.'}{_key(key)}" if called else _key(key)
        for line in differences(before.get(key), after.get(key), (*path, str(key)), below):
            found = True
            yield line
    if not found:  # null is not the same as nothing, to those who ask exactly
        yield _line(before, after, path, called)


def _of_lists(before: list[Any], after: list[Any], path: Path, called: str) -> Iterator[str]:
    if len(before) == len(after) and any(isinstance(item, dict | list) for item in before):
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, (*path, str(place)), f"{called}[{place}]")
        return
    gone, new = gone_and_new(before, after)
    yield from (
        f"{_label(path, called)} {sign} {several(items)}" for sign, items in ((MINUS, gone), ("+", new)) if items
    )
    if not gone and not new:
        yield f"{_label(path, called)}: in another order"


def _line(before: Any, after: Any, path: Path, called: str) -> str:
    label = _label(path, called)
    if path == ("filterTestAccounts",) and isinstance(after, bool | None):
        return f"test accounts now {'out' if after else 'in'}"
    if isinstance(before, str) and isinstance(after, str) and path not in WORDS:
        return turned(label, *told_apart(before, after))
    if isinstance(before, bool | None) and isinstance(after, bool | None):
        return f"{label} {'on' if after else 'off'}"
    old, new = (_told(value, path) for value in (before, after))
    if not old or not new:
        return f"{label} {'+' if new else MINUS} {new or old}"
    return turned(label, old, new if old != new else f"another {new}")


def turned(label: str, before: str, after: str) -> str:
    """`label before → after`, with a colon where the label is more than a word."""
    return f"{label}{':' if ' ' in label or '.' in label else ''} {before}{ARROW}{after}"


def _told(value: Any, path: Path) -> str:
    if value is None:
        return ABSENT.get(path, "")
    known = WORDS.get(path, {}).get(value) if isinstance(value, str) else None
    return known or shown(value)


def several(values: list[Any]) -> str:
    """Values in a line: the first ones, and how many more."""
    rest = f" and {len(values) - MOST:,} more" if len(values) > MOST else ""
    return ", ".join(map(shown, values[:MOST])) + rest


def told_apart(before: str, after: str) -> tuple[str, str]:
    """Two texts, shown whole if they are short, else from a little before where they begin to differ."""
    if max(len(before), len(after)) <= FRAGMENT and clean(before) != clean(after):
        return shown(before, FRAGMENT), shown(after, FRAGMENT)
    start = max(0, _shared(before, after) - 10)
    old, new = (("…" if start else "") + clean(text[start : start + FRAGMENT], FRAGMENT) for text in (before, after))
    return in_quotes(old), in_quotes(new) if old != new else "another text"


def of_sql(before: str, after: str) -> list[str]:
    """What differs in two texts of SQL, word by word, each with the word before it."""
    old, new = before.split(), after.split()
    start = _shared(old, new)
    end = _shared(old[start:][::-1], new[start:][::-1])
    middles = old[start : len(old) - end], new[start : len(new) - end]
    if not any(middles):
        return ["SQL: only spaces and line breaks differ"]
    if max(map(len, middles)) > MOST_WORDS:
        return [turned("SQL", *told_apart(" ".join(middles[0]), " ".join(middles[1])))]
    found = SequenceMatcher(None, *middles, autojunk=False).get_opcodes()
    places = [(a + start, b + start, c + start, d + start) for tag, a, b, c, d in found if tag != "equal"]
    lines = [_replaced(old[max(a - 1, 0) : b], new[max(c - 1, 0) : d]) for a, b, c, d in places]
    return lines[:MOST] + ([f"SQL: {len(lines) - MOST} more places"] if len(lines) > MOST else [])


def _replaced(before: list[str], after: list[str]) -> str:
    old, new = (clean(" ".join(words), FRAGMENT) or "nothing" for words in (before, after))
    if old == new:
        old, new = told_apart(" ".join(before), " ".join(after))
        return turned("SQL", old, new)
    return turned("SQL", in_quotes(old), in_quotes(new))


def in_quotes(text: str) -> str:
    """Text in quotes it cannot leave."""
    return '"' + text.replace('"', "'") + '"'


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many characters or words both begin with."""
    least = min(len(one), len(other))
    return next((place for place in range(least) if one[place] != other[place]), least)


def _label(path: Path, called: str) -> str:
    return LABELS.get(path, called or "query")


def _key(key: Any) -> str:
    return clean(key, 40) or "(no name)"
