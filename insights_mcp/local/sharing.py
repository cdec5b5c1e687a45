"""An insight's public link: on and off, its passwords, its replacement. Mirrors `/insights/:insight_id/sharing/`.

A link is a row; replacing it makes a new row and lets the old one live for five more minutes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import secrets
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from insights_mcp.endpoints.sharing import (
    AddSharingPassword,
    DeleteSharingPassword,
    GetSharing,
    RefreshSharingLink,
    UpdateSharing,
)
from insights_mcp.local import fields
from insights_mcp.local.activity import change, record
from insights_mcp.local.calls import Call, answers, encoded, reply, whole
from insights_mcp.local.errors import bare, invalid, not_found
from insights_mcp.local.insight_shape import SELECT
from insights_mcp.local.store import Row, Store, iso, stamp

GRACE = timedelta(minutes=5)
SHORTEST_PASSWORD, LONGEST_NOTE = 8, 100
SCRYPT = {"n": 2**14, "r": 8, "p": 1}
NEEDS_PROTECTION = "Password protection must be enabled before creating passwords"
SETTINGS: dict[str, type] = {
    "whitelabel": bool, "noHeader": bool, "showInspector": bool, "legend": bool, "detailed": bool,
    "hideExtraDetails": bool, "theme": str,
}  # fmt: skip
PASSWORDS = """select p.*, u.email from share_passwords p left join users u on u.id = p.created_by
    where p.sharing_id = ? and p.is_active order by p.id desc"""


@answers(GetSharing)
def get_sharing(call: Call) -> Response:
    """Whether the insight is shared. Never shared: a throw-away token that opens nothing."""
    return reply(_described(call.store, _current(call.store, _insight(call)["id"])))


@answers(UpdateSharing)
def update_sharing(call: Call) -> Response:
    """Switch the link or its password protection on or off."""
    insight = _insight(call)
    given = fields.read(call.body, WRITABLE)
    with call.store.transaction():
        before = _current(call.store, insight["id"]) or _create(call, insight["id"])
        call.store.update("sharing", before["id"], **given)
        if given.get("enabled", before["enabled"]) != before["enabled"]:
            _log_switch(call, insight, bool(given["enabled"]))
    return reply(_described(call.store, _current(call.store, insight["id"])))


@answers(AddSharingPassword)
async def add_sharing_password(call: Call) -> Response:
    """Add a password, or make one up. The only answer that ever holds its text."""
    sharing = _current(call.store, _insight(call)["id"])
    if sharing is None or not sharing["password_required"]:
        raise bare(400, NEEDS_PROTECTION)
    given = fields.read(call.body, PASSWORD)
    password = given.get("raw_password") or secrets.token_urlsafe(16)
    made = {"note": given.get("note") or "", "created_at": call.stamp}
    # Hashing takes tens of milliseconds on purpose.
    digest = await asyncio.to_thread(password_hash, password)
    number = call.store.insert(
        "share_passwords", sharing_id=sharing["id"], hash=digest, created_by=call.user_id, **made
    )
    shown = {"id": number, "password": password, "note": made["note"], "created_at": iso(call.stamp)}
    return reply(shown | {"created_by_email": call.caller.user["email"]}, 201)


@answers(DeleteSharingPassword)
def delete_sharing_password(call: Call) -> Response:
    """Take a password away."""
    sharing = _current(call.store, _insight(call)["id"])
    touched = call.store.change(
        "update share_passwords set is_active = 0 where id = ? and sharing_id = ? and is_active",
        whole(call.path["password_id"]), sharing and sharing["id"],
    )  # fmt: skip
    if not touched:
        raise not_found("Password not found")
    return Response(status_code=204)


@answers(RefreshSharingLink)
def refresh_sharing_link(call: Call) -> Response:
    """Make a new link with the same settings and passwords. The old one still opens for five minutes."""
    insight = _insight(call)
    with call.store.transaction():
        old = _current(call.store, insight["id"])
        same = {name: old[name] for name in ("enabled", "settings", "password_required")} if old else {}
        if old:
            call.store.update("sharing", old["id"], expires_at=stamp(call.now + GRACE))
        new = _create(call, insight["id"], **same)
        if old and old["password_required"]:
            _copy_passwords(call.store, old["id"], new["id"])
        record(call.store, insight, "access token refreshed", call.stamp, call.user_id)
    return reply(_described(call.store, new))


def password_hash(password: str) -> str:
    """A salted scrypt hash: `salt$digest`, in hex."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_digest(password, salt).hex()}"


