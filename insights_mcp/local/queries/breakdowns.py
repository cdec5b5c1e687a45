"""Breakdowns: which values a row falls under, which values are shown, and the rest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from insights_mcp.local.queries import cohorts, sessions, unsupported, urls
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.properties import METADATA, Filters
from insights_mcp.schema.filters import Breakdown, BreakdownFilter

OTHER = "$$_posthog_breakdown_other_$$"
NONE = "$$_posthog_breakdown_null_$$"
ALL = "all"
LIMIT = 25
# Stands for all bins together.
ALL_BINS = '["",""]'
WHOLE = r"regexp_replace({x}, '\.0+$', '')"
NUMBER = WHOLE.format(x="({x})::varchar")
# A number as ClickHouse writes it: a whole one with all its digits.
WRITTEN = f"case when {{x}} = trunc({{x}}) and abs({{x}}) < 1e18 then {{x}}::bigint::varchar else {NUMBER} end"
# A date names its zone, or is the project's; a number counts seconds since 1970, or thousandths or millionths of them.
TIME = """case when regexp_full_match({x}, ' *\\d{{4}}[-/]\\d\\d?[-/]\\d\\d?([T ][\\d:.]*)?')
      then try_cast(replace({x}, '/', '-') as timestamp)
    when regexp_matches({x}, '^ *\\d{{4}}-\\d') then timezone({zone}, try_cast({x} as timestamptz))
    when regexp_full_match({x}, '(\\d{{9,10}}|\\d{{13}}|\\d{{16}})(\\.\\d+)?') then timezone({zone}, to_timestamp(
      try_cast({x} as double) / case length(split_part({x}, '.', 1)) when 13 then 1e3 when 16 then 1e6 else 1 end))
  end"""
# How PostHog reads the texts of a property that has a type: what cannot be read is none.
TYPED = {
    "DateTime": f"coalesce(strftime({TIME}, '%Y-%m-%d %H:%M:%S.%f'), {{none}})",
    "Numeric": "case when regexp_full_match({x}, '-?(0|[1-9]\\d{{0,14}})(\\.\\d{{0,9}}[1-9])?') then {x} "
    f"else coalesce({WRITTEN.format(x='try_cast({x} as double)')}, {{none}}) end",
    "Boolean": "case when {x} in ('true', 'false') then {x} else {none} end",
}
# Bins of equal width, named by their bounds; the last one holds its upper bound, so that is named a little higher. A
# value is in the last bin that begins at or below it.
STEP = "(high{n} - low{n}) / {count} * {i} + low{n}"
STARTS = "list_transform(range({count}), lambda i: {start}) as starts{n}"
NAMES = """list_transform(range({count}), lambda i:
      '[' || {start} || ',' || case when i = {count} - 1 then {above} else {end} end || ']') as names{n}"""
BIN = "coalesce(bins.names{n}[len(list_filter(bins.starts{n}, lambda start: start <= {number}))], {none})"
WORLD_MAP, WORLD_LIMIT = "WorldMap", 250


@dataclass(frozen=True)
class Split:
    """One property to split by."""

    property: str
    type: str
    normalize_url: bool = False
    bins: int | None = None
    group_type_index: int | None = None
    clean_path: bool = False

    def text(self, filters: Filters) -> str:
        """SQL: the property's text, or NULL."""
        field = FIELDS[self.type](self, filters)
        if self.normalize_url:
            field = urls.normalized(field)
        rules = filters.context.project.path_cleaning_filters
        return urls.cleaned(field, rules, filters.scan) if self.clean_path else field

    def value(self, filters: Filters) -> str:
        """SQL: the value a row falls under; never NULL."""
        return self.named(f"coalesce(nullif({self.text(filters)}, ''), {filters.scan.bind(NONE)})", filters)

    def raw(self, filters: Filters) -> str:
        """SQL: the same, but that none is ''. Grouping by a function of one column takes half the time of a CASE."""
        return f"concat({self.text(filters)}, '')"

    def is_typed(self, filters: Filters) -> bool:
        """Whether several texts can be called alike."""
        return self._kind(filters) in TYPED

    def is_number(self, filters: Filters) -> bool:
        """Whether its values are numbers, which are compared faster than texts are made alike."""
        return self._kind(filters) == "Numeric"

    def _kind(self, filters: Filters) -> str:
        catalogue = filters.context.catalogue
        kinds = {
            "event": catalogue.event_types.get(self.property),
            "person": catalogue.person_types.get(self.property),
            "group": catalogue.group_property_types.get((self.group_type_index or 0, self.property)),
        }
        return kinds.get(self.type) or ""

    def named(self, value: str, filters: Filters, none: str = NONE) -> str:
        """SQL: a value as it is called: a number without needless decimals, however it was sent."""
        typed = TYPED.get(self._kind(filters))
        if typed is None:
            return value
        bind = filters.scan.bind
        return typed.format(x=value, none=bind(none), zone=bind(filters.context.project.timezone))

    def number(self, filters: Filters) -> str:
        """SQL: the property as a number, or NULL."""
        return f"try_cast({self.text(filters)} as double)"

    def edges(self, number: int) -> str:
        """SQL: where each bin starts, and what it is called, from the least and the greatest number."""
        count = self.bins

        def step(i: str) -> str:
            return STEP.format(n=number, count=count, i=i)

        bounds = {"start": step("i"), "end": step("(i + 1)"), "above": f"{step('(i + 1)')} + 0.01"}
        texts = {name: NUMBER.format(x=x) for name, x in bounds.items()}
        starts = STARTS.format(n=number, count=count, start=bounds["start"])
        return f"{starts},\n    {NAMES.format(n=number, count=count, **texts)}"


