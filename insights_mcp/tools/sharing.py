"""Sharing an insight by a public link: see who can see it, of one or of all; switch, passwords, new link."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field, SecretStr

from insights_mcp.answer import SUMMARY, Answer, Table
from insights_mcp.endpoint import Effect
from insights_mcp.endpoints import sharing
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.errors import InsightsError, InvalidInput, NotFound, Rejected
from insights_mcp.schema.sharing import NewSharePassword, SharingConfiguration
from insights_mcp.stories.sharing import Exposure, day, findings, locked_out, renewed, switched, undo, who_sees
from insights_mcp.text import clean, counted, quoted
from insights_mcp.tools.exposure import AROUND, MOST, Sweep, exposure_of, sweep
from insights_mcp.tools.insight_facts import who
from insights_mcp.tools.tool import InsightReference, Size, Tool, Work, given

LOOKING_UP = (ListInsights, GetInsight)
SHARED = ("short_id", "name", "seen by", "link made", "last viewed", "made by", "on shared dashboards")
UNPROTECTED = re.compile("must be enabled", re.IGNORECASE)  # no password is asked for yet
Calls = tuple[str, ...]


class GetSharing(Tool):
    """Who can see an insight without logging in: link and passwords. Without id: all shared ones."""

    title: ClassVar[str] = "See how an insight is shared"
    tabular = True
    uses = (sharing.GetSharing,)
    may_use = AROUND

    id: InsightReference | None = None
    offset: Annotated[int, Field(ge=0, description="Insights to skip.")] = 0
    max_tokens: Size = None

    @property
    def budget(self) -> int:
        """The answer's size at most, in tokens."""
        return self.max_tokens or SUMMARY

    async def run(self, work: Work) -> Answer:
        """The state of one, a link only when it works; or a sweep over all."""
        if self.id is None:
            return _swept(await sweep(work, self.offset), self.offset)
        return _told(work, "", await _exposure(work, self.id))


class UpdateSharing(Tool):
    """Switch an insight's public link, or its need for a password, on or off. On: all who have the link see it."""

    title: ClassVar[str] = "Share or unshare an insight"
    tabular = True
    effect = Effect.DESTRUCTIVE
    uses = (sharing.UpdateSharing,)
    may_use = (*AROUND, sharing.GetSharing)

    id: InsightReference
    enabled: Annotated[bool | None, Field(description="Public link on or off.")] = None
    password_required: Annotated[bool | None, Field(description="Ask visitors for a password.")] = None

    async def run(self, work: Work) -> Answer:
        """PATCH sharing, which PostHog's public page leaves out."""
        if self.enabled is None and self.password_required is None:
            raise InvalidInput("update_sharing was given nothing to change.", "Give enabled or password_required.")
        fields = given(enabled=self.enabled, password_required=self.password_required)

        async def change(number: int) -> tuple[SharingConfiguration | None, Exposure]:
            before = await _now(work, number)
            after = await work.client.send(sharing.UpdateSharing(insight_id=number, **fields))
            return before, await exposure_of(work, number, after)

        before, exposure = await work.references.on_insight(self.id, change)
        back = undo(before, exposure.state)
        following = (f"Undo: {_call('update_sharing', self.id, **back)}.",) if back else ()
        said = "" if before and not back else "Sharing is changed."
        return _told(work, said, exposure, switched(before, exposure.state), following)


class AddSharingPassword(Tool):
    """Add a password to an insight's link. It is shown this once; without one given, a random one is made."""

    title: ClassVar[str] = "Add a password to a shared insight"
    effect = Effect.WRITE
    idempotent = False
    uses = (sharing.AddSharingPassword,)
    may_use = (*LOOKING_UP, sharing.GetSharing)

    id: InsightReference
    password: Annotated[SecretStr | None, Field(min_length=8, description="At least 8 characters.")] = None
    note: Annotated[str | None, Field(max_length=100, description="What it is for.")] = None

    async def run(self, work: Work) -> Answer:
        """The only answer that ever shows a password."""
        fields = given(raw_password=self.password and self.password.get_secret_value(), note=self.note)

        async def add(number: int) -> tuple[NewSharePassword, SharingConfiguration | None]:
            try:
                made = await work.client.send(sharing.AddSharingPassword(insight_id=number, **fields))
            except Rejected as error:
                if UNPROTECTED.search(error.detail):
                    error.next_step = f"First {_call('update_sharing', self.id, password_required=True)}."
                raise
            return made, await _now(work, number)

        made, state = await work.references.on_insight(self.id, add)
        older = "" if state and len(state.share_passwords or ()) < 2 else " Older passwords go on working."
        return Answer(
            f"Added a password. It is shown only now: pass it on to whom it is for.{older}",
            {"password_id": made.id, "password": made.password, "note": made.note},
            digest=(who_sees(Exposure(state)),) if state else (),
            next=(f"Undo: {_call('delete_sharing_password', self.id, password_id=made.id)}.",),
        )


