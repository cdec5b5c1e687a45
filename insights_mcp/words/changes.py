"""The difference of two queries in words: `window 7 d → 30 d`, `breakdown + $browser`, `filter − country = DE`.

Each aspect takes its part out of both queries and tells how it differs; what no aspect took is told by its path.
So nothing that differs goes untold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from typing import Any

from insights_mcp.answer import provenance
from insights_mcp.text import clean
from insights_mcp.words.differences import ARROW, MINUS, SHORT_OF, differences, of_sql, told_apart, turned
from insights_mcp.words.meaning import conditions, gone_and_new, identity, meaning, same
from insights_mcp.words.sentences import described
from insights_mcp.words.terms import KINDS, breakdown, breakdowns, counting, items, letter, shown, span, what, window

LINE = 240
Query = dict[str, Any]
MATH = ("math", "math_property", "math_property_type", "math_hogql", "math_multiplier", "math_group_type_index")
EXAMPLES = 4
PART = ("part",)  # not the query's own path: its labels do not apply


def changes(before: Any, after: Any) -> list[str]:
    """What differs, a line each; nothing if both mean the same. Takes any JSON, in a wrapper or without."""
    try:
        return [clean(line, LINE) for line in _changes(meaning(before), meaning(after))]
    except RecursionError:
        return ["the query changed; it is nested too deep to say how"]


def _changes(before: Query, after: Query) -> list[str]:
    if same(before, after):
        return []
    if not same(before.get("kind"), after.get("kind")):
        return [_other_kind(before, after)]
    rest = (dict(before), dict(after))
    told = [line for aspect in ASPECTS for line in aspect(*rest)]
    left = [{name: part for name, part in query.items() if part != {}} for query in rest]
    return [*told, *differences(left[0], left[1])] or ["the query changed in its form"]


def _other_kind(before: Query, after: Query) -> str:
    if not before or not after:
        return f"query + {described(after)}" if after else f"query {MINUS} {described(before)}"
    return f"{_kind(before)}{ARROW}{_kind(after)}: {described(after)}"


def _kind(query: Query) -> str:
    kind = query.get("kind")
    return KINDS.get(kind, shown(kind)) if isinstance(kind, str) else shown(kind)


def _taken(before: Query, after: Query, *path: str) -> tuple[Any, Any]:
    """A part, taken out of both; what lies around it is copied, so that the queries stay whole."""
    return _popped(before, *path), _popped(after, *path)


def _popped(query: Query, *path: str) -> Any:
    for name in path[:-1]:
        if not isinstance(query.get(name), dict):
            return None
        query[name] = query = dict(query[name])
    return query.pop(path[-1], None)


# one aspect after the other


def _window(before: Query, after: Query) -> Iterator[str]:
    old, new = _taken(before, after, "dateRange")
    words = (span(old), span(new)) if span(old) and span(new) else (window(old), window(new))
    if words[0] != words[1] and isinstance(old, dict | None) and isinstance(new, dict | None):
        yield turned("window", words[0] or "none", words[1] or "none")
    else:
        yield from differences(old, new, ("dateRange",), "dateRange")


def _filters(before: Query, after: Query) -> Iterator[str]:
    old, new = _taken(before, after, "properties")
    yield from _of_conditions(old, new, "filter")


def _of_conditions(before: Any, after: Any, label: str) -> Iterator[str]:
    gone, new = gone_and_new(conditions(before), conditions(after))
    replaced = [(old, found) for old, found in _pairs(gone, new)]
    yield from (line for old, found in replaced for line in _other_value(old, found, label))
    paired = {id(item) for pair in replaced for item in pair}
    for sign, items_ in ((MINUS, gone), ("+", new)):
        yield from (f"{label} {sign} {_condition(item)}" for item in items_ if id(item) not in paired)


def _pairs(gone: list[Any], new: list[Any]) -> Iterator[tuple[Any, Any]]:
    """Conditions that went, each with the one about the same that came."""
    by_subject: dict[str, list[Any]] = {}
    for item in new:
        by_subject.setdefault(_subject(item), []).append(item)
    for item in gone:
        if found := by_subject.get(_subject(item)):
            yield item, found.pop(0)


def _subject(condition: Any) -> str:
    """Whose condition it is: what another one would replace."""
    if not isinstance(condition, dict) or "key" not in condition:
        return "a group"
    return identity([condition.get("type"), condition["key"], condition.get("group_type_index")])


def _other_value(old: Any, new: Any, label: str) -> Iterator[str]:
    """One condition that became another one about the same."""
    words = _condition(old), _condition(new)
    if words[0] != words[1] and "…" not in "".join(words):
        yield turned(label, *words)
        return
    name = f"{label} {shown(old.get('key'))}" if isinstance(old, dict) and "key" in old else f"{label} group"
    yield from differences(old, new, PART, name)


def _condition(condition: Any) -> str:
    """A condition in words, with whose property it is."""
    found = provenance.conditions([condition])
    kind = condition.get("type") if isinstance(condition, dict) and "values" not in condition else None
    owner = f" ({clean(kind, 20)})" if kind not in (None, "event", "hogql", "cohort") else ""
    return found[0] + owner if found else shown(condition)


def _breakdowns(before: Query, after: Query) -> Iterator[str]:
    listed = [items(query.get("breakdownFilter", {}).get("breakdowns")) if _splits(query) else []
              for query in (before, after)]  # fmt: skip
    if not all(isinstance(item, dict) for item in (*listed[0], *listed[1])):
        return
    old, new = (breakdowns({"breakdowns": found}) for found in _taken(before, after, "breakdownFilter", "breakdowns"))
    was, now = [breakdown(item) for item in old], [breakdown(item) for item in new]
    gone, added = gone_and_new(was, now)
    yield from (f"breakdown {MINUS} {name}" for name in gone)
    yield from (f"breakdown + {name}" for name in added)
    by_name = {breakdown(item): item for item in new}
    kept = [(item, by_name[breakdown(item)]) for item in old if breakdown(item) in by_name]
    for item, other in kept:
        yield from differences(item, other, PART, f"breakdown {breakdown(item)}")
    if not gone and not added and was != now:
        yield f"breakdowns in another order: {', '.join(now)}"


def _splits(query: Query) -> bool:
    return isinstance(query.get("breakdownFilter"), dict)


def _conversion_window(before: Query, after: Query) -> Iterator[str]:
    number = _taken(before, after, "funnelsFilter", "funnelWindowInterval")
    unit = _taken(before, after, "funnelsFilter", "funnelWindowIntervalUnit")
    if same([number[0], unit[0]], [number[1], unit[1]]):
        return
    words = [f"{shown(n or 14)} {SHORT_OF.get(str(u or 'day'), shown(u))}" for n, u in zip(number, unit, strict=True)]
    yield turned("conversion window", *words) if words[0] != words[1] else "conversion window changed"


def _formulas(before: Query, after: Query) -> Iterator[str]:
    old, new = (found or [] for found in _taken(before, after, "trendsFilter", "formulas"))
    texts = [*items(old), *items(new)]
    if len(texts) == 2 and len(items(old)) == 1 and all(isinstance(text, str) for text in texts):
        yield from [turned("formula", *told_apart(*texts))] if texts[0] != texts[1] else []
    else:
        yield from differences(old, new, ("formulas",), "formula")


def _exclusions(before: Query, after: Query) -> Iterator[str]:
    old, new = _taken(before, after, "funnelsFilter", "exclusions")
    if not (isinstance(old, list | None) and isinstance(new, list | None)):
        yield from differences(old, new, ("exclusions",), "exclusions")
        return
    gone, added = gone_and_new(old or [], new or [])
    if len(gone) == len(added) == 1 and isinstance(gone[0], dict) and what(gone[0]) == what(added[0]):
        yield from differences(gone[0], added[0], PART, f"exclusion {what(gone[0])}")
        return
    yield from (f"exclusion {MINUS} {_exclusion(item)}" for item in gone)
    yield from (f"exclusion + {_exclusion(item)}" for item in added)


def _exclusion(item: Any) -> str:
    if not isinstance(item, dict):
        return shown(item)
    ends = [
        value + 1 if type(value) is int else "?" for value in (item.get("funnelFromStep"), item.get("funnelToStep"))
    ]
    return f"{what(item)} between steps {ends[0]} and {ends[1]}"


def _entities(before: Query, after: Query) -> Iterator[str]:
    """What starts a retention, and what counts as coming back."""
    for name, label in (("targetEntity", "starts with"), ("returningEntity", "comes back with")):
        old, new = _taken(before, after, "retentionFilter", name)
        if isinstance(old, dict | None) and isinstance(new, dict | None):
            yield from _of_entity(old or {}, new or {}, label)
        else:
            yield from differences(old, new, (name,), name)


def _sql(before: Query, after: Query) -> Iterator[str]:
    old, new = before.get("query"), after.get("query")
    if before.get("kind") == "HogQLQuery" and isinstance(old, str) and isinstance(new, str):
        _taken(before, after, "query")
        yield from of_sql(old, new) if old != new else ()


def _source(before: Query, after: Query) -> Iterator[str]:
    """The query that another one is about."""
    old, new = before.get("source"), after.get("source")
    if isinstance(old, dict) and isinstance(new, dict):
        _taken(before, after, "source")
        yield from (f"source: {line}" for line in _changes(old, new))


def _series(before: Query, after: Query) -> Iterator[str]:
    old, new = _taken(before, after, "series")
    if not all(isinstance(entity, dict) for entity in (*items(old), *items(new))) or not (
        isinstance(old, list | None) and isinstance(new, list | None)
    ):
        yield from differences(old, new, ("series",), "series")
        return
    label = _step if before.get("kind") == "FunnelsQuery" else _letter
    names = sorted(map(what, old or [])), sorted(map(what, new or []))
    yield from (_reordered if names[0] == names[1] else _of_series)(old or [], new or [], label)


def _reordered(old: list[Query], new: list[Query], label: Callable[[int], str]) -> Iterator[str]:
    """The same things are counted, perhaps in another order, perhaps in another way."""
    if [what(entity) for entity in old] != [what(entity) for entity in new]:
        yield f"{'steps' if label is _step else 'series'} in another order: {', '.join(map(what, new))}"
    left = list(old)
    for place, entity in enumerate(new):
        was = left.pop(next(at for at, item in enumerate(left) if what(item) == what(entity)))
        yield from _of_entity(was, entity, label(place))


def _of_series(old: list[Query], new: list[Query], label: Callable[[int], str]) -> Iterator[str]:
    names = [what(entity) for entity in old], [what(entity) for entity in new]
    for _, from_, to, start, end in SequenceMatcher(None, *names, autojunk=False).get_opcodes():
        pairs = min(to - from_, end - start)
        for step in range(pairs):
            yield from _of_entity(old[from_ + step], new[start + step], label(start + step))
        yield from (f"{label(at)} {MINUS} {_entity(old[at])}" for at in range(from_ + pairs, to))
        yield from (f"{label(at)} + {_entity(new[at])}" for at in range(start + pairs, end))


def _entity(entity: Query) -> str:
    filters = [_condition(item) for item in conditions(entity.get("properties"))]
    where = f" where {', '.join(filters[:EXAMPLES])}" if filters else ""
    math = "" if counting(entity) == "count" else f", {counting(entity)}"
    return f"{what(entity)}{math}{where}"


def _of_entity(before: Query, after: Query, label: str) -> Iterator[str]:
    rest = dict(before), dict(after)
    if what(before) != what(after):
        yield turned(label, what(before), what(after))
        for name in IDENTITY:
            _taken(*rest, name)
    maths = [{name: query.pop(name, None) for name in MATH} for query in rest]
    if not same(maths[0], maths[1]):
        if counting(before) != counting(after):
            yield f"{label}: {counting(before)}{ARROW}{counting(after)}"
        else:
            yield from differences(maths[0], maths[1], PART, label)
    old, new = _taken(*rest, "properties")
    yield from _of_conditions(old, new, f"{label} filter")
    yield from differences(rest[0], rest[1], PART, label)


IDENTITY = ("kind", "type", "event", "id", "name", "nodes", "table_name")


def _step(at: int) -> str:
    return f"step {at + 1}"


def _letter(at: int) -> str:
    return f"series {letter(at)}"


ASPECTS: tuple[Callable[[Query, Query], Iterator[str]], ...] = (
    _window, _series, _entities, _formulas, _filters, _breakdowns, _conversion_window, _exclusions, _sql, _source,
)  # fmt: skip
