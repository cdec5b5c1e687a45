"""What `{filters}` stands for in a HogQL query: the property filters, test accounts and dates given beside it."""

from __future__ import annotations

from datetime import UTC, datetime

from insights_mcp.local.queries import dates
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import people, tables
from insights_mcp.local.queries.hogql.aggregates import Aggregates
from insights_mcp.local.queries.hogql.scopes import Scope
from insights_mcp.local.queries.hogql.sources import Typed
from insights_mcp.local.queries.properties import Filters
from insights_mcp.schema.hogql import HogQLFilters

# What can be filtered, the first of these that is there.
FILTERED = (people.Events, tables.Sessions, tables.Groups)


class Given(Aggregates):
    """Compiles `{filters}`."""

    given: HogQLFilters | None = None

    def filters(self, scope: Scope) -> str:
        given = self.given or HogQLFilters()
        read = scope.sources.values()
        source = next((each for kind in FILTERED for each in read if isinstance(each, kind)), None)
        if source is None:
            raise QueryError(
                "Cannot use 'filters' placeholder in a SELECT clause that does not select from the events, sessions or"
                " groups table.", attr="query",
            )  # fmt: skip
        if isinstance(source, tables.Sessions):
            return self._session_filters(given, source)
        if isinstance(source, tables.Groups):
            parts = [tables.group_filters(source, self.context).all_of(given.properties)] if given.properties else []
            return "(" + " and ".join(parts + self._dates(given, f"{source.name}.created_at")) + ")"
        assert isinstance(source, people.Events)
        compiled = Filters(source.scan, self.context)
        parts = [compiled.all_of(given.properties)] if given.properties else []
        if given.filterTestAccounts:
            parts.append(compiled.test_accounts())
        dates = self._dates(given, f"{source.scan.events}.timestamp")
        return "(" + " and ".join(parts + dates) + ")" if parts or given.dateRange else "true"

    def _session_filters(self, given: HogQLFilters, source: tables.Sessions) -> str:
        parts = [tables.session_filters(source, self.context).all_of(given.properties)] if given.properties else []
        started = source.use("$start_timestamp", Typed("", "DateTime", False))
        return "(" + " and ".join(parts + self._dates(given, started.sql)) + ")"

    def _dates(self, given: HogQLFilters, column: str) -> list[str]:
        bounds = [(">=", self._bound(given, True)), ("<", self._bound(given, False))]
        return ["true"] + [
            f"{column} {sign} {self.scan.bind(bound.astimezone(UTC).replace(tzinfo=None))}"
            for sign, bound in bounds
            if bound
        ]

    def _bound(self, given: HogQLFilters, start: bool) -> datetime | None:
        """Where dates begin, or end: exactly then, as PostHog has it in SQL; a day ends where it begins."""
        text = given.dateRange and (given.dateRange.date_from if start else given.dateRange.date_to)
        if not text or text == "all":
            return None
        return dates.parsed(text, self.context.local_now)[0]

    def filter_date(self, start: bool) -> Typed | None:
        bound = self._bound(self.given or HogQLFilters(), start)
        if bound is None:
            return None
        return Typed(f"{self.scan.bind(bound.replace(tzinfo=None))}::timestamp", "DateTime", False)
