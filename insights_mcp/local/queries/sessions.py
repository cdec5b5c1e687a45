"""Sessions: what is known of each, from the events that carry its `$session_id`."""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries.errors import QueryError

URLS = {
    "current_url": "$current_url",
    "pathname": "$pathname",
    "hostname": "$host",
    "referring_domain": "$referring_domain",
}
CAMPAIGN = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content", "gclid", "gad_source")
COUNTS = {"pageview": "$pageview", "autocapture": "$autocapture", "screen": "$screen"}
FIRST = "arg_min({x}, timestamp)"
LAST = "arg_max({x}, timestamp)"
# A session bounced when it saw at most one page, nothing was clicked, and it was over in ten seconds.
BOUNCE = (
    "(count(*) filter (event in ('$pageview', '$screen')) <= 1 and count(*) filter (event = '$autocapture') = 0"
    " and date_diff('second', min(timestamp), max(timestamp)) < 10)"
)
# Fact -> (aggregate, the property it is taken from, the type of its value).
FIELDS: dict[str, tuple[str, str | None, str]] = {
    "$session_duration": ("date_diff('second', min(timestamp), max(timestamp))", None, "Numeric"),
    "$start_timestamp": ("min(timestamp)", None, "DateTime"),
    "$end_timestamp": ("max(timestamp)", None, "DateTime"),
    "$is_bounce": (BOUNCE, None, "Boolean"),
    "$num_uniq_urls": ("count(distinct {x})", "$current_url", "Numeric"),
    **{f"${name}_count": (f"count(*) filter (event = '{event}')", None, "Numeric") for name, event in COUNTS.items()},
    **{f"$entry_{name}": (FIRST, key, "String") for name, key in URLS.items()},
    **{f"${end}_{name}": (LAST, key, "String") for end in ("end", "exit") for name, key in URLS.items()},
    **{f"$entry_{name}": (FIRST, name, "String") for name in CAMPAIGN},
}


def table(keys: list[str], event_property: Callable[[str], str]) -> str:
    """SQL: `session_id` and the facts asked for, one row for each session."""
    facts = [f"{_fact(key, event_property)} as {identifier(key)}" for key in keys]
    session = event_property("$session_id")
    listed = "".join(f", {fact}" for fact in facts)
    return f"select {session} as session_id{listed} from events e where {session} is not null group by 1"


def _fact(key: str, event_property: Callable[[str], str]) -> str:
    aggregate, source, _ = FIELDS[checked(key)]
    return aggregate.format(x=event_property(source)) if source else aggregate


def checked(key: str) -> str:
    """The key, if it is one of a session."""
    if key not in FIELDS:
        raise QueryError(f"'{key}' is no property of sessions. Use {', '.join(FIELDS)}.", attr="properties")
    return key
