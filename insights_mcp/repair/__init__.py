"""Queries as models write them: what they name, what they mean, what is wrong with them. Pure: nothing is asked."""

from __future__ import annotations

from insights_mcp.repair.names import Name, names_in, renamed

__all__ = ["Name", "names_in", "renamed"]
