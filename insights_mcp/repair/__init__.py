"""Queries as models write them: what they name, what they mean, what is wrong with them. Pure: nothing is asked."""

from __future__ import annotations

from insights_mcp.repair.findings import BadQuery, Mistake
from insights_mcp.repair.names import Name, names_in, renamed
from insights_mcp.repair.query import Repaired, repaired

__all__ = ["BadQuery", "Mistake", "Name", "Repaired", "names_in", "renamed", "repaired"]
