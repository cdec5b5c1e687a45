"""Settings from the environment: what makes no sense is refused, with the way to mend it."""

from __future__ import annotations

import pytest

from insights_mcp.errors import SettingsError
from insights_mcp.scopes import Scopes
from insights_mcp.settings import EU_CLOUD, US_CLOUD, Settings, settings_from

KEY = "phx_SettingsSecretKey0123456789"


def settings(**changes: str) -> Settings:
    """Settings of an environment with a key."""
    return settings_from({"POSTHOG_API_KEY": KEY} | changes)


def refused(**changes: str) -> str:
    """What is said of an environment that makes no sense."""
    with pytest.raises(SettingsError) as caught:
        settings(**changes)
    return str(caught.value)


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ("", None),
        ("us", US_CLOUD),
        ("EU", EU_CLOUD),
        ("https://us.posthog.com", US_CLOUD),
        ("https://eu.posthog.com/", EU_CLOUD),
        ("app.posthog.com", US_CLOUD),
        ("https://eu.i.posthog.com", EU_CLOUD),
        ("HTTPS://PostHog.Example.COM:8443", "https://posthog.example.com:8443"),
        (" posthog.example.com ", "https://posthog.example.com"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://posthog:8000", "http://posthog:8000"),
    ],
)
def test_hosts_are_understood(given: str, host: str | None) -> None:
    """Short names, old names, own domains; capital letters and slashes do not matter."""
    assert host == settings(POSTHOG_HOST=given).host


@pytest.mark.parametrize(
    "given",
    [
        "https://us.posthog.com/project/1",
        "https://us.posthog.com?x=1",
        "https://us.posthog.com#x",
        "https://user:secretword@posthog.example.com",
        "https://@posthog.example.com",
        "http://posthog.example.com",
        "http://127.0.0.1.evil.com",
        "http://8.8.8.8",
        "ftp://posthog.example.com",
        "https://",
        "https://exa mple.com",
        "https://posthog.example.com:99999",
        "https://posthog.example.com:port",
        "https://[::1",
        "https://evil\u202e.com",
        "https://a..b/../c",
        "\x00",
    ],
)
def test_odd_hosts_are_refused(given: str) -> None:
    """The key goes to a server that was named, by https; what is wrong is said without repeating a password."""
    said = refused(POSTHOG_HOST=given)
    assert (True, False) == ("POSTHOG_HOST" in said, "secretword" in said)


@pytest.mark.parametrize("given", ["", "  ", "phc_ProjectKey0123456789", "Bearer phx_x", "phx_a\nb", "schlüssel"])
def test_odd_keys_are_refused(given: str) -> None:
    """What no personal key looks like is not repeated."""
    said = refused(POSTHOG_API_KEY=given)
    assert (True, False) == ("POSTHOG_API_KEY" in said, "ProjectKey" in said)


@pytest.mark.parametrize("given", ["0", "-1", "1.5", "@current", "x", "１２", "9" * 5000, "1 2"])
def test_odd_projects_are_refused(given: str) -> None:
    """A project is a number."""
    assert "POSTHOG_PROJECT_ID" in refused(POSTHOG_PROJECT_ID=given)


@pytest.mark.parametrize(("given", "number"), [("", None), ("12", 12), (" 7 ", 7)])
def test_projects_are_numbers(given: str, number: int | None) -> None:
    """Or not chosen."""
    assert number == settings(POSTHOG_PROJECT_ID=given).project_id


def test_scopes_are_listed() -> None:
    """With commas or spaces."""
    assert Scopes(["insight:read", "query:read"]) == settings(POSTHOG_SCOPES="insight:read, query:read").scopes


@pytest.mark.parametrize("given", ["insight", "insight:delete", "insight:read;x", ":read", KEY])
def test_odd_scopes_are_refused(given: str) -> None:
    """Also a key that was put into the wrong place, which is not repeated."""
    said = refused(POSTHOG_SCOPES=given)
    assert (True, False) == ("POSTHOG_SCOPES" in said, "SettingsSecretKey" in said)


def test_the_key_is_not_shown() -> None:
    """Settings can be logged."""
    assert "SettingsSecretKey" not in repr(settings())
