"""Why a load cannot be done, in words for the person who asked for it."""

from __future__ import annotations

from insights_mcp.errors import InsightsError


class LoadError(InsightsError):
    """Nothing was loaded: `what` happened, and what to do `next_step`."""
