"""What is compared with what, as models write it: by names alone, with signs, old or SQL in looks only."""

from __future__ import annotations

import re
from typing import Any

from insights_mcp.repair.findings import Findings, Path, shown
from insights_mcp.repair.words import operator, word
from insights_mcp.schema.filters import OPERATORS

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
LONGEST = 500  # characters of a text that is looked at for signs
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
UNEQUAL = re.compile(r"(?:!=|<>)\s*(.+)", re.DOTALL)
HOLDING = re.compile(r"%([^%]+)%", re.DOTALL)
ENDS = {"startswith": "^{}", "beginswith": "^{}", "prefix": "^{}", "endswith": "{}$", "suffix": "{}$"}  # as regex
COMPARED = re.compile(r"(>=|<=|!=|>|<)\s*(-?\d+(?:\.\d+)?)")


def whose(name: str) -> tuple[dict[str, Any], str]:
    """Whose property `person.plan` is, and its name; without a prefix it is the event's."""
    parts = OWNER.fullmatch(name)
    return (OWNERS[parts[1]], parts[2]) if parts else ({"type": "event"}, name)


def unprefixed(name: str, of: dict[str, Any]) -> str | None:
    """The name of a property without what SQL writes before it; None where nothing stands there."""
    before = "person.properties." if of.get("type") == "person" else "properties."
    return name.removeprefix(before) if name.startswith(before) and len(name) > len(before) else None


def at_end(form: str, sign: str, value: Any, at: Path, found: Findings) -> dict[str, Any]:
    """Beginning or end of a text, which PostHog compares by pattern only."""
    either = "|".join(re.escape(str(each)) for each in _listed(value))
    pattern = form.format(f"({either})" if isinstance(value, list) else either)
    found.repaired(at, {sign: value}, {"regex": pattern})
    return {"operator": "regex", "value": pattern}


def _expression(text: str) -> dict[str, Any]:
    return {"type": "hogql", "key": text}


def said(text: str, at: Path, found: Findings) -> list[dict[str, Any]]:
    """The filters a text means: comparisons of properties by their names alone; any other is an expression."""
    read = [PLAIN.fullmatch(each) for each in BOTH.split(text)] if len(text) <= LONGEST else [None]
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


def is_triple(value: list[Any]) -> bool:
    """`["plan", "=", "paid"]`, `["plan", "is_set"]`."""
    if len(value) not in (2, 3) or not all(isinstance(each, str) for each in value[:2]):
        return False
    sign = value[1] if value[1] in OPERATORS else operator(value[1])
    return sign is not None and (len(value) == 3 or sign in ("is_set", "is_not_set"))


def comparisons(name: str, value: Any, at: Path, found: Findings) -> list[dict[str, Any]]:
    """The filters that `{"name": value}` means: equal, one of a list, not set, or by operators."""
    if word(name) in ("cohort", "cohorts") and not isinstance(value, dict):
        return [{"type": "cohort", "key": "id", "operator": "in", "value": n} for n in _listed(value)]
    bare, _, old = name.rpartition("__")  # `plan__icontains` of old filters
    if bare and not isinstance(value, dict) and _sign(old):
        name, value = bare, {old: value}
    if name in OWNERS and isinstance(value, dict) and not any(_sign(each) for each in value):
        return [each for of, item in value.items() for each in comparisons(f"{name}.{of}", item, (*at, of), found)]
    owner, key = whose(name)
    if isinstance(value, dict):
        return [_compared(key, owner, sign, item, (*at, sign), found) for sign, item in value.items()]
    if value is None:
        return [{"key": key, "operator": "is_not_set", "value": "is_not_set", **owner}]
    if isinstance(value, str) and (signed := _signed(value.strip())):
        found.repaired(at, value, dict([signed]))
        return [_compared(key, owner, *signed, at, found)]
    if any(isinstance(each, dict | list) for each in _listed(value)):
        found.wrong(at, f"{shown(value)} is no value to compare with", example={"plan": ["paid", "free"]})
    return [{"key": key, "operator": "exact", "value": [_text(each) for each in _listed(value)], **owner}]


def _signed(text: str) -> tuple[str, Any] | None:
    """The sign and the value that a text holds: `>= 3`, `!= paid`, `%paid%`."""
    if len(text) > LONGEST:
        return None
    if compared := COMPARED.fullmatch(text):
        number = float(compared[2])
        return compared[1], int(number) if number.is_integer() else number
    if unlike := UNEQUAL.fullmatch(text):
        return "!=", unlike[1]
    holding = HOLDING.fullmatch(text)
    return ("icontains", holding[1]) if holding else None


def _compared(key: str, owner: dict[str, Any], sign: str, value: Any, at: Path, found: Findings) -> dict[str, Any]:
    if form := ENDS.get(word(sign)):
        return {"key": key, **at_end(form, sign, value, at, found), **owner}
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
