"""How a property's text is compared with a filter's value: every operator, by the type that the catalogue knows.

A missing property is unequal to everything, contains nothing and matches nothing, as in PostHog.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from insights_mcp.local.queries import dates, unsupported, urls, versions
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.filters import PropertyFilter

ALWAYS = "true"


@dataclass(frozen=True)
class Field:
    """What is compared: the SQL of a property's text, and the type of its values. `time`: the column that it tells."""

    sql: str
    kind: str | None
    scan: Scan
    context: Context
    time: str | None = None

    @property
    def text(self) -> str:
        """SQL: the text, or NULL where it is no value of the type: the property counts as not set there."""
        cast = CASTS.get(self.kind or "")
        return self.sql if cast is None or self.time else f"(case when {cast.format(self.sql)} then {self.sql} end)"


# What says that a text is a value of a type.
CASTS = {
    "Numeric": "try_cast({0} as double) is not null",
    "Boolean": "{0} in ('true', 'false')",
    "DateTime": "try_cast({0} as timestamptz) is not null or try_cast({0} as double) is not null",
}


def joined(word: str, parts: list[str]) -> str:
    """SQL: conditions joined by `and` or `or`; none at all always hold."""
    if not parts:
        return ALWAYS
    return parts[0] if len(parts) == 1 else "(" + f" {word} ".join(parts) + ")"


def text(value: Any) -> str:
    """A filter's value as the text a property would have."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def listed(value: Any) -> list[Any]:
    """A filter's values, where it may have one or several."""
    return value if isinstance(value, list) else [value]


def compared(field: Field, item: PropertyFilter) -> str:
    """SQL that holds where a field is as a filter says."""
    operator = item.operator or "exact"
    refused = unsupported.feature(unsupported.OPERATORS, operator, "properties")
    if refused:
        raise refused
    if item.value == [] and operator not in (*UNVALUED, *PAIRS):
        return ALWAYS
    return OPERATORS[operator](field, item.value)


# -- one function for each family of operators; NULL counts as false ---------------------------------------------------


def _exact(field: Field, value: Any) -> str:
    values = listed(value)
    if field.kind == "DateTime" and all(map(dates.is_date, values)):
        return joined("or", [_at("=", field, each) for each in values])
    if field.kind == "Numeric" or (field.kind is None and all(map(_is_number, values))):
        numbers = [number for each in values if (number := _number(each)) is not None]
        if len(numbers) == len(values) and numbers:
            return f"try_cast({field.sql} as double) in {_list(field, numbers, 'double')}"
    texts = [text(each) for each in values]
    if len(texts) == 1:
        return f"{field.sql} = {field.scan.bind(texts[0])}"
    return f"{field.sql} in {_list(field, texts, 'varchar')}"


def _list(field: Field, values: Iterable[Any], kind: str) -> str:
    return f"(select unnest({field.scan.bind(list(values))}::{kind}[]))"


def _contains(field: Field, value: Any) -> str:
    """One value may hold % and _ for any characters; several are looked for as they are."""
    values = listed(value)
    if len(values) > 1:
        return _contains_one_of(field, values)
    return f"{field.text} ilike {field.scan.bind(f'%{text(values[0])}%')}"


def _contains_one_of(field: Field, value: Any) -> str:
    names = [field.scan.bind(text(each)) for each in listed(value)]
    return joined("or", [f"contains(lower({field.text}), lower({name}))" for name in names])


def _lacks(field: Field, value: Any) -> str:
    """What is missing lacks one value, but passes no filter of several: so it is in PostHog."""
    return _lacks_all(field, value) if len(listed(value)) > 1 else _not(_contains)(field, value)


def _lacks_all(field: Field, value: Any) -> str:
    return f"coalesce(not ({_contains_one_of(field, value)}), false)"


def _matches(field: Field, value: Any) -> str:
    """A dot in a pattern is any character, the end of a line too."""
    return joined("or", [f"regexp_matches({field.text}, {field.scan.bind(text(each))}, 's')" for each in listed(value)])


def _set(field: Field, value: Any) -> str:
    return f"({field.text} is not null)"


def _than(sign: str, field: Field, value: Any) -> str:
    value = _first(value)
    number = None if field.kind == "String" and isinstance(value, str) else _number(value)
    if field.kind == "DateTime":
        return _at(sign, field, value)
    if number is not None:
        return f"try_cast({field.sql} as double) {sign} {field.scan.bind(number)}"
    return f"{field.sql} {sign} {field.scan.bind(text(value))}"


def _between(field: Field, value: Any) -> str:
    low, high = _bounds(value)
    return f"({_than('>=', field, low)} and {_than('<=', field, high)})"


