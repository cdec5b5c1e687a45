"""The catalogue: every endpoint this project knows, one class each.

`CATALOGUE` holds them all in reading order. `PUBLISHED` are the 19 of PostHog's Insights API page;
the others are the plumbing that real work with insights needs.
"""

from __future__ import annotations

from typing import Any

from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints.account import (
    GetCurrentKey,
    GetCurrentUser,
    GetDashboard,
    GetProject,
    ListDashboards,
    ListProjects,
)
from insights_mcp.endpoints.activity import GetInsightActivity, ListActivity
from insights_mcp.endpoints.definitions import ListEventDefinitions, ListPropertyDefinitions, ListPropertyValues
from insights_mcp.endpoints.insights import (
    AnalyzeInsight,
    CancelInsightQuery,
    CreateInsight,
    DestroyInsight,
    GetInsight,
    GetSuggestions,
    ListInsights,
    ListTrendingInsights,
    MarkInsightsViewed,
    SuggestNext,
    UpdateInsight,
)
from insights_mcp.endpoints.queries import DeleteQuery, GetQuery, RunQuery
from insights_mcp.endpoints.sharing import (
    AddSharingPassword,
    DeleteSharingPassword,
    GetSharing,
    RefreshSharingLink,
    UpdateSharing,
)
from insights_mcp.endpoints.thresholds import GetThreshold, ListThresholds

PUBLISHED: tuple[type[Endpoint[Any]], ...] = (
    ListTrendingInsights,
    MarkInsightsViewed,
    ListInsights,
    CreateInsight,
    GetSharing,
    AddSharingPassword,
    DeleteSharingPassword,
    RefreshSharingLink,
    ListThresholds,
    GetThreshold,
    GetInsight,
    UpdateInsight,
    DestroyInsight,
    GetInsightActivity,
    AnalyzeInsight,
    GetSuggestions,
    SuggestNext,
    ListActivity,
    CancelInsightQuery,
)

PLUMBING: tuple[type[Endpoint[Any]], ...] = (
    UpdateSharing,
    RunQuery,
    GetQuery,
    DeleteQuery,
    ListEventDefinitions,
    ListPropertyDefinitions,
    ListPropertyValues,
    ListDashboards,
    GetDashboard,
    GetCurrentKey,
    GetCurrentUser,
    ListProjects,
    GetProject,
)

CATALOGUE = PUBLISHED + PLUMBING
