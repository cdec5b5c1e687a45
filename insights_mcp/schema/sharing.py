"""Sharing: an insight's public link and its passwords."""

from __future__ import annotations

from typing import Any

from insights_mcp.schema.reply import ReplyShape


class SharePassword(ReplyShape):
    """A password of the link, without the password itself."""

    id: int
    note: str | None = None
    created_at: str | None = None
    created_by_email: str | None = None
    is_active: bool | None = None


class NewSharePassword(SharePassword):
    """A password just made: the only time its text is ever sent."""

    password: str = ""


class SharingConfiguration(ReplyShape):
    """Who may see an insight without logging in. `access_token` means nothing unless `enabled`."""

    enabled: bool = False
    access_token: str | None = None
    created_at: str | None = None
    settings: dict[str, Any] | None = None
    password_required: bool = False
    share_passwords: list[SharePassword] | None = None
