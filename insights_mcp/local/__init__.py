"""PostHog's Insights API in this process: saved objects in SQLite, events in DuckDB, one folder per project."""

from insights_mcp.local.backend import Backend, create_project, open_backend
from insights_mcp.local.errors import LocalError

__all__ = ["Backend", "LocalError", "create_project", "open_backend"]
