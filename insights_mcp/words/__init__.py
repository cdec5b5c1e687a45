"""Queries in words: what one measures, how two differ, what is doubtful. Pure: no request is made here."""

from __future__ import annotations

from insights_mcp.words.changes import changes
from insights_mcp.words.lint import contradicted, lint
from insights_mcp.words.sentences import described

__all__ = ["changes", "contradicted", "described", "lint"]
