"""Sharing an insight by a public link: see, switch, passwords, new link."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field, SecretStr

from insights_mcp.answer import Answer, Table
from insights_mcp.endpoint import Effect
from insights_mcp.endpoints import sharing
from insights_mcp.endpoints.insights import GetInsight, ListInsights
from insights_mcp.errors import InvalidInput
from insights_mcp.schema.sharing import SharingConfiguration
from insights_mcp.text import counted
from insights_mcp.tools.tool import InsightReference, Tool, Work, given

LOOKING_UP = (ListInsights, GetInsight)


class GetSharing(Tool):
    """Who can see an insight without logging in: its public link and the passwords on it."""

    title: ClassVar[str] = "See how an insight is shared"
    tabular = True
    uses = (sharing.GetSharing,)
    may_use = LOOKING_UP

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """The state; a link only when it works."""
        state = await work.references.on_insight(self.id, lambda n: work.client.send(sharing.GetSharing(insight_id=n)))
        return _told(work, "", state)


class UpdateSharing(Tool):
    """Switch an insight's public link, or its need for a password, on or off. On: all who have the link see it."""

    title: ClassVar[str] = "Share or unshare an insight"
    tabular = True
    effect = Effect.DESTRUCTIVE
    uses = (sharing.UpdateSharing,)
    may_use = LOOKING_UP

    id: InsightReference
    enabled: Annotated[bool | None, Field(description="Public link on or off.")] = None
    password_required: Annotated[bool | None, Field(description="Ask visitors for a password.")] = None

    async def run(self, work: Work) -> Answer:
        """PATCH sharing, which PostHog's public page leaves out."""
        if self.enabled is None and self.password_required is None:
            raise InvalidInput("update_sharing was given nothing to change.", "Give enabled or password_required.")
        fields = given(enabled=self.enabled, password_required=self.password_required)
        state = await work.references.on_insight(
            self.id, lambda n: work.client.send(sharing.UpdateSharing(insight_id=n, **fields))
        )
        return _told(work, "Sharing is changed.", state)


class AddSharingPassword(Tool):
    """Add a password to an insight's link. It is shown this once; without one given, a random one is made."""

    title: ClassVar[str] = "Add a password to a shared insight"
    effect = Effect.WRITE
    idempotent = False
    uses = (sharing.AddSharingPassword,)
    may_use = LOOKING_UP

    id: InsightReference
    password: Annotated[SecretStr | None, Field(min_length=8, description="At least 8 characters.")] = None
    note: Annotated[str | None, Field(max_length=100, description="What it is for.")] = None

    async def run(self, work: Work) -> Answer:
        """The only answer that ever shows a password."""
        fields = given(raw_password=self.password and self.password.get_secret_value(), note=self.note)
        made = await work.references.on_insight(
            self.id,
            lambda n: work.client.send(sharing.AddSharingPassword(insight_id=n, **fields)),
        )
        return Answer(
            "Added a password. It is shown only now: pass it on to whom it is for.",
            {"password_id": made.id, "password": made.password, "note": made.note},
        )


class DeleteSharingPassword(Tool):
    """Remove a password from an insight's link: whoever has only this one is locked out."""

    title: ClassVar[str] = "Remove a password from a shared insight"
    effect = Effect.DESTRUCTIVE
    uses = (sharing.DeleteSharingPassword, GetInsight)
    may_use = (ListInsights,)

    id: InsightReference
    password_id: Annotated[int, Field(ge=1, description="Number from get_sharing.")]

    async def run(self, work: Work) -> Answer:
        """The insight must exist: its number is looked up first, for a wrong one also answers 404."""
        number = await work.references.insight_number(self.id)
        await work.client.send(sharing.DeleteSharingPassword(insight_id=number, password_id=self.password_id))
        return Answer(f"Removed password {self.password_id}. Whoever has only this one can no longer see the insight.")


class RefreshSharingLink(Tool):
    """Replace an insight's public link by a new one. The old one stops working after five minutes."""

    title: ClassVar[str] = "Renew a shared insight's link"
    tabular = True
    effect = Effect.DESTRUCTIVE
    idempotent = False
    uses = (sharing.RefreshSharingLink,)
    may_use = LOOKING_UP

    id: InsightReference

    async def run(self, work: Work) -> Answer:
        """Passwords are kept, under new numbers."""
        state = await work.references.on_insight(
            self.id, lambda n: work.client.send(sharing.RefreshSharingLink(insight_id=n))
        )
        said = "The link is new; the old one and all embeds of it work for five more minutes."
        return _told(work, said, state)


def _told(work: Work, said: str, state: SharingConfiguration) -> Answer:
    passwords = state.share_passwords or []
    told = f"{said} {_who_sees(state, len(passwords))}".strip()
    facts: dict[str, Any] = {
        "enabled": state.enabled,
        "password_required": state.password_required,
        "link": work.client.shared_url(state.access_token or "") if state.enabled else None,
        "since": state.created_at if state.enabled else None,
    }
    rows = [[p.id, p.note, p.created_at, p.created_by_email] for p in passwords]
    return Answer(told, facts, Table(("password_id", "note", "created", "by"), rows) if rows else None)


def _who_sees(state: SharingConfiguration, passwords: int) -> str:
    if not state.enabled:
        return "Not shared: only people of the project can see it."
    if not state.password_required:
        return "Public: everybody who has the link can see it, without a password."
    if not passwords:
        return "Shared, but nobody can see it yet: it asks for a password and has none. add_sharing_password makes one."
    return f"Shared: whoever has the link and a password can see it; it has {counted(passwords, 'password')}."
