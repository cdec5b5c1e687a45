"""A reply made readable within a budget: what is said, a table, and what was left out."""

from insights_mcp.answer.answer import Answer, Link, Picture, Table
from insights_mcp.answer.rendering import FULL, SUMMARY, Rendered, render

__all__ = ["FULL", "SUMMARY", "Answer", "Link", "Picture", "Rendered", "Table", "render"]
