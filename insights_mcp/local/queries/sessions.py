"""Sessions: what is known of each, from the events that carry its `$session_id`."""

from __future__ import annotations

from collections.abc import Callable

from insights_mcp.local.layout import identifier
from insights_mcp.local.queries.channels import CHANNEL, SOURCES
from insights_mcp.local.queries.errors import QueryError

HOST = "regexp_extract({url}, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//([^/?#:]+)', 1)"
PATH = "regexp_extract({url}, '^(?:[a-zA-Z][a-zA-Z0-9+.-]*:)?//[^/?#]*([^?#]*)', 1)"
# What is taken from the address of a page.
OF_URL = {"current_url": "{url}", "pathname": PATH, "hostname": HOST}
CAMPAIGN = (
    "utm_source", "utm_campaign", "utm_medium", "utm_term", "utm_content", "gclid", "gad_source", "gclsrc", "dclid",
    "gbraid", "wbraid", "fbclid", "msclkid", "twclid", "li_fat_id", "mc_cid", "igshid", "ttclid", "_kx", "irclid",
)  # fmt: skip
COUNTS = {"pageview": "$pageview", "autocapture": "$autocapture", "screen": "$screen"}
SEEN = "count(*) filter (event in ('$pageview', '$screen', '$autocapture'))"
FIRST = "arg_min({x}, timestamp)"
LAST = "arg_max({x}, timestamp)"
DURATION = "date_diff('second', min(timestamp), max(timestamp))"
# A session bounced when it saw one page only, nothing was clicked, and it was over in ten seconds (or as asked).
BOUNCE_SECONDS = 10
BOUNCE = f"case when {SEEN} > 0 then {SEEN} = 1 and {DURATION} < {{bounce}} end"
# Fact -> (aggregate, the property it is taken from, the type of its value).
FIELDS: dict[str, tuple[str, str | None, str]] = {
    "$start_timestamp": ("min(timestamp)", None, "DateTime"),
    "$end_timestamp": ("max(timestamp)", None, "DateTime"),
    "$urls": ("list_sort(coalesce(list(distinct {x}) filter ({x} is not null), []))", "$current_url", "Array"),
    "$num_uniq_urls": ("count(distinct {x})", "$current_url", "Numeric"),
    **{f"$entry_{n}": (form.format(url=FIRST), "$current_url", "String") for n, form in OF_URL.items()},
    **{f"$end_{n}": (form.format(url=LAST), "$current_url", "String") for n, form in OF_URL.items()},
    "$entry_referring_domain": (FIRST, "$referring_domain", "String"),
    **{f"$entry_{name}": (FIRST, name, "String") for name in CAMPAIGN},
    **{f"${name}_count": (f"count(*) filter (event = '{event}')", None, "Numeric") for name, event in COUNTS.items()},
    "$channel_type": (CHANNEL, None, "String"),
    "$session_duration": (DURATION, None, "Numeric"),
    "$is_bounce": (BOUNCE, None, "Boolean"),
    "$last_external_click_url": (LAST, "$external_click_url", "String"),
    "$page_screen_autocapture_count_up_to": (f"least({SEEN}, 2)", None, "Numeric"),
    "$vitals_lcp": ("arg_min(try_cast({x} as double), timestamp)", "$web_vitals_LCP_value", "Numeric"),
    **{f"$exit_{n}": (form.format(url=LAST), "$current_url", "String") for n, form in OF_URL.items()},
}
# Facts that are numbers of every session.
COUNTED = frozenset(name for name, (_, _, kind) in FIELDS.items() if kind == "Numeric") - {"$vitals_lcp"}


def table(keys: list[str], event_property: Callable[[str], str], bounce: int = BOUNCE_SECONDS) -> str:
    """SQL: `session_id` and the facts asked for, one row for each session."""
    facts = [f"{fact(key, event_property, bounce)} as {identifier(key)}" for key in keys]
    session = event_property("$session_id")
    listed = "".join(f", {each}" for each in facts)
    return f"select {session} as session_id{listed} from events e where {session} is not null group by 1"


def fact(key: str, event_property: Callable[[str], str], bounce: int = BOUNCE_SECONDS) -> str:
    """SQL: one fact about a session, over its events."""
    aggregate, source, _ = FIELDS[checked(key)]
    if key == "$channel_type":
        return aggregate.format_map({name: FIRST.format(x=event_property(each)) for name, each in SOURCES.items()})
    return aggregate.format(x=event_property(source) if source else "", bounce=bounce)


def checked(key: str) -> str:
    """The key, if it is one of a session."""
    if key not in FIELDS:
        raise QueryError(f"'{key}' is no property of sessions. Use {', '.join(FIELDS)}.", attr="properties")
    return key