@dataclass(frozen=True)
class By:
    """What to split by. `listed`: it came in the newer list form, so its values are lists."""

    splits: tuple[Split, ...]
    listed: bool
    limit: int
    hide_other: bool
    cohorts: tuple[int | str, ...] = ()

    @property
    def is_several(self) -> bool:
        """Several properties at once: a value is a list of values."""
        return len(self.splits) > 1

    @property
    def together(self) -> bool:
        """Cohorts are counted each by itself, unless everybody is asked for beside them."""
        return ALL not in self.cohorts

    def value(self, filters: Filters, *, whole: bool = False) -> str:
        """SQL: what a row is grouped by: a text, or a list of texts. Bins are made of the numbers that were found.

        `whole`: values that are called alike may be told apart, which is faster.
        """
        if self.cohorts:
            return "cohort.name"
        if not self.is_several:
            split = self.splits[0]
            if split.bins:
                return split.number(filters)
            if whole or not split.is_typed(filters):
                return split.raw(filters)
            return split.number(filters) if split.is_number(filters) else split.value(filters)
        values = [f"{each.number(filters)}::varchar" if each.bins else each.value(filters) for each in self.splits]
        return f"[{', '.join(values)}]"

    def shown(self, filters: Filters, *, whole: bool = False) -> str:
        """SQL: the value that is shown for `b`, what was grouped by. That of bins needs the table `bins` beside it."""
        if self.cohorts or (self.is_several and not self.binned):
            return "b"
        none = filters.scan.bind(NONE)
        if self.is_several:
            values = [
                self._bin(number, none) if each.bins else f"b[{number + 1}]" for number, each in enumerate(self.splits)
            ]
            return f"[{', '.join(values)}]"
        if self.binned:
            return self._bin(0, none)
        if not whole and self.splits[0].is_number(filters):
            return f"coalesce({WRITTEN.format(x='b')}, {none})"
        return self.splits[0].named(f"case b when '' then {none} else b end", filters)

    def _bin(self, place: int, none: str) -> str:
        return BIN.format(n=place, number=self._number(place), none=none)

    def _number(self, place: int) -> str:
        return f"b[{place + 1}]::double" if self.is_several else "b"

    @property
    def binned(self) -> dict[int, Split]:
        """The properties that are put into bins, by their place."""
        return {number: split for number, split in enumerate(self.splits) if split.bins}

    def bounds(self) -> str:
        """SQL: the least and the greatest number of each binned property, of what was grouped by."""
        found = {place: self._number(place) for place in self.binned}
        return ", ".join(
            f"min({number}) as low{place}, max({number}) as high{place}" for place, number in found.items()
        )

    def edges(self) -> str:
        """SQL: the bins of each binned property, from its bounds."""
        return ",\n    ".join(split.edges(number) for number, split in self.binned.items())

    def tables(self, filters: Filters) -> str:
        """SQL: what must be joined to events for the value."""
        if not self.cohorts:
            return ""
        each = [
            f"select pid, {filters.scan.bind(str(number))} as name from ({_members(number, filters)})"
            for number in self.cohorts
        ]
        return f" join ({' union all '.join(each)}) cohort on cohort.pid = {filters.scan.events}.pid"


