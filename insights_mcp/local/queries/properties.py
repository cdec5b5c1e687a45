"""Property filters as SQL: every operator, types as the catalogue knows them, nested AND and OR.

A missing property is unequal to everything, contains nothing and matches nothing, as in PostHog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC
from typing import Any

from insights_mcp.local.queries import cohorts, dates, elements, sessions, unsupported, urls, versions
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.filters import Properties, PropertyFilter, PropertyGroup

METADATA = {"event": "event", "distinct_id": "distinct_id", "uuid": "uuid::varchar", "timestamp": "timestamp::varchar"}
NEVER = "false"
ALWAYS = "true"


class Filters:
    """Compiles filters for one scan."""

    def __init__(self, scan: Scan, context: Context) -> None:
        self.scan = scan
        self.context = context

    def all_of(self, properties: Properties) -> str:
        """SQL that holds where a list of filters (all must) or a group of them does."""
        if properties is None:
            return ALWAYS
        if isinstance(properties, list):
            return joined("and", [self.one(item) for item in properties])
        return self.one(properties)

    def test_accounts(self) -> str:
        """SQL that holds for events that are not of test accounts, by the project's own filters."""
        return self.all_of(
            PropertyGroup.model_validate({"type": "AND", "values": self.context.project.test_account_filters})
        )

    def one(self, item: PropertyGroup | PropertyFilter) -> str:
        """SQL for one filter or one group."""
        if isinstance(item, PropertyGroup) or "values" in (item.model_extra or {}):
            return self._group(item)
        if _is_empty(item):
            return ALWAYS
        kind = item.type or "event"
        if kind not in FIELDS:
            raise unsupported.feature(unsupported.FILTER_TYPES, kind, "properties") or QueryError(
                f"'{kind}' is no type of property filter. Use one of {', '.join(FIELDS)}.",
                attr="properties",
            )
        return FIELDS[kind](self, item)

    def _group(self, group: PropertyGroup | PropertyFilter) -> str:
        if not isinstance(group, PropertyGroup):
            group = PropertyGroup.model_validate(group.model_dump())
        empty = ALWAYS if not group.values or group.type != "OR" else NEVER
        return (
            joined((group.type or "AND").lower(), [self.one(item) for item in group.values]) if group.values else empty
        )

    def _event(self, item: PropertyFilter) -> str:
        key = _key(item)
        field = self.scan.event_property(key)
        if key in LISTS and item.operator not in UNVALUED:
            return self._one_of(LISTED.format(field), item)
        return self._compared(field, self.context.catalogue.event_types.get(key), item)

    def _person(self, item: PropertyFilter) -> str:
        key = _key(item)
        if key in ("id", "person_id"):
            self.scan.with_persons = True
            return self._compared(f"{self.scan.persons}.person_id::varchar", "String", item)
        if key == "distinct_id":
            self.scan.with_persons = True
            found, negated = self._compared("d.distinct_id", "String", item), item.operator in (*NEGATED, "is_not_set")
            ids = f"select d.pid from person_distinct_ids d where {'not ' * negated}({found})"
            return f"{self.scan.persons}.pid {'not ' * negated}in ({ids})"
        return self._compared(self.scan.person_property(key), self.context.catalogue.person_types.get(key), item)

    def _metadata(self, item: PropertyFilter) -> str:
        key = _key(item)
        if key == "person_id":
            return self._person(item)
        if key.startswith("$group_") and key[7:].isdigit():
            return self._compared(self.scan.group_key(self.group_type(int(key[7:]))), "String", item)
        if key == "elements_chain":
            return self._compared(f"{self.scan.events}.elements_chain", "String", item)
        if key not in METADATA:
            raise QueryError(
                f"'{key}' is no field of events. Use {', '.join(METADATA)} or person_id.", attr="properties"
            )
        return self._compared(
            f"{self.scan.events}.{METADATA[key]}", "DateTime" if key == "timestamp" else "String", item
        )

    def _group_property(self, item: PropertyFilter) -> str:
        number = self.group_type(item.group_type_index)
        if _key(item) == "$group_key":
            return self._compared(self.scan.group_key(number), "String", item)
        kind = self.context.catalogue.group_property_types.get((number, _key(item)))
        return self._compared(self.scan.group_property(number, _key(item)), kind, item)

    def group_type(self, number: int | None) -> int:
        """The number of a type of group. Raises QueryError when there is none."""
        known = self.context.catalogue.group_types
        if number is None or number not in range(5):
            listed = ", ".join(f"{each} ({name})" for each, name in sorted(known.items())) or "none yet"
            raise QueryError(f"Say which type of group by group_type_index; known are {listed}.", attr="properties")
        return number

    def _session(self, item: PropertyFilter) -> str:
        key = sessions.checked(_key(item))
        return self._compared(self.scan.session_property(key), sessions.FIELDS[key][2], item)

    def _element(self, item: PropertyFilter) -> str:
        value, operator = item.value, item.operator or "exact"
        if _key(item) == "selector":
            if operator not in ("exact", "is_not"):
                raise QueryError("A selector can be 'exact' or 'is_not'.", attr="properties")
            selectors = [text(each) for each in (value if isinstance(value, list) else [value])]
            found = joined("or", [elements.selected(selector, self.scan) for selector in selectors])
            return found if operator == "exact" else f"(not {found})"
        if _key(item) == "href":
            return self._compared(elements.link(self.scan), "String", item)
        return self._any(elements.texts(_key(item), self.scan), item)

    def _any(self, fields: str, item: PropertyFilter) -> str:
        """SQL: one of the texts in a list is as the filter says; of a negated filter's values, to each is another."""
        operator = item.operator or "exact"
        if operator == "is_not_set":
            return f"(len({fields}) = 0)"
        # One of several values is one filter each: a lambda can hold no subquery.
        values = item.value if isinstance(item.value, list) else [item.value]
        each = [self._compared("x", "String", item.model_copy(update={"value": value})) for value in values]
        holds = [f"(len(list_filter({fields}, lambda x: {condition})) > 0)" for condition in each]
        return joined("and" if operator in NEGATED else "or", holds)

    def _one_of(self, fields: str, item: PropertyFilter) -> str:
        """SQL: one of the texts in a list is one of the filter's values, or if that is negated, none of them."""
        values = item.value if isinstance(item.value, list) else [item.value]
        each = [self._compared("x", "String", item.model_copy(update={"value": value})) for value in values]
        holds = joined("and" if item.operator in NEGATED else "or", each)
        return f"(len(list_filter({fields}, lambda x: {holds})) > 0)" if values else ALWAYS

    def _cohort(self, item: PropertyFilter) -> str:
        given = item.value if isinstance(item.value, list) else [item.value]
        found = joined("or", [cohorts.member(cohort, self) for cohort in given])
        # Inside a cohort's definition, a filter says so with `negation`.
        negated = item.operator in ("not_in", "is_not") or (item.model_extra or {}).get("negation")
        return f"(not {found})" if negated else found

    def _behaviour(self, item: PropertyFilter) -> str:
        return cohorts.behavioural(item, self)

    def _hogql(self, item: PropertyFilter) -> str:
        from insights_mcp.local.queries.hogql import condition

        return condition(_key(item), self.scan, self.context)

    def _compared(self, field: str, kind: str | None, item: PropertyFilter) -> str:
        operator = item.operator or "exact"
        refused = unsupported.feature(unsupported.OPERATORS, operator, "properties")
        if refused:
            raise refused
        if operator not in UNVALUED and item.value is None:
            raise QueryError(f"The filter on '{item.key}' has no value. Give one, or use is_set.", attr="properties")
        if item.value == [] and operator not in (*UNVALUED, *PAIRS):
            return ALWAYS
        return OPERATORS[operator](self, field, kind, item.value)

    # -- one method for each family of operators; NULL counts as false ---------------------------------------------

    def _exact(self, field: str, kind: str | None, value: Any) -> str:
        values = value if isinstance(value, list) else [value]
        if kind == "Numeric" or (kind is None and all(_is_number(each) for each in values)):
            numbers = [number for each in values if (number := _number(each)) is not None]
            if len(numbers) == len(values) and numbers:
                return f"try_cast({field} as double) in {self._list(numbers, 'double')}"
        texts = [text(each) for each in values]
        if len(texts) == 1:
            return f"{field} = {self.scan.bind(texts[0])}"
        return f"{field} in {self._list(texts, 'varchar')}"

    def _list(self, values: Iterable[Any], kind: str) -> str:
        return f"(select unnest({self.scan.bind(list(values))}::{kind}[]))"

    def _contains(self, field: str, kind: str | None, value: Any) -> str:
        values = value if isinstance(value, list) else [value]
        likes = [f"{field} ilike {self.scan.bind(f'%{text(each)}%')}" for each in values]
        return joined("or", likes)

    def _matches(self, field: str, kind: str | None, value: Any) -> str:
        values = value if isinstance(value, list) else [value]
        return joined("or", [f"regexp_matches({field}, {self.scan.bind(text(each))})" for each in values])

    def _set(self, field: str, kind: str | None, value: Any) -> str:
        return f"({field} is not null)"

    def _than(self, sign: str, field: str, kind: str | None, value: Any) -> str:
        if isinstance(value, list):
            value = value[0] if value else None
        number = None if kind == "String" and isinstance(value, str) else _number(value)
        if number is not None and kind != "DateTime":
            return f"try_cast({field} as double) {sign} {self.scan.bind(number)}"
        if kind == "DateTime":
            return self._at(sign, field, value)
        return f"{field} {sign} {self.scan.bind(text(value))}"

    def _between(self, field: str, kind: str | None, value: Any) -> str:
        low, high = _bounds(value)
        return f"({self._than('>=', field, kind, low)} and {self._than('<=', field, kind, high)})"

    def _outside(self, field: str, kind: str | None, value: Any) -> str:
        low, high = _bounds(value)
        return f"({self._than('<', field, kind, low)} or {self._than('>', field, kind, high)})"

    def _date(self, sign: str, field: str, kind: str | None, value: Any) -> str:
        return self._at(sign, field, value[0] if isinstance(value, list) and value else value)

    def _version(self, name: str, field: str, kind: str | None, value: Any) -> str:
        given = text(value[0] if isinstance(value, list) and value else value)
        field = versions.sortable(field)
        if name in versions.SIGNS:
            number = self.scan.bind(versions.parsed(given))
            return f"{field} {versions.SIGNS[name]} {number}::bigint[]"
        low, high = (self.scan.bind(bound) for bound in versions.RANGES[name](given))
        # Alone, DuckDB makes a range of the two, which it cannot do with lists.
        return f"coalesce({field} >= {low}::bigint[] and {field} < {high}::bigint[], false)"

    def _cleaned(self, field: str, kind: str | None, value: Any) -> str:
        rules = self.context.project.path_cleaning_filters
        return self._exact(urls.cleaned(field, rules, self.scan), "String", value)

    def _at(self, sign: str, field: str, value: Any) -> str:
        """SQL that compares a time; one that names no zone is the project's."""
        now = self.context.local_now
        moment, _ = dates.parsed(text(value), now)
        as_utc, as_clock = (moment.astimezone(zone).replace(tzinfo=None) for zone in (UTC, now.tzinfo))
        compared = f"{_time(field)} {sign} {self.scan.bind(as_utc)}"
        if as_utc == as_clock:
            return compared
        is_clock = f"typeof({field}) = 'VARCHAR' and regexp_full_match({field}::varchar, '{CLOCK}')"
        clock = f"try_cast({field}::varchar as timestamp) {sign} {self.scan.bind(as_clock)}"
        return f"case when {is_clock} then {clock} else {compared} end"


