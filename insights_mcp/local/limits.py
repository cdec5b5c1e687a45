"""How often a key may call: PostHog's rates per minute, hour and day, counted in this process."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

from insights_mcp.endpoint import Route
from insights_mcp.endpoints.insights import INSIGHTS, AnalyzeInsight, GetSuggestions, SuggestNext
from insights_mcp.endpoints.queries import QUERY
from insights_mcp.endpoints.sharing import SHARING
from insights_mcp.endpoints.thresholds import THRESHOLDS
from insights_mcp.local.errors import throttled

MINUTE, HOUR, DAY = 60, 3600, 86400
RATES: dict[str, tuple[tuple[int, int], ...]] = {
    "clickhouse": ((240, MINUTE), (1200, HOUR)),
    "llm": ((50, MINUTE), (200, HOUR), (500, DAY)),
    "default": ((480, MINUTE), (4800, HOUR)),
    # Not PostHog's: how often a shared link's password may be tried.
    "share_login": ((20, MINUTE),),
}
WORDS = frozenset(endpoint.route for endpoint in (AnalyzeInsight, GetSuggestions, SuggestNext))


def bucket_of(route: Route) -> str:
    """Which rates hold for a route."""
    if route in WORDS:
        return "llm"
    computing = route.path.startswith((INSIGHTS, QUERY)) and not route.path.startswith((SHARING, THRESHOLDS))
    return "clickhouse" if computing else "default"


class Limits:
    """The calls each key made lately, per bucket."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, int], deque[datetime]] = {}

    def count(self, key: str, bucket: str, now: datetime) -> None:
        """Count a call. Problem 429, and not counted, when it is one too many."""
        windows = [self._window(key, bucket, seconds, now) for _, seconds in RATES[bucket]]
        for (most, seconds), calls in zip(RATES[bucket], windows, strict=True):
            if len(calls) >= most:
                raise throttled(max(1, math.ceil(seconds - (now - calls[0]).total_seconds())))
        for calls in windows:
            calls.append(now)

    def _window(self, key: str, bucket: str, seconds: int, now: datetime) -> deque[datetime]:
        calls = self._calls.setdefault((key, bucket, seconds), deque())
        while calls and calls[0] <= now - timedelta(seconds=seconds):
            calls.popleft()
        return calls