class DeleteSharingPassword(Tool):
    """Remove a password from an insight's link: whoever has only this one is locked out."""

    title: ClassVar[str] = "Remove a password from a shared insight"
    effect = Effect.DESTRUCTIVE
    uses = (sharing.DeleteSharingPassword, GetInsight)
    may_use = (ListInsights, sharing.GetSharing)

    id: InsightReference
    password_id: Annotated[int, Field(ge=1, description="Number from get_sharing.")]

    async def run(self, work: Work) -> Answer:
        """The insight must exist: its number is looked up first, for a wrong one also answers 404."""
        number = await work.references.insight_number(self.id)
        before = await _now(work, number)
        try:
            await work.client.send(sharing.DeleteSharingPassword(insight_id=number, password_id=self.password_id))
        except NotFound as error:
            error.next_step = f"{_call('get_sharing', self.id)} lists its passwords."
            raise
        return Answer(
            f"Removed password {self.password_id}{_described(before, self.password_id)}.",
            digest=tuple(locked_out(before, self.password_id)),
            next=(
                "No undo: nobody can read a password back; add_sharing_password with the same text lets it in again.",
            ),
        )


class RefreshSharingLink(Tool):
    """Replace an insight's public link by a new one. The old one stops working after five minutes."""

    title: ClassVar[str] = "Renew a shared insight's link"
    tabular = True
    effect = Effect.DESTRUCTIVE
    idempotent = False
    uses = (sharing.RefreshSharingLink,)
    may_use = (*AROUND, sharing.GetSharing)

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """Passwords are kept, under new numbers, if they are asked for."""

        async def renew(number: int) -> tuple[SharingConfiguration | None, Exposure]:
            before = await _now(work, number)
            state = await work.client.send(sharing.RefreshSharingLink(insight_id=number))
            return before, await exposure_of(work, number, state)

        before, exposure = await work.references.on_insight(self.id, renew)
        return _told(work, "The link is new.", exposure, renewed(before, exposure.state, datetime.now(UTC)))


async def _exposure(work: Work, reference: str) -> Exposure:
    async def look(number: int) -> Exposure:
        state = await work.client.send(sharing.GetSharing(insight_id=number))
        return await exposure_of(work, number, state)

    return await work.references.on_insight(reference, look)


async def _now(work: Work, number: int) -> SharingConfiguration | None:
    """How it is shared before it is changed: good to know, but no reason to fail."""
    with suppress(InsightsError):
        return await work.client.send(sharing.GetSharing(insight_id=number))
    return None


def _call(name: str, reference: str, **arguments: Any) -> str:
    shown = "".join(f", {key}={str(value).lower()}" for key, value in arguments.items())
    return f"{name}(id={clean(reference, 80)!r}{shown})"


def _described(before: SharingConfiguration | None, number: int) -> str:
    """The password's note, day and maker."""
    found = next((p for p in (before and before.share_passwords) or () if p.id == number), None)
    if found is None:
        return ""
    parts = (
        quoted(found.note, 60) if found.note else "",
        day(found.created_at),
        clean(found.created_by_email or "", 60),
    )
    told = ", ".join(part for part in parts if part)
    return f" ({told})" if told else ""


def _told(work: Work, said: str, exposure: Exposure, stops: list[str] | None = None, following: Calls = ()) -> Answer:
    state = exposure.state
    facts: dict[str, Any] = {
        "insight": exposure.insight.title if exposure.insight else None,
        "enabled": state.enabled,
        "password_required": state.password_required,
        "link": work.client.shared_url(state.access_token or "") if state.enabled else None,
        "since": state.created_at if state.enabled else None,
    }
    rows = [[p.id, p.note, p.created_at, p.created_by_email] for p in state.share_passwords or ()]
    table = Table(("password_id", "note", "created", "by"), rows) if rows else None
    return Answer(f"{said} {who_sees(exposure)}".strip(), facts, table, digest=tuple(stops or ()), next=following)


def _swept(found: Sweep, offset: int) -> Answer:
    now = datetime.now(UTC)
    shared = sorted(found.shared, key=lambda exposure: exposure.order(now))
    on = f"get_sharing(offset={offset + MOST}) goes on"
    left_out = [f"{counted(found.rest, 'insight')} not looked at: {on}"] if found.rest else []
    said = f"{len(shared) or 'None'} of {counted(found.looked, 'insight')} {'is' if len(shared) < 2 else 'are'} shared."
    said = said if found.looked else f"No insights{f' after the first {offset}' if offset else ''}."
    return Answer(
        said,
        table=Table(SHARED, [_row(exposure) for exposure in shared]),
        left_out=(*found.left_out, *left_out),
        digest=tuple(findings(shared, now, viewed=found.viewed)),
        next=("update_sharing(id=…, enabled=false) closes one; get_sharing(id=…) has its link.",) if shared else (),
    )


def _row(exposure: Exposure) -> list[Any]:
    insight = exposure.insight
    assert insight is not None, "a sweep knows every insight it looks at"
    made = day(exposure.state.created_at) if exposure.state.enabled else None
    viewed = day(insight.last_viewed_at) or "never"
    shown = [exposure.seen_by, made, viewed, who(insight.created_by), ", ".join(exposure.dashboards)]
    return [insight.short_id or insight.id, insight.title, *shown]
