"""An activity log as a story: who did what, newest first, told once where one person did several things in a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from insights_mcp.answer.asked import instant
from insights_mcp.answer.numbers import duration
from insights_mcp.schema.activity import Activity
from insights_mcp.stories.deeds import LOCKED_OUT, VISITS, parts
from insights_mcp.text import clean, counted, quoted

TOGETHER = timedelta(minutes=10)
ROW = 150  # of a table's cell
NAMED = 3
SYSTEM = "PostHog"
VISITOR = "a visitor"
NOTABLE = {
    "created": "created",
    "deleted": "deleted",
    "restored": "restored",
    "sharing enabled": "shared by link",
    "sharing disabled": "no longer shared",
    "access token refreshed": "links replaced",
    "exported": "exported",
    LOCKED_OUT: "wrong passwords",
}


@dataclass
class Episode:
    """What one person did to one insight, or the same to several, within minutes. Entries are newest first."""

    who: str
    insights: list[str]
    entries: list[Activity] = field(default_factory=list)
    told: tuple[str, ...] = ()

    @property
    def when(self) -> datetime | None:
        """When it ended."""
        return instant(self.entries[0].created_at)

    @property
    def since(self) -> datetime | None:
        """When it began."""
        return instant(self.entries[-1].created_at)

    @property
    def on(self) -> str:
        """The insights, the first few by name."""
        more = f" and {len(self.insights) - NAMED} more" if len(self.insights) > NAMED else ""
        return ", ".join(self.insights[:NAMED]) + more


def episodes(entries: Sequence[Activity]) -> list[Episode]:
    """The log, newest first, in as few pieces as tell it truly."""
    names = people(entries)
    found: list[Episode] = []
    latest: dict[str, Episode] = {}  # of each insight: somebody else's change in between closes it
    for entry in entries:
        who, item = names[_identity(entry)], entry.item_id or ""
        last = latest.get(item)
        if last is None or last.who != who or not _soon(last.since, instant(entry.created_at)):
            last = latest[item] = Episode(who, [_insight(entry)])
            found.append(last)
        last.entries.append(entry)
    for episode in found:
        episode.told = parts(episode.entries)
    return list(_joined(found))


def _joined(found: list[Episode]) -> Iterator[Episode]:
    """Episodes in a row that say the same of several insights are one."""
    last: Episode | None = None
    for episode in found:
        if last and last.who == episode.who and last.told == episode.told and _soon(last.since, episode.when):
            last.insights.append(episode.insights[0])
            last.entries += episode.entries
            continue
        if last:
            yield last
        last = episode
    if last:
        yield last


def _soon(later: datetime | None, earlier: datetime | None) -> bool:
    return later is not None and earlier is not None and abs(later - earlier) <= TOGETHER


def rows(found: Sequence[Episode], *, of_one: bool) -> list[list[str]]:
    """When, who, of which insight, what: a long episode takes several rows."""
    return [
        [moment(episode.when), episode.who, *([] if of_one else [episode.on]), line]
        for episode in found
        for line in _lines(episode.told)
    ]


def _lines(told: tuple[str, ...]) -> Iterator[str]:
    line = ""
    for part in told:
        if line and len(line) + 2 + len(part) > ROW:
            yield line
            line = ""
        line += f"; {part}" if line else part
    yield line


def moment(when: datetime | None) -> str:
    """To the minute, in UTC."""
    try:
        return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if when else ""
    except (ValueError, OverflowError):  # at the end of all calendars
        return ""


def ago(then: datetime, now: datetime) -> str:
    """How long ago, in the largest unit that fits."""
    return duration(max((now - then).total_seconds(), 1)).split()[0] + " ago"


# who


def people(entries: Sequence[Activity]) -> dict[str, str]:
    """A short name for everybody in the log; those who share a first name have their address beside it."""
    firsts = {_identity(entry): _first(entry) for entry in entries}
    shared = {name for name, count in Counter(firsts.values()).items() if count > 1}
    return {who: f"{name} ({clean(who, 60)})" if name in shared else name for who, name in firsts.items()}


def _identity(entry: Activity) -> str:
    if entry.activity in VISITS:
        return VISITOR
    user = entry.user
    return (user and (user.email or user.first_name)) or SYSTEM


def _first(entry: Activity) -> str:
    who = _identity(entry)
    if who in (VISITOR, SYSTEM) or entry.user is None:
        return who
    return clean(entry.user.first_name or who, 40)


def _insight(entry: Activity) -> str:
    detail = entry.detail
    number = clean((detail and detail.short_id) or entry.item_id or "?", 20)
    return f"{clean(detail.name, 50)} ({number})" if detail and detail.name else number


# digest


def digest(entries: Sequence[Activity], total: int, now: datetime, *, of_one: bool) -> tuple[str, ...]:
    """How much, by how many, when the last, who most, and what stands out. Nothing of a single entry."""
    if len(entries) < 2:
        return ()
    lines = [_extent(entries, total, now), _notable(entries), "" if of_one else _most_changed(entries)]
    return tuple(line for line in lines if line)


def _extent(entries: Sequence[Activity], total: int, now: datetime) -> str:
    names = people(entries)
    counts = Counter(names[_identity(entry)] for entry in entries)
    known = len(set(names.values()) - {SYSTEM, VISITOR})
    which = f"The newest {len(entries)} of {total:,}: by" if total > len(entries) else "By"
    several = f"{known} {'person' if known == 1 else 'people'}" if known else "nobody of the project"
    most = f" (most: {', '.join(f'{name} {n}' for name, n in counts.most_common(NAMED))})" if len(counts) > 1 else ""
    first, last = instant(entries[-1].created_at), instant(entries[0].created_at)
    since = f" since {moment(first)[:10]}" if first else ""
    ended = f"; the last {ago(last, now)}, by {names[_identity(entries[0])]}" if last else ""
    return f"{which} {several}{since}{most}{ended}."


def _notable(entries: Sequence[Activity]) -> str:
    counts = Counter((entry.activity or "").split(" for ")[0] for entry in entries)
    told = [f"{counts[verb]} {words}" for verb, words in NOTABLE.items() if counts[verb]]
    return f"Among them: {', '.join(told)}." if told else ""


def _most_changed(entries: Sequence[Activity]) -> str:
    names: dict[str, str] = {}
    for entry in entries:  # the newest name of each
        names.setdefault(entry.item_id or "", _insight(entry))
    counts = Counter(entry.item_id or "" for entry in entries)
    if len(counts) < 2:
        return ""
    ranked = counts.most_common(NAMED + 1)
    ordinary = max(1, ranked[NAMED][1]) if len(ranked) > NAMED else 1
    most = [f"{quoted(names[item], 70)} {count}" for item, count in ranked[:NAMED] if count > ordinary]
    told = f", most: {', '.join(most)}" if most else ""
    return f"{counted(len(counts), 'insight')} changed{told}."