def _outside(field: Field, value: Any) -> str:
    low, high = _bounds(value)
    return f"({_than('<', field, low)} or {_than('>', field, high)})"


def _date(sign: str, field: Field, value: Any) -> str:
    return _at(sign, field, _first(value))


def _version(name: str, field: Field, value: Any) -> str:
    given, number = text(_first(value)), versions.sortable(field.sql)
    if name in versions.SIGNS:
        bound = field.scan.bind(versions.parsed(given))
        return f"{number} {versions.SIGNS[name]} {bound}::bigint[]"
    low, high = (field.scan.bind(bound) for bound in versions.RANGES[name](given))
    # Alone, DuckDB makes a range of the two, which it cannot do with lists.
    return f"coalesce({number} >= {low}::bigint[] and {number} < {high}::bigint[], false)"


def _cleaned(field: Field, value: Any) -> str:
    """Both the path and the value are cleaned by the project's rules."""
    rules, scan = field.context.project.path_cleaning_filters, field.scan
    path = urls.cleaned(field.sql, rules, scan)
    wanted = [urls.cleaned(f"{scan.bind(text(each))}::varchar", rules, scan) for each in listed(value)]
    return joined("or", [f"{path} = {each}" for each in wanted])


def _at(sign: str, field: Field, value: Any) -> str:
    """SQL that compares a time; one that names no zone is the project's."""
    now = field.context.local_now
    moment, _ = dates.parsed(text(value), now)
    if field.time:
        return f"{field.time} {sign} {field.scan.bind(moment.astimezone(UTC).replace(tzinfo=None))}"
    as_utc, as_clock = (moment.astimezone(zone).replace(tzinfo=None) for zone in (UTC, now.tzinfo))
    compared = f"{_time(field.sql)} {sign} {field.scan.bind(as_utc)}"
    if as_utc == as_clock:
        return compared
    is_clock = f"typeof({field.sql}) = 'VARCHAR' and regexp_full_match({field.sql}::varchar, '{CLOCK}')"
    clock = f"try_cast({field.sql}::varchar as timestamp) {sign} {field.scan.bind(as_clock)}"
    return f"case when {is_clock} then {clock} else {compared} end"


CLOCK = r"\s*\d{4}-\d\d-\d\d([T ][\d:.]*)?\s*"


def _time(sql: str) -> str:
    """SQL: a property as a UTC time; seconds since 1970 count as one."""
    return (
        f"coalesce(try_cast({sql} as timestamptz)::timestamp,"
        f" make_timestamp(try_cast(try_cast({sql}::varchar as double) * 1000000 as bigint)))"
    )


# -- values ------------------------------------------------------------------------------------------------------------


def _first(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    return value[0] if value else None


def _bounds(value: Any) -> tuple[Any, Any]:
    if not isinstance(value, list) or len(value) != 2:
        raise QueryError("'between' needs a value of two bounds, such as [1, 10].", attr="properties")
    low, high = map(_number, value)
    if low is not None and high is not None and low > high:
        raise QueryError("'between' needs the lower bound first, such as [1, 10].", attr="properties")
    return value[0], value[1]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


# -- the table ---------------------------------------------------------------------------------------------------------

Compare = Callable[[Field, Any], str]


def _not(compare: Compare) -> Compare:
    return lambda field, value: f"(not coalesce({compare(field, value)}, false))"


def _sign(compare: Callable[[str, Field, Any], str], sign: str) -> Compare:
    return lambda field, value: compare(sign, field, value)


NEGATED = ("is_not", "not_in", "not_icontains", "not_regex", "not_between", "not_icontains_multi")
UNVALUED = ("is_set", "is_not_set")
PAIRS = ("between", "not_between")
OPERATORS: dict[str, Compare] = {
    "exact": _exact,
    "in": _exact,
    "is_not": _not(_exact),
    "not_in": _not(_exact),
    "icontains": _contains,
    "not_icontains": _lacks,
    "icontains_multi": _contains_one_of,
    "not_icontains_multi": _lacks_all,
    "regex": _matches,
    "not_regex": _not(_matches),
    "is_set": _set,
    "is_not_set": _not(_set),
    "gt": _sign(_than, ">"),
    "lt": _sign(_than, "<"),
    "gte": _sign(_than, ">="),
    "min": _sign(_than, ">="),
    "lte": _sign(_than, "<="),
    "max": _sign(_than, "<="),
    "between": _between,
    "not_between": _outside,
    "is_date_exact": _sign(_date, "="),
    "is_date_before": _sign(_date, "<"),
    "is_date_after": _sign(_date, ">"),
    "is_cleaned_path_exact": _cleaned,
    **{name: _sign(_version, name) for name in (*versions.SIGNS, *versions.RANGES)},
}
