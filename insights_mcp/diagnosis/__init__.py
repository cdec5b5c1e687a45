"""Why there is nothing, and which names do not exist: asked of the data, and said with what to do next."""

from __future__ import annotations

from insights_mcp.diagnosis.checked import Checked, checked
from insights_mcp.diagnosis.explained import explaining
from insights_mcp.diagnosis.reasons import reasons

__all__ = ["Checked", "checked", "explaining", "reasons"]
