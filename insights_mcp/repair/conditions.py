"""Property filters as models write them: `{"plan": "paid"}`, `{"amount": {">": 5}}`, SQL, or a list of filters."""

from __future__ import annotations

from typing import Any

from insights_mcp.repair.comparisons import ENDS, at_end, comparisons, is_triple, said, unprefixed
from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.values import from_json
from insights_mcp.repair.words import PROPERTY_TYPES, WHOSE, nearly, operator, word
from insights_mcp.schema.filters import OPERATORS
from insights_mcp.text import nearest

KEYS = {"property": "key", "prop": "key", "name": "key", "field": "key", "propertyname": "key", "propertykey": "key",
        "values": "value", "val": "value", "op": "operator", "comparison": "operator", "comparator": "operator",
        "condition": "operator", "propertytype": "type", "grouptypeindex": "group_type_index"}  # fmt: skip
FIELDS = ("key", "value", "operator", "type", "group_type_index", "label", "cohort_name", "group_key_names")
GROUPS = {"and": "AND", "all": "AND", "or": "OR", "any": "OR"}
WITHOUT_OPERATOR = (None, "event", "hogql", "cohort", "empty", "behavioral")
WITHOUT_VALUE = ("hogql", "empty", "behavioral")
EXAMPLE = {"key": "plan", "operator": "exact", "value": ["paid"], "type": "event"}


def conditions(value: Any, at: Path, found: Findings, *, grouped: bool = True) -> Any:
    """The filters: a list of them, or a group. `grouped`: whether a group may stand here."""
    value = from_json(value, at, found)
    if value is None:
        return None
    if isinstance(value, str):
        return found.expanded(at, value, said(value, at, found))
    if isinstance(value, dict):
        return _object(value, at, found, grouped)
    if isinstance(value, list) and is_triple(value):
        value = [value]
    if isinstance(value, list):
        read = [each for place, item in enumerate(value) for each in _items(item, (*at, place), found)]
        return _gathered(read, at, found, grouped) if any(map(_is_group, read)) else read
    found.wrong(at, f"{shown(value)} is no list of property filters", example=[EXAMPLE])
    return value


def _object(value: dict[str, Any], at: Path, found: Findings, grouped: bool) -> Any:
    """All the filters of a query, or of a series, in one object."""
    if value.keys() == {"properties"} and isinstance(value["properties"], list):
        found.said((*at, "properties"), "what is inside is the filters")
        return conditions(value["properties"], at, found, grouped=grouped)
    if _is_group(value):
        if not grouped:
            found.wrong(at, "groups of filters stand in the query's own properties only", example=[EXAMPLE])
        return _outermost(_group(value, at, found), at, found)
    if either := _named_group(value):
        kind, items = either
        if kind == "AND":
            return found.expanded(at, value, conditions(items, at, found, grouped=grouped))
        if not grouped:
            found.wrong(
                at, "'or' stands in the query's own filters only, not in those of one series", example=[EXAMPLE]
            )
            return value
        inner = {"type": kind, "values": conditions(items, at, found)}
        return found.expanded(at, value, {"type": "AND", "values": [inner]})
    return found.expanded(at, value, _items(value, at, found, silent=True))


def _gathered(read: list[Any], at: Path, found: Findings, grouped: bool) -> Any:
    """A list with groups in it: PostHog has them inside one group only."""
    if not grouped:
        found.wrong(at, "groups of filters stand in the query's own properties only", example=[EXAMPLE])
        return read
    plain = [each for each in read if not _is_group(each)]
    groups = [each for each in read if _is_group(each)]
    rest = [{"type": "AND", "values": plain}] if plain else []
    return found.expanded(at, read, {"type": "AND", "values": rest + groups})


def _items(item: Any, at: Path, found: Findings, *, silent: bool = False) -> list[Any]:
    """The filters that one entry of a list means."""
    item = from_json(item, at, found)
    if isinstance(item, str):
        read = said(item, at, found)
        found.expanded(at, item, read if len(read) > 1 else read[0])
        return read
    if isinstance(item, list) and is_triple(item):
        name, sign, *rest = item
        return [found.repaired(at, item, comparisons(name, {sign: rest[0] if rest else True}, at, found)[0])]
    if not isinstance(item, dict):
        found.wrong(at, f"{shown(item)} is no property filter", example=EXAMPLE)
        return [item]
    if _is_group(item):
        return [_group(item, at, found)]
    if either := _named_group(item):
        return [found.expanded(at, item, {"type": either[0], "values": conditions(either[1], at, found)})]
    if _is_filter(item):
        return [_filter(item, at, found)]
    if len(item) == 2 and isinstance(sign := item.get("operator"), str):
        ((name, value),) = ((key, each) for key, each in item.items() if key != "operator")
        return [found.repaired(at, item, comparisons(name, {sign: value}, at, found)[0])]
    made = [each for key, value in item.items() for each in comparisons(key, value, (*at, key), found)]
    return made if silent else found.expanded(at, item, made)


def _is_group(value: Any) -> bool:
    values = value.get("values") if isinstance(value, dict) else None
    return isinstance(values, list) and "key" not in value and (not values or isinstance(values[0], dict))


def _named_group(value: dict[str, Any]) -> tuple[str, Any] | None:
    """`{"or": [...]}`: its kind and what is in it."""
    if len(value) != 1:
        return None
    (key, items), *_ = value.items()
    return (GROUPS[key.lower()], items) if key.lower() in GROUPS and isinstance(items, list) else None


