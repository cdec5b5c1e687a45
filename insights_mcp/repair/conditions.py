"""Property filters as models write them: `{"plan": "paid"}`, `{"amount": {">": 5}}`, SQL, or a list of filters."""

from __future__ import annotations

import re
from typing import Any

from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.values import from_json
from insights_mcp.repair.words import PROPERTY_TYPES, WHOSE, nearly, operator, word
from insights_mcp.schema.filters import OPERATORS
from insights_mcp.text import nearest

OWNERS: dict[str, dict[str, Any]] = {
    "event": {"type": "event"},
    "properties": {"type": "event"},
    "person": {"type": "person"},
    "session": {"type": "session"},
    "event_properties": {"type": "event"},
    "person_properties": {"type": "person"},
    "user_properties": {"type": "person"},
    **{f"group_{n}": {"type": "group", "group_type_index": n} for n in range(5)},
}
OWNER = re.compile(rf"({'|'.join(OWNERS)})\.(?:properties\.)?(.+)", re.DOTALL)
KEYS = {"property": "key", "prop": "key", "name": "key", "field": "key", "propertyname": "key", "propertykey": "key",
        "values": "value", "val": "value", "op": "operator", "comparison": "operator", "comparator": "operator",
        "condition": "operator", "propertytype": "type", "grouptypeindex": "group_type_index"}  # fmt: skip
FIELDS = ("key", "value", "operator", "type", "group_type_index", "label", "cohort_name", "group_key_names")
GROUPS = {"and": "AND", "all": "AND", "or": "OR", "any": "OR"}
WITHOUT_OPERATOR = (None, "event", "hogql", "cohort", "empty", "behavioral")
EXAMPLE = {"key": "plan", "operator": "exact", "value": ["paid"], "type": "event"}
LEGACY = re.compile(r"(.+)__([a-z_]+)", re.DOTALL)  # `plan__icontains` of old filters
# `plan = 'paid'`: SQL only in looks, as a property's name alone is no column
PLAIN = re.compile(
    r"\s*((?:person\.(?!properties\b))?[\w$ ]*?[\w$])\s*"
    r"(>=|<=|!=|<>|==|=|>|<|\blike\b|\bilike\b)\s*"
    r"('[^']*'|\"[^\"]*\"|-?\d+(?:\.\d+)?|true|false)\s*",
    re.IGNORECASE,
)
COLUMNS = frozenset({"event", "timestamp", "distinct_id", "uuid", "created_at", "person_id", "elements_chain"})
BOTH = re.compile(r"\s+and\s+", re.IGNORECASE)
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
UNEQUAL = re.compile(r"\s*(?:!=|<>)\s*(\S.*?)\s*", re.DOTALL)
HOLDING = re.compile(r"%([^%]+)%", re.DOTALL)
ENDS = {"startswith": "^{}", "beginswith": "^{}", "prefix": "^{}", "endswith": "{}$", "suffix": "{}$"}  # as regex
COMPARED = re.compile(r"\s*(>=|<=|!=|>|<)\s*(-?\d+(?:\.\d+)?)\s*")


def conditions(value: Any, at: Path, found: Findings, *, grouped: bool = True) -> Any:
    """The filters: a list of them, or a group. `grouped`: whether a group may stand here."""
    value = from_json(value, at, found)
    if value is None:
        return None
    if isinstance(value, str):
        return found.expanded(at, value, _said(value, at, found))
    if isinstance(value, dict):
        return _object(value, at, found, grouped)
    if isinstance(value, list) and _is_triple(value):
        value = [value]
    if isinstance(value, list):
        read = [each for place, item in enumerate(value) for each in _items(item, (*at, place), found)]
        return _gathered(read, at, found, grouped) if any(map(_is_group, read)) else read
    found.wrong(at, f"{shown(value)} is no list of property filters", example=[EXAMPLE])
    return value


def whose(name: str) -> tuple[dict[str, Any], str]:
    """Whose property `person.plan` is, and its name; without a prefix it is the event's."""
    parts = OWNER.fullmatch(name)
    return (OWNERS[parts[1]], parts[2]) if parts else ({"type": "event"}, name)


def unprefixed(name: str, of: dict[str, Any]) -> str | None:
    """The name of a property without what SQL writes before it; None where nothing stands there."""
    before = "person.properties." if of.get("type") == "person" else "properties."
    return name.removeprefix(before) if name.startswith(before) and len(name) > len(before) else None


def _object(value: dict[str, Any], at: Path, found: Findings, grouped: bool) -> Any:
    """All the filters of a query, or of a series, in one object."""
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
        read = _said(item, at, found)
        found.expanded(at, item, read if len(read) > 1 else read[0])
        return read
    if isinstance(item, list) and _is_triple(item):
        name, sign, *rest = item
        return [found.repaired(at, item, _meant(name, {sign: rest[0] if rest else True}, at, found)[0])]
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
        return [found.repaired(at, item, _meant(name, {sign: value}, at, found)[0])]
    made = [each for key, value in item.items() for each in _meant(key, value, (*at, key), found)]
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
        read |= _at_end(form, read["operator"], read["value"], (*at, "operator"), found)
    if read.get("operator") is not None:
        read["operator"] = _operator(read["operator"], (*at, "operator"), found)
    elif isinstance(kind, str) and kind in PROPERTY_TYPES and kind not in WITHOUT_OPERATOR and "value" in read:
        read["operator"] = "exact"
        found.said((*at, "operator"), 'missing → "exact"')
    return _checked(read, at, found)


