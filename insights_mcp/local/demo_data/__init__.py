"""A made-up SaaS product: its events, and the dashboards, insights, alerts and history its team left behind.

The same arguments on the same day always make the same story, told back from today: sign-ups grow, a campaign
brings a crowd, the product is down for two days, and pages load slowly in one browser.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from insights_mcp.local import LocalError, create_project
from insights_mcp.local.demo_data.events import events
from insights_mcp.local.demo_data.history import history
from insights_mcp.local.load import load

NAME = "Demo: a notes app"

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Made:
    """How many events and insights there are now."""

    events: int
    insights: int


def make(
    into: Path,
    *,
    days: int = 120,
    users: int = 1_500,
    progress: Progress = lambda fraction, message: None,
) -> Made:
    """Make the project in the folder `into`. LocalError when something is there already."""
    if into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise LocalError(f"{into} is not empty.", "Give a new folder: the demo overwrites nothing.")
    now = datetime.now(UTC).replace(microsecond=0)
    create_project(into, name=NAME)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "events.jsonl"
        with file.open("w", encoding="utf-8") as lines:
            for event in events(now, days, users):
                lines.write(json.dumps(event, separators=(",", ":")) + "\n")
        progress(0.2, "events")
        loaded = load([file], into, progress=lambda fraction, message: progress(0.2 + fraction * 0.6, message))
    insights = asyncio.run(history(into, now))
    progress(1.0, "done")
    return Made(loaded.events, insights)