# What is listed of each exception; a filter is of what is in the list.
LISTS = ("$exception_types", "$exception_values", "$exception_sources", "$exception_functions")
LISTED = """case when json_valid({0}) then from_json({0}, '["VARCHAR"]') end"""


def joined(word: str, parts: list[str]) -> str:
    """SQL: conditions joined by `and` or `or`; none at all always hold."""
    if not parts:
        return ALWAYS
    return parts[0] if len(parts) == 1 else "(" + f" {word} ".join(parts) + ")"


def _key(item: PropertyFilter) -> str:
    if item.key is None:
        raise QueryError("A property filter needs a key.", attr="properties")
    return str(item.key)


def _is_empty(item: PropertyFilter) -> bool:
    """Whether nothing is said: a filter that a person has begun."""
    return item.type == "empty" or not any((item.key, item.value, item.operator, item.type))


def _bounds(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise QueryError("'between' needs a value of two bounds, such as [1, 10].", attr="properties")
    return value[0], value[1]


def text(value: Any) -> str:
    """A filter's value as the text a property would have."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


CLOCK = r"\s*\d{4}-\d\d-\d\d([T ][\d:.]*)?\s*"


def _time(field: str) -> str:
    """SQL: a property as a UTC time; seconds since 1970 count as one."""
    return (
        f"coalesce(try_cast({field} as timestamptz)::timestamp,"
        f" make_timestamp(try_cast(try_cast({field} as double) * 1000000 as bigint)))"
    )


Compare = Callable[[Filters, str, str | None, Any], str]


def _not(compare: Compare) -> Compare:
    return lambda filters, field, kind, value: f"(not coalesce({compare(filters, field, kind, value)}, false))"


def _sign(compare: Callable[[Filters, str, str, str | None, Any], str], sign: str) -> Compare:
    return lambda filters, field, kind, value: compare(filters, sign, field, kind, value)


NEGATED = ("is_not", "not_in", "not_icontains", "not_regex", "not_between", "not_icontains_multi")
UNVALUED = ("is_set", "is_not_set")
PAIRS = ("between", "not_between")
OPERATORS: dict[str, Compare] = {
    "exact": Filters._exact,
    "in": Filters._exact,
    "is_not": _not(Filters._exact),
    "not_in": _not(Filters._exact),
    "icontains": Filters._contains,
    "not_icontains": _not(Filters._contains),
    "regex": Filters._matches,
    "not_regex": _not(Filters._matches),
    "is_set": Filters._set,
    "is_not_set": _not(Filters._set),
    "gt": _sign(Filters._than, ">"),
    "lt": _sign(Filters._than, "<"),
    "gte": _sign(Filters._than, ">="),
    "min": _sign(Filters._than, ">="),
    "lte": _sign(Filters._than, "<="),
    "max": _sign(Filters._than, "<="),
    "between": Filters._between,
    "not_between": Filters._outside,
    "is_date_exact": _sign(Filters._date, "="),
    "is_date_before": _sign(Filters._date, "<"),
    "is_date_after": _sign(Filters._date, ">"),
    "icontains_multi": Filters._contains,
    "not_icontains_multi": _not(Filters._contains),
    "is_cleaned_path_exact": Filters._cleaned,
    **{name: _sign(Filters._version, name) for name in (*versions.SIGNS, *versions.RANGES)},
}
FIELDS: dict[str, Callable[[Filters, PropertyFilter], str]] = {
    "event": Filters._event,
    "person": Filters._person,
    "event_metadata": Filters._metadata,
    "hogql": Filters._hogql,
    "feature": Filters._event,
    "group": Filters._group_property,
    "session": Filters._session,
    "element": Filters._element,
    "cohort": Filters._cohort,
    "static-cohort": Filters._cohort,
    "precalculated-cohort": Filters._cohort,
    "behavioral": Filters._behaviour,
}
