"""Property filters as SQL: whose property each is, nested AND and OR. comparing.py knows the operators."""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.queries import cohorts, elements, sessions, unsupported
from insights_mcp.local.queries.comparing import ALWAYS, NEGATED, UNVALUED, Field, compared, joined, listed, text
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.project import Context
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.filters import Properties, PropertyFilter, PropertyGroup

__all__ = ["ALWAYS", "FIELDS", "METADATA", "Filters", "joined"]

METADATA = {"event": "event", "distinct_id": "distinct_id", "uuid": "uuid::varchar", "timestamp": "timestamp::varchar"}


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
        return joined((group.type or "AND").lower(), [self.one(item) for item in group.values])

    def _compared(self, sql: str, kind: str | None, item: PropertyFilter) -> str:
        return compared(Field(sql, kind, self.scan, self.context), item)

    def _timed(self, column: str, item: PropertyFilter) -> str:
        return compared(Field(f"{column}::varchar", "DateTime", self.scan, self.context, time=column), item)

    def _event(self, item: PropertyFilter) -> str:
        key = _key(item)
        if key == "$elements_chain":
            return self._compared(f"{self.scan.events}.elements_chain", "String", item)
        field = self.scan.event_property(key)
        if key in LISTS and item.operator not in UNVALUED:
            return self._one_of(LISTED.format(field), item)
        return self._compared(field, self.context.catalogue.event_types.get(key), item)

    def _person(self, item: PropertyFilter) -> str:
        key, known = _key(item), self.context.catalogue.person_types
        if key in ("id", "person_id") and key not in known:
            self.scan.with_persons = True
            return self._compared(f"{self.scan.persons}.person_id::varchar", "String", item)
        if key == "distinct_id":
            self.scan.with_persons = True
            found, negated = self._compared("d.distinct_id", "String", item), item.operator in (*NEGATED, "is_not_set")
            ids = f"select d.pid from person_distinct_ids d where {'not ' * negated}({found})"
            return f"{self.scan.persons}.pid {'not ' * negated}in ({ids})"
        return self._compared(self.scan.person_property(key), known.get(key), item)

    def _person_metadata(self, item: PropertyFilter) -> str:
        if _key(item) != "created_at":
            raise QueryError(f"'{_key(item)}' is no field of persons. Use created_at.", attr="properties")
        self.scan.with_persons = True
        return self._timed(f"{self.scan.persons}.created_at", item)

    def _metadata(self, item: PropertyFilter) -> str:
        key = _key(item)
        if key == "person_id":
            return self._person(item)
        if key.startswith("$group_") and key[7:].isdigit():
            return self._compared(self.scan.group_key(self.group_type(int(key[7:]))), "String", item)
        if key == "elements_chain":
            return self._compared(f"{self.scan.events}.elements_chain", "String", item)
        if key == "timestamp":
            return self._timed(f"{self.scan.events}.timestamp", item)
        if key not in METADATA:
            raise QueryError(
                f"'{key}' is no field of events. Use {', '.join(METADATA)} or person_id.", attr="properties"
            )
        return self._compared(f"{self.scan.events}.{METADATA[key]}", "String", item)

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
            names = ", ".join(f"{each} ({name})" for each, name in sorted(known.items())) or "none yet"
            raise QueryError(f"Say which type of group by group_type_index; known are {names}.", attr="properties")
        return number

    def _session(self, item: PropertyFilter) -> str:
        key = sessions.checked(_key(item))
        return self._compared(self.scan.session_property(key), sessions.FIELDS[key][2], item)

    def _element(self, item: PropertyFilter) -> str:
        key, operator = _key(item), item.operator or "exact"
        if key == "href":
            return self._compared(elements.link(self.scan), "String", item)
        if key == "selector":
            if operator not in EQUALITY:
                raise QueryError("A selector can be 'exact' or 'is_not'.", attr="properties")
            found = joined("or", [elements.selected(text(each), self.scan) for each in listed(item.value)])
        else:
            fields, is_tag = elements.texts(key, self.scan), key == "tag_name" and operator in EQUALITY
            if not is_tag:
                return self._any(fields, item)
            found = self._any(fields, item.model_copy(update={"operator": "exact"}))
        return found if operator == "exact" else f"(not {found})"

    def _any(self, fields: str, item: PropertyFilter) -> str:
        """SQL: one of the texts in a list is as the filter says; of a negated filter's values, to each is another."""
        operator = item.operator or "exact"
        if operator == "is_not_set":
            return f"(len({fields}) = 0)"
        # One of several values is one filter each: a lambda can hold no subquery.
        each = [self._compared("x", "String", item.model_copy(update={"value": value})) for value in listed(item.value)]
        holds = [f"(len(list_filter({fields}, lambda x: {condition})) > 0)" for condition in each]
        return joined("and" if operator in NEGATED else "or", holds)

    def _one_of(self, fields: str, item: PropertyFilter) -> str:
        """SQL: one of the texts in a list is one of the filter's values, or if that is negated, none of them."""
        values = listed(item.value)
        each = [self._compared("x", "String", item.model_copy(update={"value": value})) for value in values]
        holds = joined("and" if item.operator in NEGATED else "or", each)
        return f"(len(list_filter({fields}, lambda x: {holds})) > 0)" if values else ALWAYS

    def _cohort(self, item: PropertyFilter) -> str:
        found = joined("or", [cohorts.member(cohort, self) for cohort in listed(item.value)])
        # Inside a cohort's definition, a filter says so with `negation`.
        negated = item.operator in ("not_in", "is_not") or (item.model_extra or {}).get("negation")
        return f"(not {found})" if negated else found

    def _behaviour(self, item: PropertyFilter) -> str:
        return cohorts.behavioural(item, self)

    def _hogql(self, item: PropertyFilter) -> str:
        from insights_mcp.local.queries.hogql import condition

        return condition(_key(item), self.scan, self.context)


EQUALITY = ("exact", "is_not")
WITHOUT_VALUE = ("hogql", "behavioral")
# What is listed of each exception; a filter is of what is in the list.
LISTS = ("$exception_types", "$exception_values", "$exception_sources", "$exception_functions")
LISTED = """case when json_valid({0}) then from_json({0}, '["VARCHAR"]') end"""


def _key(item: PropertyFilter) -> str:
    if item.key is None:
        raise QueryError("A property filter needs a key.", attr="properties")
    return str(item.key)


def _is_empty(item: PropertyFilter) -> bool:
    """Whether nothing is said: a filter that a person has begun, whose value is yet to be chosen."""
    return item.type == "empty" or (
        item.value is None and item.operator not in UNVALUED and item.type not in WITHOUT_VALUE
    )


FIELDS: dict[str, Callable[[Filters, PropertyFilter], str]] = {
    "event": Filters._event,
    "person": Filters._person,
    "person_metadata": Filters._person_metadata,
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
