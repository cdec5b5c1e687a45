"""What a visitor of a public link sees: the insight's name and its result as a table, after the password if one is set.

Everything a user wrote is data here: escaped, and the page runs no script and loads nothing.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from insights_mcp.local.activity import change, record
from insights_mcp.local.computing import Ask
from insights_mcp.local.errors import Problem
from insights_mcp.local.insight_shape import SELECT
from insights_mcp.local.results import Outcome
from insights_mcp.local.sharing import password_fits
from insights_mcp.local.store import Row, iso, stamp
from insights_mcp.local.tabulate import tabulated
from insights_mcp.local.trending import VISITOR_ID, record_view
from insights_mcp.schema.insight import Refresh

if TYPE_CHECKING:
    from insights_mcp.local.backend import Backend

LARGEST_FORM = 64_000
STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1d1f27}"
    "table{border-collapse:collapse}td,th{border:1px solid #d0d1c9;padding:.3rem .6rem;text-align:right}"
    "td:first-child,th:first-child{text-align:left}.scroll{overflow-x:auto}.note{color:#666}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors "
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
FORM = (
    '<form method="post"><label>This insight is protected. Password: '
    '<input type="password" name="password" autocomplete="off" autofocus required></label> '
    "<button>Open</button></form>"
)
WRONG = '<p role="alert">That password is not right.</p>'
LIVE = """select s.*, s.id as sharing_id from sharing s
    where s.access_token = ? and s.enabled and (s.expires_at is null or s.expires_at > ?)"""


def paths(backend: Backend) -> dict[str, Callable[[Request], Awaitable[Response]]]:
    """The public pages: path and what answers it."""
    return dict.fromkeys(("/shared/{token}", "/embedded/{token}"), Visit(backend).answer)


class Visit:
    """Answers the visitors of one project folder."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    async def answer(self, request: Request) -> Response:
        """The insight, the question for its password, or 404."""
        sharing = self._backend.store.row(LIVE, request.path_params["token"], stamp(self._backend.clock()))
        insight = sharing and self._insight(sharing["insight_id"])
        if not sharing or not insight:
            return page(request, "Not found", "<p>This link does not exist, or no longer works.</p>", 404)
        if not sharing["password_required"]:
            return await self._shown(request, insight)
        if request.method != "POST":
            return page(request, "Password needed", FORM)
        return await self._login(request, sharing, insight)

    async def _login(self, request: Request, sharing: Row, insight: Row) -> Response:
        try:
            self._backend.limits.count(sharing["access_token"], "share_login", self._backend.clock())
        except Problem as problem:
            return page(request, "Too many attempts", f"<p>{escape(problem.body['detail'] or '')}</p>", 429)
        password = await self._matching(sharing, await posted_password(request))
        self._log_login(request, sharing, insight, password)
        return await self._shown(request, insight) if password else page(request, "Password needed", WRONG + FORM, 401)

    async def _matching(self, sharing: Row, given: str) -> Row | None:
        rows = self._backend.store.rows(
            "select * from share_passwords where sharing_id = ? and is_active", sharing["sharing_id"]
        )
        # All are tried, so that the time says nothing about which one fits.
        fits = [await asyncio.to_thread(password_fits, given, row["hash"]) for row in rows]
        return next((row for row, fit in zip(rows, fits, strict=True) if fit), None)

    def _log_login(self, request: Request, sharing: Row, insight: Row, password: Row | None) -> None:
        if self._backend.store.read_only:
            return
        attempt = {
            "access_token_suffix": sharing["access_token"][-6:],
            "client_ip": request.client.host if request.client else None,
            "success": password is not None,
            "resource_type": "insight",
        }
        if password:
            attempt |= {"password_id": password["id"], "password_note": password["note"]}
        activity = "share_login_success" if password else "share_login_failed"
        changes = [change("authentication_attempt", None, attempt)]
        record(self._backend.store, insight, activity, stamp(self._backend.clock()), None, changes)

    async def _shown(self, request: Request, insight: Row) -> Response:
        store, now = self._backend.store, stamp(self._backend.clock())
        if not store.read_only:
            record_view(store, insight["id"], VISITOR_ID, now)
        title = insight["name"] or insight["derived_name"] or "Insight"
        description = f"<p>{escape(insight['description'])}</p>" if insight["description"] else ""
        return page(request, title, description + await self._result(insight))

    async def _result(self, insight: Row) -> str:
        query = json.loads(insight["query"] or "null")
        if not query:
            return "<p>This insight has no query.</p>"
        ask = Ask(_staying, insight_id=insight["id"], watched=True)
        try:
            outcome = await self._backend.computing.answer_or_failure(query, Refresh.BLOCKING, ask)
        except Problem as problem:
            return f"<p>The result cannot be computed: {escape(problem.body['detail'] or '')}</p>"
        return drawn(outcome)

    def _insight(self, number: int) -> Row | None:
        return self._backend.store.row(f"{SELECT} where i.id = ? and not i.deleted", number)


def drawn(outcome: Outcome) -> str:
    """A result as an HTML table, with the time it was computed."""
    if outcome.results is None:
        return "<p>The result cannot be computed right now.</p>"
    header, rows = tabulated(orjson.loads(outcome.results), outcome.rest.get("columns"))
    if not rows:
        return "<p>No data recorded for this time period.</p>"
    head = "".join(f"<th>{escape(cell)}</th>" for cell in header)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    when = escape(iso(outcome.last_refresh) or "")
    table = f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    return f'{table}<p class="note">Computed {when}</p>'


def page(request: Request, title: str, body: str, status: int = 200) -> Response:
    """A whole page; `body` is HTML, `title` is not. Only `/embedded` may be framed."""
    framed = "*" if request.scope["path"].startswith("/embedded") else "'none'"
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>{body}</body></html>"
    )
    return HTMLResponse(html, status, HEADERS | {"Content-Security-Policy": POLICY + framed})


async def posted_password(request: Request) -> str:
    """The password of the form; empty when it is none."""
    received = bytearray()
    async for chunk in request.stream():
        received += chunk
        if len(received) > LARGEST_FORM:
            return ""
    return parse_qs(received.decode("utf-8", "replace")).get("password", [""])[0]


async def _staying() -> None:
    """Visitors wait; a page that nobody reads any more is worth keeping for the next one."""
    await asyncio.Event().wait()
