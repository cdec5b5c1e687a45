"""Why there is nothing, and which names do not exist: asked of the data, and said with what to do next."""

from __future__ import annotations

from insights_mcp.diagnosis.checked import Checked, checked
from insights_mcp.diagnosis.explained import explaining
from insights_mcp.diagnosis.reasons import reasons
from insights_mcp.endpoints.definitions import ListEventDefinitions, ListPropertyDefinitions

NAMES = (ListEventDefinitions, ListPropertyDefinitions)

__all__ = ["NAMES", "Checked", "checked", "explaining", "reasons"]