def password_fits(password: str, stored: str) -> bool:
    """Whether a password has this hash; takes the same time either way."""
    salt, _, digest = stored.partition("$")
    return hmac.compare_digest(_digest(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode("utf-8", "surrogateescape"), salt=salt, **SCRYPT)


def _insight(call: Call) -> Row:
    # These routes take the number only, in every version of PostHog.
    row = call.store.row(f"{SELECT} where i.id = ? and not i.deleted", whole(call.path["insight_id"]))
    if row is None:
        raise not_found("Insight not found.")
    return row


def _current(store: Store, insight_id: int) -> Row | None:
    return store.row(
        "select * from sharing where insight_id = ? and expires_at is null order by id desc limit 1", insight_id
    )


def _create(call: Call, insight_id: int, **values: object) -> Row:
    times = {"created_at": call.stamp, "access_token": secrets.token_urlsafe(22)}
    number = call.store.insert("sharing", insight_id=insight_id, **times, **values)
    row = call.store.row("select * from sharing where id = ?", number)
    assert row is not None, "the row has just been written"
    return row


def _copy_passwords(store: Store, old: int, new: int) -> None:
    store.change(
        """insert into share_passwords (sharing_id, hash, note, created_by, created_at)
        select ?, hash, note, created_by, created_at from share_passwords
        where sharing_id = ? and is_active order by id""",
        new, old,
    )  # fmt: skip


def _log_switch(call: Call, insight: Row, enabled: bool) -> None:
    if not enabled:
        call.store.change(
            "update sharing set expires_at = ? where insight_id = ? and expires_at > ?",
            call.stamp, insight["id"], call.stamp,
        )  # fmt: skip
    changes = [change("sharing", None, enabled) | {"action": "changed"}]
    record(call.store, insight, f"sharing {'enabled' if enabled else 'disabled'}", call.stamp, call.user_id, changes)


def _described(store: Store, row: Row | None) -> dict[str, Any]:
    if row is None:
        return NEVER_SHARED | {"access_token": secrets.token_urlsafe(22)}
    return {
        "created_at": iso(row["created_at"]),
        "enabled": bool(row["enabled"]),
        "access_token": row["access_token"],
        "settings": json.loads(row["settings"] or "null"),
        "password_required": bool(row["password_required"]),
        "share_passwords": [_password(found) for found in store.rows(PASSWORDS, row["id"])],
    }


def _password(row: Row) -> dict[str, Any]:
    return {
        "id": row["id"],
        "created_at": iso(row["created_at"]),
        "note": row["note"],
        "created_by_email": row["email"] or "deleted user",
        "is_active": True,
    }


def _settings(value: Any, name: str) -> str:
    if not isinstance(value, dict):
        raise invalid("Invalid settings format", name)
    known = {key: item for key, item in value.items() if key in SETTINGS and item is not None}
    if not all(isinstance(item, SETTINGS[key]) for key, item in known.items()):
        raise invalid("Invalid settings format", name)
    return encoded(known).decode()


def _raw_password(value: Any, name: str) -> str:
    # Not trimmed: spaces may be part of a password.
    if not isinstance(value, str):
        raise invalid("Not a valid string.", name)
    if value.strip() and len(value) < SHORTEST_PASSWORD:
        raise invalid(f"Password must be at least {SHORTEST_PASSWORD} characters long.", name)
    return value if value.strip() else ""


NEVER_SHARED: dict[str, Any] = {
    "created_at": None, "enabled": False, "access_token": "", "settings": None, "password_required": False,
    "share_passwords": [],
}  # fmt: skip
WRITABLE: dict[str, fields.Field] = {
    "enabled": fields.boolean,
    "settings": fields.nullable(_settings),
    "password_required": fields.boolean,
}
PASSWORD: dict[str, fields.Field] = {
    "raw_password": fields.nullable(_raw_password),
    "note": fields.nullable(fields.text(LONGEST_NOTE)),
}