def _is_filter(value: dict[str, Any]) -> bool:
    """Whether it is a filter itself: else its keys are properties."""
    names = {KEYS.get(word(key), key) for key in value}
    return (
        "key" in value
        or value.get("type") in PROPERTY_TYPES
        or {"key", "value"} <= names
        or {"key", "operator"} <= names
    )


def _outermost(group: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """PostHog's outer group holds groups only."""
    values = group.get("values") or []
    if not any(isinstance(each, dict) and not _is_group(each) for each in values):
        return group
    if all(isinstance(each, dict) and not _is_group(each) for each in values):
        found.said(at, f"the filters of the outer group → a group inside it ({group.get('type') or 'AND'})")
        return {"type": "AND", "values": [group]}
    found.said(at, "single filters beside groups → groups of one")
    return group | {
        "values": [v if not isinstance(v, dict) or _is_group(v) else {"type": "AND", "values": [v]} for v in values]
    }


def _group(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    kind, inside = value.get("type"), value.get("values") or []
    if isinstance(kind, str) and kind.upper() in ("AND", "OR") and kind != kind.upper():
        value = value | {"type": found.repaired((*at, "type"), kind, kind.upper())}
    elif kind not in (None, "AND", "OR"):
        found.not_allowed((*at, "type"), kind, ("AND", "OR"), {"type": "OR", "values": [EXAMPLE]})
    read = [each for place, item in enumerate(inside) for each in _items(item, (*at, "values", place), found)]
    return value | {"values": read} if inside else value


def _filter(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """One filter, with the names and words PostHog has."""
    read = _renamed(value, at, found)
    kind = read.get("type")
    if isinstance(kind, str) and kind not in PROPERTY_TYPES:
        read["type"] = kind = _type(kind, (*at, "type"), found)
    elif kind is not None and not isinstance(kind, str):
        found.not_allowed((*at, "type"), kind, PROPERTY_TYPES, EXAMPLE)
    if isinstance(read.get("operator"), str) and (form := ENDS.get(word(read["operator"]))) and "value" in read:
        read |= at_end(form, read["operator"], read["value"], (*at, "operator"), found)
    if read.get("operator") is not None:
        read["operator"] = _operator(read["operator"], (*at, "operator"), found)
    elif isinstance(kind, str) and kind in PROPERTY_TYPES and kind not in WITHOUT_OPERATOR and "value" in read:
        read["operator"] = "exact"
        found.said((*at, "operator"), 'missing → "exact"')
    return _checked(read, at, found)


def _checked(read: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    key, value = read.get("key"), read.get("value")
    if isinstance(key, str) and read.get("type") in (None, "event", "person") and (bare := unprefixed(key, read)):
        read["key"] = key = found.repaired((*at, "key"), key, bare)
    if read.get("type") == "cohort":
        if isinstance(value, str) and value.strip().isdigit():
            read["value"] = found.repaired((*at, "value"), value, int(value))
        return _with_value(read, at, found, "the cohort's number", {"key": "id", "type": "cohort", "value": 7})
    if (read.get("type") != "empty" and not isinstance(key, str | int)) or isinstance(key, bool):
        what = "is missing: the property's name" if key is None else f"{shown(key)} is no property's name"
        found.wrong((*at, "key"), what, example=EXAMPLE)
    if isinstance(value, dict):
        found.wrong((*at, "value"), f"{shown(value)} is no value to compare with", example=EXAMPLE)
    return _with_value(read, at, found, "what to compare with; or use is_set", EXAMPLE)


def _with_value(read: dict[str, Any], at: Path, found: Findings, what: str, example: dict[str, Any]) -> dict[str, Any]:
    """A filter that says what to compare with: PostHog passes over one that does not, without a word."""
    complete = read.get("operator") in ("is_set", "is_not_set") or read.get("type") in WITHOUT_VALUE
    if read.get("value") is None and not complete:
        found.wrong((*at, "value"), f"is missing: {what}", example=example)
    return read


def _renamed(value: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    by_word = {word(name): name for name in FIELDS} | KEYS
    read: dict[str, Any] = {}
    for key, item in value.items():
        name = key if key in FIELDS else by_word.get(word(key))
        if name is None or name in read or (name != key and name in value):
            found.kept((*at, key))
            name = key
        elif name != key:
            found.moved((*at, key), (*at, name))
        read[name] = item
    return read


def _type(kind: str, at: Path, found: Findings) -> str:
    said = word(kind)
    same = next((t for t in PROPERTY_TYPES if word(t) == said), None) or WHOSE.get(said)
    same = same or nearly(kind, PROPERTY_TYPES)
    if same:
        return str(found.repaired(at, kind, same))
    if nearest(kind, PROPERTY_TYPES):
        found.not_allowed(at, kind, PROPERTY_TYPES, EXAMPLE)
    else:
        found.kept(at)
    return kind


def _operator(given: Any, at: Path, found: Findings) -> Any:
    if given is None or given in OPERATORS:
        return given
    meant = operator(given) if isinstance(given, str) else None
    if meant is None and isinstance(given, str):
        meant = next((o for o in OPERATORS if word(o) == word(given)), None) or nearly(given, OPERATORS)
    if meant:
        return found.repaired(at, given, meant)
    found.not_allowed(at, given, OPERATORS, EXAMPLE)
    return given
