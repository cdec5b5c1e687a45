"""An MCP server for product-analytics insights: on PostHog, or on local event files."""

__version__ = "0.1.0"