def _at_end(form: str, sign: str, value: Any, at: Path, found: Findings) -> dict[str, Any]:
    """Beginning or end of a text, which PostHog compares by pattern only."""
    either = "|".join(re.escape(str(each)) for each in _listed(value))
    pattern = form.format(f"({either})" if isinstance(value, list) else either)
    found.repaired(at, {sign: value}, {"regex": pattern})
    return {"operator": "regex", "value": pattern}


def _checked(read: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    key, value = read.get("key"), read.get("value")
    if isinstance(key, str) and read.get("type") in (None, "event", "person") and (bare := unprefixed(key, read)):
        read["key"] = key = found.repaired((*at, "key"), key, bare)
    if read.get("type") == "cohort":
        if isinstance(value, str) and value.strip().isdigit():
            read["value"] = found.repaired((*at, "value"), value, int(value))
        return read
    if (read.get("type") != "empty" and not isinstance(key, str | int)) or isinstance(key, bool):
        what = "is missing: the property's name" if key is None else f"{shown(key)} is no property's name"
        found.wrong((*at, "key"), what, example=EXAMPLE)
    if isinstance(value, dict):
        found.wrong((*at, "value"), f"{shown(value)} is no value to compare with", example=EXAMPLE)
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


def _expression(text: str) -> dict[str, Any]:
    return {"type": "hogql", "key": text}


def _said(text: str, at: Path, found: Findings) -> list[dict[str, Any]]:
    """The filters a text means: comparisons of properties by their names alone; any other is an expression."""
    read = [PLAIN.fullmatch(each) for each in BOTH.split(text)]
    if not all(each and each[1].lower() not in COLUMNS for each in read):
        return [_expression(text)]
    return [_by_sign(each, at, found) for each in read if each]


def _by_sign(read: re.Match[str], at: Path, found: Findings) -> dict[str, Any]:
    sign, literal = read[2], read[3]
    owner, key = whose(read[1])
    value: Any = literal[1:-1] if literal[:1] in "'\"" else literal.lower()
    if NUMBER.fullmatch(literal):
        value = float(literal) if "." in literal else int(literal)
    if sign.lower() in ("like", "ilike"):
        value = str(value).strip("%")
    return _compared(key, owner, sign, value, at, found)


def _is_triple(value: list[Any]) -> bool:
    """`["plan", "=", "paid"]`, `["plan", "is_set"]`."""
    if len(value) not in (2, 3) or not all(isinstance(each, str) for each in value[:2]):
        return False
    sign = value[1] if value[1] in OPERATORS else operator(value[1])
    return sign is not None and (len(value) == 3 or sign in ("is_set", "is_not_set"))


def _meant(name: str, value: Any, at: Path, found: Findings) -> list[dict[str, Any]]:
    """The filters that `{"name": value}` means: equal, one of a list, not set, or by operators."""
    if word(name) in ("cohort", "cohorts") and not isinstance(value, dict):
        return [{"type": "cohort", "key": "id", "operator": "in", "value": n} for n in _listed(value)]
    old = LEGACY.fullmatch(name)
    if old and not isinstance(value, dict) and (old[2] in OPERATORS or operator(old[2])):
        name, value = old[1], {old[2]: value}
    if name in OWNERS and isinstance(value, dict) and not any(_sign(each) for each in value):
        return [each for of, item in value.items() for each in _meant(f"{name}.{of}", item, (*at, of), found)]
    owner, key = whose(name)
    if isinstance(value, dict):
        return [_compared(key, owner, sign, item, (*at, sign), found) for sign, item in value.items()]
    if value is None:
        return [{"key": key, "operator": "is_not_set", "value": "is_not_set", **owner}]
    if isinstance(value, str) and (compared := COMPARED.fullmatch(value)):
        number = float(compared[2])
        given = int(number) if number.is_integer() else number
        found.repaired(at, value, {compared[1]: given})
        return [_compared(key, owner, compared[1], given, at, found)]
    if isinstance(value, str) and (unlike := UNEQUAL.fullmatch(value)):
        found.repaired(at, value, {"!=": unlike[1]})
        return [_compared(key, owner, "is_not", unlike[1], at, found)]
    if isinstance(value, str) and (holding := HOLDING.fullmatch(value)):
        found.repaired(at, value, {"icontains": holding[1]})
        return [_compared(key, owner, "icontains", holding[1], at, found)]
    if any(isinstance(each, dict | list) for each in _listed(value)):
        found.wrong(at, f"{shown(value)} is no value to compare with", example={"plan": ["paid", "free"]})
    return [{"key": key, "operator": "exact", "value": [_text(each) for each in _listed(value)], **owner}]


def _compared(key: str, owner: dict[str, Any], sign: str, value: Any, at: Path, found: Findings) -> dict[str, Any]:
    if form := ENDS.get(word(sign)):
        return {"key": key, **_at_end(form, sign, value, at, found), **owner}
    meant = _sign(sign)
    if meant is None:
        found.not_allowed(at, sign, OPERATORS, {"amount": {"gt": 5}})
    meant = {"in": "exact", "not_in": "is_not"}.get(str(meant), meant)  # of properties it is the same, and older
    if meant in ("exact", "is_not"):
        value = [_text(each) for each in _listed(value)]
    if meant in ("is_set", "is_not_set"):
        meant = meant if value is not False else {"is_set": "is_not_set", "is_not_set": "is_set"}[meant]
        value = meant
    return {"key": key, "operator": meant or sign, "value": value, **owner}


def _sign(text: str) -> str | None:
    """The operator of this name."""
    return text if text in OPERATORS else operator(text)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> Any:
    """True and false are texts where properties are compared."""
    return str(value).lower() if isinstance(value, bool) else value
