"""By what a funnel is split: the value of an event, and which of their events' values a person counts under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from insights_mcp.local.queries import cohorts
from insights_mcp.local.queries.breakdowns import FIELDS, NONE, Split, cohort
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.filters import Breakdown, BreakdownFilter
from insights_mcp.schema.funnels import FunnelsFilter

if TYPE_CHECKING:
    from insights_mcp.local.queries.funnels.funnel import Funnel

LIMIT = 25
OTHER = "Other"
ALL_USERS = "0"
TRAILING = r"[\\/?#]*$"
# A name alone means a list of one, but for these.
SCALAR = frozenset({"group", "cohort"})
# Of these, none is not the same as an empty text, where events are not asked for the first or last value they have.
COMPUTED = frozenset({"hogql", "event_metadata"})
# Of these there can be many values, so the rarer ones are "Other"; and a person's times are their shortest.
LIMITED = frozenset({"event", "person", "group"})


@dataclass(frozen=True)
class Values:
    """What to split by. `listed`: a value is a list of texts, not one text."""

    items: list[Breakdown]
    type: str
    listed: bool
    normalize_url: bool
    limit: int
    attribution: str
    step: int

    @classmethod
    def of(cls, by: BreakdownFilter | None, given: FunnelsFilter) -> Values | None:
        """What a query splits by; None when it does not."""
        items = _items(by) if by else []
        if not by or not items:
            return None
        kind = items[0].type or "event"
        if kind == "cohort":
            items = [item.model_copy(update={"property": str(cohort(item.property))}) for item in items]
        return cls(
            items,
            kind,
            bool(by.breakdowns) or (isinstance(by.breakdown, list) and kind != "cohort") or kind not in SCALAR,
            bool(by.breakdown_normalize_url or items[0].normalize_url),
            by.breakdown_limit or LIMIT,
            given.breakdownAttributionType or "first_touch",
            given.breakdownAttributionValue or 0,
        )

    @property
    def splits_events(self) -> bool:
        """Whether each event counts under its own value only."""
        return self.attribution == "all_events" or self.type == "cohort"

    @property
    def by_step(self) -> bool:
        """Whether a person counts under the values they had at one step."""
        return self.attribution == "step" and not self.splits_events

    @property
    def limited(self) -> bool:
        return self.type in LIMITED

    @property
    def none(self) -> str:
        """What stands for no value."""
        return NONE if self.type in COMPUTED and self.attribution in ("all_events", "step") else ""

    @property
    def empty(self) -> str:
        """SQL: the value of who has none."""
        return "[" + ", ".join("''" for _ in self.items) + "]"

    @property
    def size(self) -> int:
        """How many texts make a value. Of several cohorts each is one by itself."""
        return 1 if self.type == "cohort" else len(self.items)

    def of_event(self, funnel: Funnel) -> str:
        """SQL: the value of one event, a list of texts."""
        if self.type == "cohort":
            return f"unnest({self._cohorts(funnel)})"
        fields = (self._field(item, funnel) for item in self.items)
        return "[" + ", ".join(f"coalesce({field}, '{self.none}')" for field in fields) + "]"

    def _cohorts(self, funnel: Funnel) -> str:
        """SQL: the cohorts that an event's person is in."""
        arms = [
            f"['{ALL_USERS}']"
            if item.property == "all"
            else f"case when {cohorts.member(item.property, funnel.filters)} then [{_bound(item, funnel.scan)}] end"
            for item in self.items
        ]
        return f"list_filter([{', '.join(arms)}], lambda x: x is not null)"

    def _field(self, item: Breakdown, funnel: Funnel) -> str:
        kind = item.type or "event"
        if kind not in FIELDS:
            raise QueryError(
                f"A funnel cannot be split by '{kind}'. Use one of {', '.join((*FIELDS, 'cohort'))}.",
                attr="breakdownFilter",
            )
        split = Split(str(item.property), kind, group_type_index=item.group_type_index)
        field = split.named(FIELDS[kind](split, funnel.filters), funnel.filters, none="")
        if not (self.normalize_url and kind == "event"):
            return field
        return f"coalesce(nullif(regexp_replace({field}, {funnel.scan.bind(TRAILING)}, ''), ''), '/')"

    def attributed(self, funnel: Funnel) -> str:
        """SQL: who counts under which value, when that is not each event's own."""
        if self.by_step:
            rotations = range(funnel.count) if funnel.order == "unordered" else range(1)
            return " union ".join(
                f"select a, v, {rotation} as r from marks where {funnel.is_step((self.step + rotation) % funnel.count)}"
                for rotation in rotations
            )
        best = "arg_min" if self.attribution == "first_touch" else "arg_max"
        told = " filter (len(list_filter(v, lambda x: x <> '')) > 0)" if self.listed else ""
        return f"select a, coalesce({best}(v, ts){told}, {self.empty}) as v from marks group by a"

    def shown(self, value: list[str]) -> Any:
        """A value as the results hold it: a cohort's number, a text, or a list of texts."""
        if self.type == "cohort":
            return int(value[0])
        texts = [None if self.none and text == self.none else text for text in value]
        return texts if self.listed else texts[0]

    def named(self, value: list[str], funnel: Funnel) -> Any:
        """A value as it is read: a cohort's name."""
        if self.type != "cohort":
            return self.shown(value)
        known = funnel.context.project.cohorts.get(int(value[0]))
        return "all users" if value[0] == ALL_USERS or not known else known.name


def same(funnel: Funnel) -> str:
    """SQL that holds where two rows, of `c` and of `n`, are of one key.

    Texts are compared one by one: an ASOF join of DuckDB 2.0 by a column and a list takes other lists for the same.
    """
    texts = [f"v[{place}]" for place in range(1, funnel.values.size + 1)] if funnel.values else []
    columns = ["a", *(texts if funnel.split else [])]
    return " and ".join(f"c.{column} = n.{column}" for column in columns)


def _bound(item: Breakdown, scan: Scan) -> str:
    return scan.bind(str(item.property)) + "::varchar"


def _items(given: BreakdownFilter) -> list[Breakdown]:
    if given.breakdowns:
        return given.breakdowns
    names = given.breakdown if isinstance(given.breakdown, list) else [given.breakdown]
    return [
        Breakdown(property=name, type=given.breakdown_type, group_type_index=given.breakdown_group_type_index)
        for name in names
        if name is not None and name != ""
    ]
