"""A PostHog on 127.0.0.1 that answers what a test tells it to, misbehaves on purpose, and records what it received."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

KEY = "phx_LoopbackSecretKey0123456789abcdef"
PROJECT = {"id": 1, "name": "Loop", "timezone": "UTC", "api_token": "phc_PublicIngestToken0123456789"}
JSON = "application/json"


@dataclass(frozen=True)
class Received:
    """A request as it came over the wire. `target` is the raw request target."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The raw path, still percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> dict[str, list[str]]:
        """The query string, decoded."""
        return parse_qs(self.target.partition("?")[2], keep_blank_values=True)

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """An answer. `drop_after`: close after so many bytes of the body, -1 without any answer at all."""

    body: bytes = b""
    status: int = 200
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    drop_after: int | None = None
    repeat: int = 1  # the body is sent so many times


Answer = Reply | Callable[[Received], Reply]


def ok(value: Any, status: int = 200, **more: Any) -> Reply:
    """A JSON reply."""
    return Reply(json.dumps(value).encode(), status, **more)


def error(status: int, detail: str, code: str = "error", kind: str = "server_error", **more: Any) -> Reply:
    """An error in PostHog's usual shape."""
    attr = more.pop("attr", None)
    return ok({"type": kind, "code": code, "detail": detail, "attr": attr}, status, **more)


def forbidden(detail: str) -> Reply:
    """A 403 with one of PostHog's texts."""
    return error(403, detail, "permission_denied", "authentication_error")


def page(*results: Any, count: int | None = None, **more: Any) -> Reply:
    """A page of a list."""
    size = len(results) if count is None else count
    return ok({"count": size, "next": None, "previous": None, "results": list(results)} | more)


NOT_FOUND = error(404, "Not found.", "not_found", "invalid_request")
SESSION_ONLY = forbidden("This action does not support personal API key access")
DROPPED = Reply(drop_after=-1)
HTML = b"<!DOCTYPE html><html><body>Sign in to the company network</body></html>"


def insight(number: int = 12, **changes: Any) -> dict[str, Any]:
    """An insight as PostHog sends it, with fields nobody here knows."""
    user = {"id": 1, "uuid": "u", "first_name": "Ann", "email": "ann@x.io", "hedgehog_config": {"color": "red"}}
    source = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "$pageview", "math": "total"}]}
    base = {
        "id": number, "short_id": f"AaVQ{number:04d}", "name": f"Insight {number}", "derived_name": None,
        "description": "What it is", "query": {"kind": "InsightVizNode", "source": source}, "filters": {},
        "tags": ["growth"], "favorited": False, "deleted": False, "dashboards": [3], "order": None,
        "dashboard_tiles": [{"id": 40, "dashboard_id": 3, "deleted": None, "new_field": 1}],
        "result": [{"label": "$pageview", "data": [1, 2, 3.5], "days": ["2026-01-01", "2026-01-02", "2026-01-03"],
                    "labels": ["1", "2", "3"], "count": 6.5, "action": {"id": "$pageview"}}],
        "columns": None, "types": None, "hasMore": False, "is_cached": True, "hogql": "SELECT 1", "timezone": "UTC",
        "last_refresh": "2026-01-10T09:01:00Z", "query_status": None, "created_at": "2026-01-10T09:00:00Z",
        "created_by": user, "last_modified_at": "2026-01-10T09:00:00Z", "last_modified_by": user,
        "resolved_date_range": {"date_from": "2026-01-01T00:00:00Z", "date_to": "2026-01-03T23:59:59Z"},
        "alerts": [], "effective_privilege_level": 37, "field_of_next_week": {"deep": [None]},
    }  # fmt: skip
    return base | changes


def status(query_id: str = "cache_1_5f2c", **changes: Any) -> dict[str, Any]:
    """The state of an asynchronous query, running unless told otherwise."""
    base = {
        "id": query_id, "team_id": 1, "complete": False, "error": False, "error_message": None, "results": None,
        "query_async": True, "start_time": "2026-01-10T09:02:00Z", "query_progress": None, "labels": None,
    }  # fmt: skip
    return base | changes


class Loopback:
    """The server. What nobody scripted is a 404; key and project answer by themselves."""

    def __init__(
        self, *, scopes: list[str] | None = None, teams: list[int] | None = None, key: str = KEY, project: bool = True
    ) -> None:
        self.key = key
        self.received: list[Received] = []
        self._routes: list[tuple[str, re.Pattern[str], list[Answer]]] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        granted = {"id": "k", "label": "test", "scopes": scopes or ["*"], "scoped_teams": teams or []}
        self.on("GET", r"/api/personal_api_keys/@current/", ok(granted | {"mask_value": "phx_…cdef", "new": 1}))
        if project:
            self.on("GET", r"/api/projects/\d+/", ok(PROJECT))

    def __enter__(self) -> Loopback:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Answer requests to `path` (a pattern of the whole raw path) in turn; the last answer stays."""
        self._routes.insert(0, (method, re.compile(path), list(answers)))

    def on_insights(self, method: str, rest: str, *answers: Answer) -> None:
        """As `on`, below the insights of project 1."""
        self.on(method, r"/api/projects/1/insights/" + rest, *answers)

    def calls(self, method: str = "", part: str = "") -> list[Received]:
        """What was received, without introspection and the project's name."""
        plumbing = re.compile(r"/api/personal_api_keys/.*|/api/projects/\d+/")
        with self._lock:
            found = list(self.received)
        return [
            r for r in found
            if not plumbing.fullmatch(r.path) and method in ("", r.method) and part in r.path
        ]  # fmt: skip

    def answer(self, request: Received) -> Reply:
        """The next answer to this request."""
        with self._lock:
            self.received.append(request)
            if request.headers.get("authorization") != f"Bearer {self.key}":
                detail = "Personal API key found in request Authorization header is invalid."
                return error(401, detail, "authentication_failed", "authentication_error")
            for method, path, answers in self._routes:
                if method == request.method and path.fullmatch(request.path):
                    chosen = answers.pop(0) if len(answers) > 1 else answers[0]
                    break
            else:
                chosen = NOT_FOUND
        return chosen if isinstance(chosen, Reply) else chosen(request)


def _handler(server: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            reply = server.answer(Received(self.command, self.path, headers, self.rfile.read(length)))
            time.sleep(reply.delay)
            with suppress(OSError):
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            if reply.drop_after == -1:
                return self._break_off()
            self.send_response(reply.status)
            for name, value in ({"Content-Type": reply.content_type} | reply.headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body) * reply.repeat))
            self.end_headers()
            if reply.drop_after is not None:
                self.wfile.write(reply.body[: reply.drop_after])
                self.wfile.flush()
                return self._break_off()
            for _ in range(reply.repeat):
                self.wfile.write(reply.body)
            return None

        def _break_off(self) -> None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.shutdown(socket.SHUT_RDWR)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

        def log_message(self, *_: Any) -> None:
            """Nothing: the tests read `received`."""

    return Handler
