"""Every endpoint of the catalogue is answered here."""

from __future__ import annotations

from typing import Any

import pytest

from insights_mcp.endpoint import Endpoint
from insights_mcp.endpoints import CATALOGUE
from insights_mcp.local import app
from insights_mcp.local.calls import ANSWERS

from .api import Api, refused

# An endpoint that is not answered, with the reason.
NOT_ANSWERED: dict[type[Endpoint[Any]], str] = {}


@pytest.mark.parametrize("endpoint", CATALOGUE, ids=lambda endpoint: endpoint.__name__)
def test_every_endpoint_is_answered(endpoint: type[Endpoint[Any]]) -> None:
    """An endpoint of the catalogue is answered, or stands in the table with a reason."""
    assert app.SUBJECTS
    assert (endpoint.route in ANSWERS) != (endpoint in NOT_ANSWERED)


def test_both_prefixes_lead_to_the_same(api: Api) -> None:
    """Projects, environments and @current give identical lists; the trailing slash is optional."""
    api.insight(name="one")
    paths = [
        "projects/1/insights/",
        "environments/1/insights/",
        "projects/@current/insights",
        "environments/1/insights",
    ]
    lists = [api.get(f"/api/{path}").json()["results"] for path in paths]
    assert [lists[0]] * 4 == lists


def test_another_project_is_not_there(api: Api) -> None:
    """The folder holds one project; any other number or word is 404."""
    assert [refused(api.get(f"/api/projects/{name}/insights/")) for name in ("2", "x")] == [
        (404, "Project not found.")
    ] * 2


def test_an_unknown_path(api: Api) -> None:
    """404 in PostHog's words."""
    assert refused(api.get("nothing/")) == (404, "Endpoint not found.")


def test_an_encoded_slash_stays_an_unknown_path(api: Api) -> None:
    """A reference cannot reach another path."""
    assert [api.get(f"insights/{ref}/").status_code for ref in ("a%2Fb", "%2e%2e", "a%00b")] == [404, 404, 404]


def test_a_wrong_method(api: Api) -> None:
    """405 with a body that names the method."""
    assert refused(api.request("PUT", "insights/")) == (405, 'Method "PUT" not allowed.')
