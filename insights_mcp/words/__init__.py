"""Queries in words: what one measures, and how two differ. Pure: no request is made here."""

from __future__ import annotations

from insights_mcp.words.changes import changes
from insights_mcp.words.sentences import described

__all__ = ["changes", "described"]
