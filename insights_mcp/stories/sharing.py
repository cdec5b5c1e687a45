"""Who can see an insight without logging in, in a sentence; what a change stops; what all that is shared risks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from insights_mcp.answer.asked import instant
from insights_mcp.schema.insight import Insight
from insights_mcp.schema.sharing import SharePassword, SharingConfiguration
from insights_mcp.text import clean, counted, quoted

STALE = timedelta(days=90)
OLD = timedelta(days=30)
GRACE = timedelta(minutes=5)
NAMED = 3
FORBIDDEN = "The organization does not allow public sharing, so that no public link opens anything."
MADE_BY = "add_sharing_password makes one."


@dataclass(frozen=True)
class Exposure:
    """How an insight is shared. `dashboards`: names of the shared ones it stands on, as far as that is known.

    `forbidden`: the organization allows no public sharing.
    """

    state: SharingConfiguration
    dashboards: tuple[str, ...] = ()
    forbidden: bool = False
    insight: Insight | None = None

    @property
    def passwords(self) -> list[SharePassword]:
        """Those that work."""
        return [p for p in self.state.share_passwords or () if p.is_active is not False]

    @property
    def seen_by(self) -> str:
        """In a few words, for a table."""
        if not self.state.enabled:
            return "shared dashboard" if self.dashboards else "the project"
        if not self.state.password_required:
            return OPEN
        return f"link + {counted(len(self.passwords), 'password')}" if self.passwords else LOCKED

    @property
    def exposed(self) -> bool:
        """Whether anything of it is shared."""
        return self.state.enabled or bool(self.dashboards)

    def stale(self, now: datetime) -> bool:
        """Not viewed for long, though it was there to be viewed."""
        moments = (instant(self.state.created_at), instant(self.insight and self.insight.last_viewed_at))
        return max((moment for moment in moments if moment), default=now) < now - STALE

    def order(self, now: datetime) -> tuple[int, bool, str]:
        """The most exposed first, of those the ones nobody looks at, of those the oldest."""
        rank = EXPOSED.get(self.seen_by, 1)
        return rank, not self.stale(now), self.state.created_at or ""


OPEN, LOCKED = "anyone with the link", "nobody: asks for a password, has none"
EXPOSED = {OPEN: 0, "shared dashboard": 2, LOCKED: 3}


# of one insight


def who_sees(exposure: Exposure) -> str:
    """Who can see it now."""
    through = ""
    if exposure.dashboards:
        through = f" It also stands on shared {_dashboards(exposure.dashboards)}, whose link shows it."
    return _by_link(exposure) + through


def _by_link(exposure: Exposure) -> str:
    state, passwords = exposure.state, exposure.passwords
    if not state.enabled:
        return "Not shared by a link of its own: only people of the project can see it."
    if exposure.forbidden:
        return f"Its link is on, but opens nothing: {FORBIDDEN[:1].lower()}{FORBIDDEN[1:]}"
    since = f" (link made {day(state.created_at)})" if state.created_at else ""
    if not state.password_required:
        unused = f" Its {counted(len(passwords), 'password')} is not asked for." if len(passwords) == 1 else ""
        unused = f" Its {len(passwords)} passwords are not asked for." if len(passwords) > 1 else unused
        return f"Public: everybody who has the link can see it, without a password{since}.{unused}"
    if not passwords:
        return f"Shared, but nobody can see it yet: it asks for a password and has none{since}. {MADE_BY}"
    return f"Shared: whoever has the link and {_one_of(passwords)} can see it{since}."


def _one_of(passwords: Sequence[SharePassword]) -> str:
    """The passwords by note and day: the oldest is known to most."""
    newest, oldest = day(passwords[0].created_at), day(passwords[-1].created_at)
    if len(passwords) == 1:
        return f"its password{_noted(passwords[0])} of {newest or 'an unknown day'}"
    made = f"on {newest or '?'}" if newest == oldest else f"between {oldest or '?'} and {newest or '?'}"
    return f"one of its {len(passwords)} passwords, made {made},"


def _noted(password: SharePassword) -> str:
    return f" {quoted(password.note, 60)}" if password.note else ""


def _dashboards(names: Sequence[str]) -> str:
    shown = ", ".join(quoted(name, 60) for name in names[:NAMED])
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{'dashboard' if len(names) == 1 else 'dashboards'} {shown}{more}"


def day(text: str | None) -> str:
    """The day of a moment."""
    return clean((text or "")[:10], 10)


# what a change stops


def switched(before: SharingConfiguration | None, after: SharingConfiguration) -> list[str]:
    """What becomes of those who had the link, by what was changed."""
    if before is None:
        return []
    if not undo(before, after):
        return ["Nothing changed: it was so before."]
    told = []
    if before.enabled and not after.enabled:
        told.append("The link and every page that embeds it have stopped working; its passwords are kept.")
    elif not before.enabled and after.enabled and before.created_at:
        told.append("If this link was given away before, it works again.")
    if before.enabled and after.enabled and after.password_required and not before.password_required:
        told.append("Whoever has only the link is out, and embedding pages ask for a password, too.")
    elif after.enabled and before.password_required and not after.password_required:
        told.append("Whoever has the link gets in without a password; the passwords are kept.")
    return told


def undo(before: SharingConfiguration | None, after: SharingConfiguration) -> dict[str, bool]:
    """The arguments that bring the former state back."""
    names = ("enabled", "password_required")
    return {n: getattr(before, n) for n in names if before is not None and getattr(before, n) != getattr(after, n)}


def renewed(before: SharingConfiguration | None, after: SharingConfiguration, now: datetime) -> list[str]:
    """What a new link means for those who have the old one, and for its passwords."""
    return [*_old_link(after, now), *_lost(before, after)]


def _lost(before: SharingConfiguration | None, after: SharingConfiguration) -> list[str]:
    """PostHog hands passwords on to the new link only while they are asked for."""
    lost = len(before.share_passwords or ()) if before and not after.share_passwords else 0
    return [f"Its {counted(lost, 'password')}, not asked for now, did not come along."] if lost else []


def _old_link(after: SharingConfiguration, now: datetime) -> list[str]:
    if not after.enabled:
        return ["The link is off: nobody loses access, and the new one opens nothing until sharing is on."]
    told = [f"The old link and every page that embeds it work until {now + GRACE:%H:%M} UTC, then never again."]
    kept = "The passwords go on working, under the new numbers below." if after.share_passwords else ""
    return [*told, *([kept] if kept else []), "There is no undo: give the new link to whoever shall go on seeing it."]


def locked_out(before: SharingConfiguration | None, gone: int) -> list[str]:
    """Who is out without this password, and who is left."""
    if before is None:
        return ["Whoever has only this one can no longer see the insight."]
    if not before.password_required:
        return ["The link asks for no password now, so that nobody is locked out."]
    left = [p for p in before.share_passwords or () if p.id != gone and p.is_active is not False]
    if not left:
        return [f"No password is left: nobody can see the insight by its link any more. {MADE_BY}"]
    known = ", ".join(f"{p.id}{_noted(p)}" for p in left[:NAMED]) + (" …" if len(left) > NAMED else "")
    return [f"Whoever has only this one is out; {counted(len(left), 'other password')} still works: {known}."
            if len(left) == 1 else
            f"Whoever has only this one is out; {len(left)} other passwords still work: {known}."]  # fmt: skip


# of the whole project


def findings(shared: Sequence[Exposure], now: datetime, *, viewed: bool) -> list[str]:
    """What is risky about all that is shared. `viewed`: whether PostHog says when insights were viewed."""
    linked = [exposure for exposure in shared if exposure.state.enabled]
    lines = [_overview(linked), _unwatched(linked, now) if viewed else "", _without_readers(linked)]
    lines += [_oldest(linked, now), _through_dashboards(shared)]
    forbidden = [FORBIDDEN] if any(exposure.forbidden for exposure in linked) else []
    return forbidden + [line for line in lines if line]


def _overview(linked: Sequence[Exposure]) -> str:
    readable = [exposure for exposure in linked if exposure.seen_by != LOCKED]
    counts = Counter(f"{'without' if exposure.seen_by == OPEN else 'with'} a password" for exposure in readable)
    return f"By a link: {', '.join(f'{count} {how}' for how, count in counts.most_common())}." if counts else ""


def _unwatched(linked: Sequence[Exposure], now: datetime) -> str:
    stale = [e for e in linked if e.seen_by == OPEN and e.stale(now)]
    never = sum(e.insight is not None and e.insight.last_viewed_at is None for e in stale)
    has, was = ("has", "was") if len(stale) == 1 else ("have", "were")
    also = f" ({never} of them never)" if never else ""
    told = f"{len(stale)} of {counted(len(linked), 'shared insight')} {has} no password and {was} not viewed for"
    return f"{told} {STALE.days} days{also}: {_names(stale)}." if stale else ""


def _without_readers(linked: Sequence[Exposure]) -> str:
    locked = [exposure for exposure in linked if exposure.seen_by == LOCKED]
    return f"Asks for a password and has none, so that nobody gets in: {_names(locked)}." if locked else ""


def _oldest(linked: Sequence[Exposure], now: datetime) -> str:
    dated = [(made, place) for place, e in enumerate(linked) if (made := instant(e.state.created_at))]
    made, place = min(dated, default=(now, 0))
    if now - made < OLD:
        return ""
    return f"The oldest link is {(now - made).days} days old ({made:%Y-%m-%d}): {_names([linked[place]])}."


def _through_dashboards(shared: Sequence[Exposure]) -> str:
    only = [exposure for exposure in shared if not exposure.state.enabled]
    counts = Counter(name for exposure in only for name in exposure.dashboards)
    if not counts:
        return ""
    shown = ", ".join(f"{quoted(name, 60)} ({count})" for name, count in counts.most_common(NAMED))
    return f"{len(only)} more can be seen through shared dashboards only: {shown}."


def _names(found: Iterable[Exposure]) -> str:
    names = [quoted(exposure.insight.title, 50) for exposure in found if exposure.insight]
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
