"""Breakdowns: which value a row falls under, which values are shown, and the rest."""

from __future__ import annotations

from dataclasses import dataclass

from insights_mcp.local.queries import unsupported
from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.sql import Scan
from insights_mcp.schema.filters import Breakdown, BreakdownFilter

OTHER = "$$_posthog_breakdown_other_$$"
NONE = "$$_posthog_breakdown_null_$$"
LIMIT = 25
NORMALIZED = r"regexp_replace(regexp_replace({value}, '[\?#].*$', ''), '/+$', '')"
PROPERTIES = {"event": Scan.event_property, "person": Scan.person_property}


@dataclass(frozen=True)
class By:
    """One property to split by. `listed`: it came in the newer list form, so its values are lists."""

    property: str
    type: str
    normalize_url: bool
    listed: bool
    limit: int
    hide_other: bool

    def value(self, scan: Scan) -> str:
        """SQL: the value a row falls under; never NULL."""
        field = "e.event" if self.type == "event_metadata" else PROPERTIES[self.type](scan, self.property)
        if self.normalize_url:
            field = NORMALIZED.format(value=field)
        return f"coalesce(nullif({field}, ''), {scan.bind(NONE)})"


def of(given: BreakdownFilter | None) -> By | None:
    """What a query asks to split by; None when it does not."""
    if given is None:
        return None
    items = _items(given)
    if not items:
        return None
    if len(items) > 1:
        raise unsupported.refuse("breakdowns", "breakdownFilter")
    one = items[0]
    if one.histogram_bin_count or given.breakdown_histogram_bin_count:
        raise unsupported.refuse("histogram", "breakdownFilter")
    return By(
        str(one.property),
        _type(one.type or given.breakdown_type or "event", str(one.property)),
        bool(one.normalize_url or given.breakdown_normalize_url),
        bool(given.breakdowns),
        given.breakdown_limit or LIMIT,
        bool(given.breakdown_hide_other_aggregation),
    )


def _items(given: BreakdownFilter) -> list[Breakdown]:
    if given.breakdowns:
        return given.breakdowns
    names = given.breakdown if isinstance(given.breakdown, list) else [given.breakdown]
    return [Breakdown(property=name) for name in names if name is not None and name != ""]


def _type(kind: str, name: str) -> str:
    if kind in PROPERTIES or (kind == "event_metadata" and name == "event"):
        return kind
    raise unsupported.feature(unsupported.FILTER_TYPES, kind, "breakdownFilter") or QueryError(
        f"A breakdown by '{kind}' is not supported yet by the embedded backend: use event or person.",
        attr="breakdownFilter",
    )
