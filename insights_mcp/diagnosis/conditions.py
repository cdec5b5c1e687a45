"""Property filters one by one: in words, and as SQL that counts what passes.

A filter that cannot be said in SQL here (a date that is relative, a selector of several parts) has none: it is counted
as what removes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from insights_mcp.answer.provenance import conditions as in_words
from insights_mcp.answer.provenance import is_begun
from insights_mcp.diagnosis import clicked, hogql
from insights_mcp.text import clean

OWNERS = {"event": "properties", "person": "person.properties", "session": "session", "feature": "properties",
          "person_metadata": "person"}  # fmt: skip
METADATA = ("event", "distinct_id", "timestamp", "person_id", "uuid")
FLAG = "$feature/"
OTHER = {"event": "person", "person": "event"}
MOST_VALUES = 200


@dataclass(frozen=True)
class Condition:
    """One filter. `field`: the property in SQL; `holds`: where it is met; `words`: as a reader would say it.

    `where`: which part of the query names the property. `parts`: of which one is enough.
    """

    words: str
    holds: str | None
    field: str | None = None
    name: str = ""
    owner: str = "event"
    operator: str = "exact"
    values: tuple[Any, ...] = ()
    where: str = "the filter's key"
    parts: tuple[Condition, ...] = ()

    @property
    def elsewhere(self) -> str | None:
        """The same property, of a person instead of an event or the other way round."""
        return _field(OTHER[self.owner], self.name) if self.name and self.owner in OTHER else None


def conditions_of(properties: Any) -> list[Condition]:
    """The filters that must all be met, in their order; those of which one is enough are one."""
    if isinstance(properties, dict):
        if properties.get("type") == "OR" and len(properties.get("values") or ()) > 1:
            return _either(properties)
        return conditions_of(properties.get("values")) if "values" in properties else _one(properties)
    items = (item for item in properties or () if isinstance(item, dict) and not is_begun(item))
    return [c for item in items for c in conditions_of(item)]


def property_set(name: str, owner: str, where: str) -> Condition:
    """That a property is there at all."""
    field = _field(owner, name)
    holds = f"{field} is not null" if field else None
    return Condition(f"{clean(name, 60)} is set", holds, field, name, owner, "is_set", where=where)


def equals(name: str, owner: str, value: Any) -> Condition:
    """That a property has this value."""
    return _one({"key": name, "type": owner, "value": value, "operator": "exact"})[0]


def _either(group: dict[str, Any]) -> list[Condition]:
    """An OR: one condition; without SQL when one of its parts has none."""
    parts = [conditions_of(value) for value in group["values"]]
    known = [hogql.every(str(c.holds) for c in part) for part in parts if all(c.holds for c in part)]
    holds = " or ".join(f"({part})" for part in known) if len(known) == len(parts) else None
    return [Condition(" or ".join(_words(group)), holds, parts=tuple(c for part in parts for c in part))]


def _one(item: dict[str, Any]) -> list[Condition]:
    kind, operator = str(item.get("type") or "event"), str(item.get("operator") or "exact")
    words = ", ".join(_words(item)) or "a filter"
    given = item.get("value")
    values = tuple(given[:MOST_VALUES] if isinstance(given, list) else [given])
    if special := SPECIAL.get(kind):
        return [Condition(words, special(item, operator, values), owner=kind, operator=operator, values=values)]
    name = str(item.get("key") or "")
    if kind == "element":
        holds = clicked.holds(name, operator, values)
        return [Condition(words, holds, clicked.field(name), name, kind, operator, values)]
    kind, name = ("feature", _flag(name)) if kind == "flag" else (kind, name)
    field = FIELDS[kind](item, name) if kind in FIELDS else _field(kind, name)
    write = OPERATORS.get(operator)
    holds = write(field, values) if field and write and not (isinstance(given, list) and not given) else None
    return [Condition(words, holds, field, name, kind, operator, values)]


def _words(item: dict[str, Any]) -> Iterator[str]:
    yield from in_words([item])


def _field(owner: str, name: str) -> str | None:
    return f"{OWNERS[owner]}.{hogql.named(name)}" if owner in OWNERS and name else None


def _group_field(item: dict[str, Any], name: str) -> str | None:
    number = item.get("group_type_index")
    return f"group_{number}.properties.{hogql.named(name)}" if number in range(5) and name else None


def _metadata(_: dict[str, Any], name: str) -> str | None:
    return name if name in METADATA else None


def _flag(name: str) -> str:
    """The property of events that tells what a flag was."""
    return name if name.startswith(FLAG) else f"{FLAG}{name}"


FIELDS: dict[str, Callable[[dict[str, Any], str], str | None]] = {"group": _group_field, "event_metadata": _metadata}


def _expression(item: dict[str, Any], _: str, __: tuple[Any, ...]) -> str | None:
    return str(item["key"]) if isinstance(item.get("key"), str) and item["key"].strip() else None


def _cohort(_: dict[str, Any], operator: str, values: tuple[Any, ...]) -> str | None:
    numbers = [str(value) for value in values if str(value).isdigit()]
    word = "not in" if operator in ("not_in", "is_not") else "in"
    joined = " and " if word == "not in" else " or "
    return joined.join(f"person_id {word} cohort {number}" for number in numbers) or None


SPECIAL: dict[str, Callable[[dict[str, Any], str, tuple[Any, ...]], str | None]] = {
    "hogql": _expression,
    "cohort": _cohort,
    "static-cohort": _cohort,
    "precalculated-cohort": _cohort,
}


def _exact(field: str, values: tuple[Any, ...]) -> str:
    numbers = [number for value in values if (number := hogql.number(value)) is not None]
    return hogql.one_of(f"toString({field})", values) + "".join(
        f" or toFloat({field}) = {number:.15g}" for number in numbers
    )


def _contains(field: str, values: tuple[Any, ...]) -> str:
    return " or ".join(f"toString({field}) ilike {hogql.text(f'%{hogql.words(value)}%')}" for value in values)


def _matches(field: str, values: tuple[Any, ...]) -> str:
    return f"match(toString({field}), {hogql.text(values[0])})"


def _set(field: str, _: tuple[Any, ...]) -> str:
    return f"{field} is not null"


def _than(sign: str) -> Callable[[str, tuple[Any, ...]], str]:
    def holds(field: str, values: tuple[Any, ...]) -> str:
        number = hogql.number(values[0])
        known = number is not None
        return (
            f"toFloat({field}) {sign} {number:.15g}" if known else f"toString({field}) {sign} {hogql.text(values[0])}"
        )

    return holds


def _between(field: str, values: tuple[Any, ...]) -> str:
    bounds = _bounds(values)
    return f"toFloat({field}) >= {bounds[0]:.15g} and toFloat({field}) <= {bounds[1]:.15g}" if bounds else "false"


def _outside(field: str, values: tuple[Any, ...]) -> str:
    """What has no value is not outside."""
    bounds = _bounds(values)
    return f"toFloat({field}) < {bounds[0]:.15g} or toFloat({field}) > {bounds[1]:.15g}" if bounds else "false"


def _bounds(values: tuple[Any, ...]) -> list[float]:
    """Two numbers, or none."""
    found = [number for value in values if (number := hogql.number(value)) is not None]
    return found if len(found) == len(values) == 2 else []


def _not(holds: Callable[[str, tuple[Any, ...]], str]) -> Callable[[str, tuple[Any, ...]], str]:
    """The contrary; what has no value does not have this one."""
    return lambda field, values: f"not ifNull({holds(field, values)}, false)"


OPERATORS: dict[str, Callable[[str, tuple[Any, ...]], str]] = {
    "exact": _exact, "is_not": _not(_exact),
    "in": _exact, "not_in": _not(_exact), "flag_evaluates_to": _exact,
    "icontains": _contains, "not_icontains": _not(_contains), "icontains_multi": _contains,
    "not_icontains_multi": _not(_contains), "between": _between, "not_between": _outside,
    "regex": _matches, "not_regex": _not(_matches),
    "is_set": _set, "is_not_set": _not(_set),
    "gt": _than(">"), "gte": _than(">="), "lt": _than("<"), "lte": _than("<="), "min": _than(">="), "max": _than("<="),
}  # fmt: skip
