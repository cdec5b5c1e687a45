"""Handles: what a result is fetched again by, in its address. Any copy of the server can serve one.

A saved insight's handle names it: `insight://AbCd1234/result`. A query that is not saved stands in its handle itself,
compressed: `insight://q.<token>/result`. A token is no secret; its checksum only tells one that was cut or changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from insights_mcp.errors import InvalidInput

ADDRESS = re.compile(r"insight://(?P<ref>[^/?#]+)(?:/result)?(?:\?(?P<options>.*))?")
MARK = "q."
VERSION = b"\x01"
DIGEST = 6
LONGEST_TOKEN = 4_000
MOST_CHARACTERS = 500_000
AGAIN = "Take the handle from the answer as it is, or give the query itself."
# What queries have in common: the words stand in no token. Never change it; a new one needs a new version.
COMMON = (
    b'"aggregation_group_type_index":"breakdown_histogram_bin_count":"breakdown_group_type_index":"normalize_url":true'
    b'"intervalCount":"samplingFactor":"aggregateProperties"StickinessQuery"LifecycleQuery"PathsQuery"stickinessFilter'
    b'"lifecycleFilter":{"toggledLifecycles":["new","returning","resurrecting","dormant"]"pathsFilter":{'
    b'"includeEventTypes":["$pageview"],"stepLimit":5,"startPoint":"endPoint":"edgeLimit":"retentionFilter":{'
    b'"period":"Day","retentionType":"retention_first_time","returningEntity":{"id":"targetEntity":{"id":'
    b'"totalIntervals":,"type":"events"}"funnelsFilter":{"funnelVizType":"time_to_convert""trends""steps"'
    b'"funnelOrderType":"ordered","funnelWindowInterval":14,"funnelWindowIntervalUnit":"day"'
    b'"math_property":"math":"unique_session""weekly_active""monthly_active""sum""avg""p90""dau"'
    b'"custom_name":"ActionsNode""id":"group""cohort","event","person"'
    b'"operator":"is_set""is_not_set""icontains""not_icontains""is_not""exact","type":"event","value":["type":"AND",'
    b'"values":["properties":[{"key":"$browser","$os","$current_url""$pathname""$geoip_country_code""$device_type"'
    b'"breakdownFilter":{"breakdown":"breakdown_limit":10,"breakdown_type":"event"},"breakdowns":[{"property":'
    b'"compareFilter":{"compare":true},"filterTestAccounts":true,"interval":"month","interval":"week"'
    b',"interval":"day","trendsFilter":{"display":"ActionsLineGraph","formula":"A/B"}'
    b" count() from events where timestamp >= now() - interval day group by order by desc limit "
    b'{"project":1,"query":{"kind":"HogQLQuery","query":"select event, person_id, properties.'
    b'{"kind":"DataVisualizationNode","source":{"kind":"InsightVizNode","source":'
    b'{"dateRange":{"date_from":"-30d","date_to":null},"kind":"TrendsQuery","series":[{"event":"$pageview",'
    b'"kind":"EventsNode","math":"total","name":"$pageview"}]}}'
)


@dataclass(frozen=True)
class Handle:
    """What a result is fetched by: the reference of a saved insight, with a dashboard's filters; or a query."""

    reference: str = ""
    from_dashboard: int | None = None
    query: dict[str, Any] | None = None

    @property
    def key(self) -> str:
        """What tells it from others within a project."""
        if self.query is None:
            return f"{self.reference}?{self.from_dashboard or ''}"
        return hashlib.sha256(_canonical(self.query).encode("utf-8", "surrogatepass")).hexdigest()

    def uri(self, project: int) -> str | None:
        """Its address in this project; None when the query is too large for one."""
        ref = self.reference if self.query is None else token(project, self.query)
        options = f"?from_dashboard={self.from_dashboard}" if self.from_dashboard is not None else ""
        return f"insight://{quote(ref, safe='')}/result{options}" if ref else None


def token(project: int, query: dict[str, Any]) -> str:
    """A query as the reference of its result; '' when it is too large for that."""
    text = _canonical({"project": project, "query": query})
    if len(text) > MOST_CHARACTERS:
        return ""
    body = VERSION + _deflated(text.encode("utf-8", "surrogatepass"))
    made = MARK + _encoded(_digest(body) + body)
    return made if len(made) <= LONGEST_TOKEN else ""


def handle_of(ref: str, project: int, from_dashboard: int | None = None) -> Handle:
    """What a reference in an address leads to. InvalidInput for a token that holds no query of this project."""
    if not re.fullmatch(re.escape(MARK) + r"[A-Za-z0-9_-]{12,}", ref):
        return Handle(ref, from_dashboard)
    held = _held(ref)
    if held["project"] != project:
        raise InvalidInput(
            f"The handle is of a query in project {held['project']}; this server works in project {project}.",
            "Only what is in that project can be read; run the query here with run_query.",
        )
    return Handle(query=held["query"])


def _held(ref: str) -> dict[str, Any]:
    """What stands in a token."""
    body = _checked(ref)
    try:
        inflating = zlib.decompressobj(-15, zdict=COMMON)
        content = inflating.decompress(body[len(VERSION) :], MOST_CHARACTERS * 4)
        held = json.loads(content.decode("utf-8", "surrogatepass")) if inflating.eof else None
    except (zlib.error, ValueError, RecursionError):
        held = None
    if (
        not isinstance(held, dict)
        or not isinstance(held.get("query"), dict)
        or type(held.get("project")) is not int
        or abs(held["project"]) > 2**63
    ):
        raise InvalidInput("The handle holds no query.", AGAIN)
    return held


def _checked(ref: str) -> bytes:
    """The content of a token that is whole."""
    if len(ref) > LONGEST_TOKEN:
        raise InvalidInput(f"The handle has {len(ref):,} characters; none has over {LONGEST_TOKEN:,}.", AGAIN)
    raw = ref[len(MARK) :]
    try:
        content = base64.urlsafe_b64decode(raw + "=" * (-len(raw) % 4))
    except ValueError:
        content = b""
    digest, body = content[:DIGEST], content[DIGEST:]
    if not body or digest != _digest(body) or raw != _encoded(content):
        raise InvalidInput("The handle was cut off or changed.", AGAIN)
    if body[: len(VERSION)] != VERSION:
        raise InvalidInput("The handle was made by another version of this server.", AGAIN)
    return body


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _deflated(content: bytes) -> bytes:
    deflating = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zlib.Z_DEFAULT_STRATEGY, COMMON)
    return deflating.compress(content) + deflating.flush()


def _digest(body: bytes) -> bytes:
    return hashlib.sha256(body).digest()[:DIGEST]
