"""What the model sees: every tool, in the order it is listed."""

from __future__ import annotations

from insights_mcp.tools.activity import GetInsightActivity, ListActivity
from insights_mcp.tools.actors import ListActors
from insights_mcp.tools.analysis import AnalyzeInsight, GetSuggestions
from insights_mcp.tools.dashboards import GetDashboard, ListDashboards
from insights_mcp.tools.data import DiscoverData
from insights_mcp.tools.describing import DescribeQuery
from insights_mcp.tools.editing import CreateInsight, DeleteInsight, RestoreInsight, UpdateInsight
from insights_mcp.tools.explaining import ExplainInsight
from insights_mcp.tools.insights import GetInsight, ListInsights, ListTrendingInsights, MarkInsightsViewed
from insights_mcp.tools.queries import CancelQuery, RunQuery
from insights_mcp.tools.query_result import QueryResult
from insights_mcp.tools.sharing import (
    AddSharingPassword,
    DeleteSharingPassword,
    GetSharing,
    RefreshSharingLink,
    UpdateSharing,
)
from insights_mcp.tools.thresholds import GetThreshold, ListThresholds
from insights_mcp.tools.tool import Tool

TOOLS: tuple[type[Tool], ...] = (
    DiscoverData,
    RunQuery,
    DescribeQuery,
    QueryResult,
    ListActors,
    CancelQuery,
    ListInsights,
    GetInsight,
    ExplainInsight,
    CreateInsight,
    UpdateInsight,
    DeleteInsight,
    RestoreInsight,
    AnalyzeInsight,
    GetSuggestions,
    ListTrendingInsights,
    MarkInsightsViewed,
    GetInsightActivity,
    ListActivity,
    GetSharing,
    UpdateSharing,
    AddSharingPassword,
    DeleteSharingPassword,
    RefreshSharingLink,
    ListThresholds,
    GetThreshold,
    ListDashboards,
    GetDashboard,
)