def _members(number: Any, filters: Filters) -> str:
    if number == ALL:
        return "select pid from persons"
    return cohorts.members(cohorts.found(number, filters), filters)


def of(given: BreakdownFilter | None, display: str = "") -> By | None:
    """What a query asks to split by; None when it does not. A world map has room for every country."""
    items = _items(given) if given else []
    if given is None or not items:
        return None
    kind = given.breakdown_type or "event"
    limit = WORLD_LIMIT if display == WORLD_MAP else given.breakdown_limit or LIMIT
    shown = (bool(given.breakdowns), limit, bool(given.breakdown_hide_other_aggregation))
    if (items[0].type or kind) == "cohort":
        return By((), *shown, tuple(cohort(item.property) for item in items))
    return By(tuple(_split(item, given, kind) for item in items), *shown)


def _split(item: Breakdown, given: BreakdownFilter, kind: str) -> Split:
    number, bins = item.group_type_index, item.histogram_bin_count or given.breakdown_histogram_bin_count
    if bins is not None and bins < 1:
        raise QueryError("histogram_bin_count must be at least 1.", attr="breakdownFilter")
    return Split(
        str(item.property),
        _type(item.type or kind),
        bool(item.normalize_url or given.breakdown_normalize_url),
        bins,
        given.breakdown_group_type_index if number is None else number,
        bool(given.breakdown_path_cleaning),
    )


def cohort(name: str | int) -> int | str:
    """The number of a cohort to split by, or ALL. Raises QueryError."""
    if name != ALL and not str(name).isdigit():
        raise QueryError(f"'{name}' is no cohort. Give the number of one, or 'all'.", attr="breakdownFilter")
    return ALL if name == ALL or int(name) == 0 else int(name)


def _items(given: BreakdownFilter) -> list[Breakdown]:
    if given.breakdowns:
        return given.breakdowns
    names = given.breakdown if isinstance(given.breakdown, list) else [given.breakdown]
    return [Breakdown(property=name) for name in names if name is not None and name != ""]


def _type(kind: str) -> str:
    if kind in FIELDS:
        return kind
    raise unsupported.feature(unsupported.FILTER_TYPES, kind, "breakdownFilter") or QueryError(
        f"A breakdown by '{kind}' is not supported by the embedded backend: use {', '.join(FIELDS)} or cohort.",
        attr="breakdownFilter",
    )


def _event(split: Split, filters: Filters) -> str:
    return filters.scan.event_property(split.property)


def _person(split: Split, filters: Filters) -> str:
    return filters.scan.person_property(split.property)


def _group(split: Split, filters: Filters) -> str:
    return filters.scan.group_property(filters.group_type(split.group_type_index), split.property)


def _session(split: Split, filters: Filters) -> str:
    text = filters.scan.session_property(sessions.checked(split.property))
    # Whether it bounced is a number to ClickHouse, which has no other truth there.
    return f"({text})::boolean::integer::varchar" if sessions.FIELDS[split.property][2] == "Boolean" else text


def _hogql(split: Split, filters: Filters) -> str:
    from insights_mcp.local.queries.hogql import text_of

    return text_of(split.property, filters.scan, filters.context)


def _metadata(split: Split, filters: Filters) -> str:
    if split.property.startswith("$group_") and split.property[7:].isdigit():
        return filters.scan.group_key(filters.group_type(int(split.property[7:])))
    if split.property in METADATA:
        return f"{filters.scan.events}.{METADATA[split.property]}"
    raise QueryError(
        f"'{split.property}' is no field of events. Use {', '.join(METADATA)} or $group_0.", attr="breakdownFilter"
    )


FIELDS: dict[str, Callable[[Split, Filters], str]] = {
    "event": _event,
    "person": _person,
    "group": _group,
    "session": _session,
    "hogql": _hogql,
    "event_metadata": _metadata,
}
