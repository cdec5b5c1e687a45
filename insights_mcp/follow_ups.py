"""Follow-up queries by rule: which question leads to which, over which events and properties.

PostHog asks a language model for these. The embedded backend answers `suggestions` with them, and so does the
server where PostHog refuses `suggestions` to API keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Query = dict[str, Any]
Suggestion = dict[str, Any]

LAST_MONTH = {"date_from": "-30d"}
MOST = 5
# Which properties tell most when a trend is split by them, best first.
TELLING = ("$browser", "plan", "$os", "$device_type", "$geoip_country_code", "country", "utm_source")


@dataclass(frozen=True)
class Subject:
    """What an insight is about: its source, its first event, what happens around it and what it carries."""

    source: Query
    event: str | None
    next_event: str | None
    split_by: str | None

    @property
    def title(self) -> str:
        """The event in words."""
        return self.event or "any event"

    @property
    def node(self) -> Query:
        """The event as a series."""
        return {"kind": "EventsNode", "event": self.event, "name": self.event or "All events"}

    @property
    def dates(self) -> Query:
        """The insight's own dates."""
        return dict(self.source.get("dateRange") or LAST_MONTH)

    @property
    def target(self) -> Query:
        """The event as retention names it."""
        return {"id": self.event, "name": self.event, "type": "events"}


def follow_ups(source: Query, events: Sequence[str], properties: Sequence[str]) -> list[Suggestion]:
    """Up to five suggestions `{title, description, targetQuery}`, best first.

    `events`: names, most frequent first; `properties`: names that the source's event carries. A rule that does not
    fit (no property, no other event) gives none.
    """
    event = first_event(source)
    subject = Subject(source, event, next((name for name in events if name != event), None), _most_telling(properties))
    made = (RULES[name](subject) for name in ORDER.get(str(source.get("kind")), ORDER["TrendsQuery"]))
    return [suggestion for suggestion in made if suggestion][:MOST]


def first_event(source: Query) -> str | None:
    """The event a query starts from, if it names one."""
    for node in source.get("series") or []:
        if isinstance(node, dict) and node.get("event"):
            return str(node["event"])
    target = (source.get("retentionFilter") or {}).get("targetEntity") or {}
    return str(target["id"]) if target.get("type", "events") == "events" and target.get("id") else None


def _most_telling(names: Sequence[str]) -> str | None:
    known = [name for name in TELLING if name in names]
    own = [name for name in names if not name.startswith("$")]
    return next(iter(known + own), None)


def _lifecycle(subject: Subject) -> Suggestion:
    source = {"kind": "LifecycleQuery", "series": [subject.node], "interval": "day", "dateRange": subject.dates}
    title = f"Lifecycle of users who perform {subject.title}"
    return _suggestion(title, f"See whether users of {subject.title} are new, returning or gone.", source)


def _stickiness(subject: Subject) -> Suggestion:
    source = {"kind": "StickinessQuery", "series": [subject.node], "interval": "day", "dateRange": subject.dates}
    title = f"Stickiness of {subject.title}"
    return _suggestion(title, f"See on how many days users perform {subject.title}.", source)


def _retention(subject: Subject) -> Suggestion:
    period = {"period": "Week", "totalIntervals": 8}
    entities = {"targetEntity": subject.target, "returningEntity": subject.target}
    source = {"kind": "RetentionQuery", "retentionFilter": period | entities}
    title = f"Weekly retention of {subject.title}"
    return _suggestion(title, f"See how many users come back to {subject.title} in the weeks after.", source)


def _unique_users(subject: Subject) -> Suggestion | None:
    if any(node.get("math") == "dau" for node in subject.source.get("series") or [] if isinstance(node, dict)):
        return None
    source = _trend(subject, [subject.node | {"math": "dau"}])
    title = f"Unique users of {subject.title}"
    return _suggestion(title, "See whether more people do it, or the same people do it more.", source)


def _breakdown(subject: Subject) -> Suggestion | None:
    if subject.split_by is None or subject.source.get("breakdownFilter"):
        return None
    split = {"breakdownFilter": {"breakdown": subject.split_by, "breakdown_type": "event"}}
    title = f"{subject.title} by {subject.split_by}"
    description = f"See which values of {subject.split_by} drive {subject.title}."
    return _suggestion(title, description, _trend(subject, [subject.node]) | split)


def _trend_of_event(subject: Subject) -> Suggestion:
    title = f"Trend of {subject.title}"
    return _suggestion(title, f"See how often {subject.title} happens over time.", _trend(subject, [subject.node]))


def _funnel(subject: Subject) -> Suggestion | None:
    if subject.event is None or subject.next_event is None:
        return None
    following = {"kind": "EventsNode", "event": subject.next_event, "name": subject.next_event}
    source = {"kind": "FunnelsQuery", "series": [subject.node, following], "dateRange": subject.dates}
    title = f"Conversion from {subject.event} to {subject.next_event}"
    return _suggestion(title, f"See how many who perform {subject.event} go on to {subject.next_event}.", source)


def _trend(subject: Subject, series: list[Query]) -> Query:
    interval = subject.source.get("interval") or "day"
    return {"kind": "TrendsQuery", "series": series, "interval": interval, "dateRange": subject.dates}


def _suggestion(title: str, description: str, source: Query) -> Suggestion:
    target = {"kind": "InsightVizNode", "source": source}
    return {"title": title, "description": description, "targetQuery": target}


RULES: dict[str, Callable[[Subject], Suggestion | None]] = {
    "breakdown": _breakdown,
    "funnel": _funnel,
    "lifecycle": _lifecycle,
    "retention": _retention,
    "stickiness": _stickiness,
    "trend": _trend_of_event,
    "unique users": _unique_users,
}
ORDER: dict[str, tuple[str, ...]] = {
    "RetentionQuery": ("stickiness", "lifecycle", "trend", "breakdown"),
    "TrendsQuery": ("breakdown", "unique users", "funnel", "lifecycle", "retention"),
    "FunnelsQuery": ("trend", "breakdown", "retention", "lifecycle"),
    "LifecycleQuery": ("retention", "stickiness", "trend", "breakdown"),
    "StickinessQuery": ("retention", "lifecycle", "trend"),
    "PathsQuery": ("funnel", "trend", "breakdown"),
}
