"""What can be selected from: types, fields, subqueries. Events and persons are in people.py, others in tables.py."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries import sessions
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql.exact import nullable


@dataclass(frozen=True)
class Typed:
    """SQL and the type of its value, in ClickHouse's words. Times are the project's wall clock.

    `shown` is the narrower type that matters to what is computed of it; `exact` is what an answer names, see exact.py.
    """

    sql: str
    type: str = "String"
    nullable: bool = True
    shown: str | None = None
    exact: str | None = None


# What a time is shown as that has no fraction of a second.
SECONDS = "seconds"


def type_name(typed: Typed, zone: str) -> str:
    """The type in ClickHouse's words."""
    name = re.sub(r"\bDateTime\b", lambda _: f"DateTime64(6, '{zone}')", exact_type(typed))
    return re.sub(r"\bseconds\b", lambda _: f"DateTime('{zone}')", name)


def exact_type(typed: Typed) -> str:
    """The type as exact as it is known."""
    if typed.exact:
        return typed.exact
    name = {"Any": "String", "Nothing": "Nullable(Nothing)"}.get(typed.type, typed.shown or typed.type)
    return nullable(name) if typed.nullable else name


Clock = Callable[[str], str]
# What makes the second of two columns of one name another.
TWIN = "\u200b"
# PostHog keeps when a person or group came into being by the millisecond.
MILLISECONDS = "date_trunc('millisecond', {0})"
PROPERTY_CASTS = {
    "Numeric": ("try_cast({0} as double)", "Float64"),
    "Boolean": ("try_cast({0} as boolean)", "Bool"),
}
TIME = "coalesce(try_cast({0} as timestamptz)::timestamp, make_timestamp((try_cast({0} as double) * 1000000)::bigint))"


SESSION_KINDS = {"String": "String", "Numeric": "UInt64", "DateTime": "DateTime", "Boolean": "UInt8"}
# Types of facts about sessions, where they are not what the kind of the fact says.
SESSION_TYPES = {
    "$urls": Typed("", "Array(String)", False),
    "$session_duration": Typed("", "Int64", False),
    "$channel_type": Typed("", "String", False),
    "$vitals_lcp": Typed("", "Float64", True),
}


def session_type(name: str) -> Typed | None:
    """The type of a fact about sessions; None when there is none of that name."""
    if name not in sessions.FIELDS:
        return None
    kind = sessions.FIELDS[name][2]
    return SESSION_TYPES.get(name) or Typed("", SESSION_KINDS[kind], kind not in ("Numeric", "DateTime"))


class Source:
    """Something in FROM, under a name; `kept` are conditions on its rows that no clause says.

    `optional`: an outer join may leave it out, and then its columns have the defaults of their types.
    `computed`: its fields that are expressions to PostHog. `everywhere`: what is the same in all its rows.
    """

    kept: list[str] = []
    computed: tuple[str, ...] = ()
    optional = False
    everywhere: dict[str, Typed] = {}

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.name = identifier(alias)

    def find(self, chain: tuple[str, ...]) -> Typed | None:
        """The field a chain of names leads to, or what is the same in all rows; None when there is none."""
        return self.field(chain) or (self.everywhere.get(chain[0]) if len(chain) == 1 else None)

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        """The field a chain of names leads to; None when there is none."""
        raise NotImplementedError

    def star(self) -> tuple[str, ...]:
        """The names that `*` stands for."""
        raise NotImplementedError

    def known(self) -> tuple[str, ...]:
        """Names to suggest when one is not found."""
        return self.star()

    def tables(self) -> str:
        """SQL for FROM. Asked last, when it is known what is needed."""
        raise NotImplementedError


@dataclass(frozen=True)
class Relation:
    """A compiled query: its SQL, and the name and type of each column."""

    sql: str
    columns: dict[str, Typed] = field(default_factory=dict)


class Derived(Source):
    """A subquery, a common table expression or a table function."""

    def __init__(self, alias: str, relation: Relation) -> None:
        super().__init__(alias)
        self.relation = relation

    def field(self, chain: tuple[str, ...]) -> Typed | None:
        columns = self.relation.columns
        name = next((each for each in columns if each.split(TWIN)[0] == chain[0]), None)
        if name is None:
            return None
        here = replace(columns[name], sql=f"{self.name}.{identifier(name)}")
        return member(here, chain[1:])

    def star(self) -> tuple[str, ...]:
        return tuple(self.relation.columns)

    def tables(self) -> str:
        return f"({self.relation.sql}) {self.name}"


class Elements(Derived):
    """The elements of arrays, after ARRAY JOIN. `*` does not list them."""

    def star(self) -> tuple[str, ...]:
        return ()

    def known(self) -> tuple[str, ...]:
        return tuple(self.relation.columns)


def member(owner: Typed, rest: tuple[str, ...]) -> Typed | None:
    """A key inside a JSON text: `properties` of a subquery stays searchable."""
    if not rest:
        return owner
    if owner.type != "String":
        return None
    path = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in rest)
    quoted = "'" + path.replace("'", "''") + "'"
    return Typed(f"(case when json_valid({owner.sql}) then {owner.sql}::json end ->> {quoted})")


def cast(sql: str, kind: str | None, clock: Clock) -> Typed:
    """A property's text as what its values are."""
    if kind == "DateTime":
        return Typed(clock(TIME.format(sql)), "DateTime")
    template, name = PROPERTY_CASTS.get(kind or "", ("{0}", "String"))
    return Typed(template.format(sql), name)


UNKNOWN_TABLES = {
    "exchange_rate": "rates of currencies are not loaded",
    "log_entries": "logs are not loaded; use events",
    "heatmaps": "heatmaps are not loaded; use events",
    "cohorts": "use `cohort_people`, or IN COHORT",
}


def unknown_table(name: str, known: list[str]) -> QueryError:
    """The error for a table that is not there."""
    from difflib import get_close_matches

    if name in UNKNOWN_TABLES:
        return QueryError(f"Table `{name}` is not supported yet; {UNKNOWN_TABLES[name]}.", "unknown_table", "query")
    near = get_close_matches(name, known, 1)
    hint = f" Did you mean `{near[0]}`?" if near else f" Known are {', '.join(known)}."
    return QueryError(f"Unknown table `{name}`.{hint}", "unknown_table", "query")
