"""Size: all of `tools/list` as it is sent to every model on every request, in tokens (characters / 4)."""

from __future__ import annotations

import mcp_types as types

from benchmarks.measure import Measurement
from insights_mcp.server import described
from insights_mcp.tools import TOOLS

CEILING = 6_000


def tokens() -> float:
    """The list's size in tokens."""
    listed = types.ListToolsResult(tools=[described(tool) for tool in TOOLS])
    return len(listed.model_dump_json(by_alias=True, exclude_none=True)) / 4


def measure() -> list[Measurement]:
    """All tools, against the ceiling."""
    return [Measurement(f"tools/list, {len(TOOLS)} tools", tokens(), CEILING, at_most=1, unit="tokens")]
