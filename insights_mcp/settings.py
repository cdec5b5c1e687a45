"""Where the server's settings come from, and which of them make no sense.

Environment: POSTHOG_API_KEY, POSTHOG_HOST, POSTHOG_PROJECT_ID, and optionally POSTHOG_SCOPES.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from insights_mcp.errors import SettingsError
from insights_mcp.scopes import Scopes, is_scope
from insights_mcp.text import quoted

US_CLOUD = "https://us.posthog.com"
EU_CLOUD = "https://eu.posthog.com"
CLOUDS = (US_CLOUD, EU_CLOUD)
SHORT_HOSTS = {
    "us": US_CLOUD,
    "eu": EU_CLOUD,
    "https://app.posthog.com": US_CLOUD,
    "https://us.i.posthog.com": US_CLOUD,
    "https://eu.i.posthog.com": EU_CLOUD,
}
WHERE_KEYS_ARE = "Make a personal API key (phx_…) in PostHog under Settings > Personal API keys"


@dataclass(frozen=True)
class Settings:
    """One PostHog and one project in it. `host` None: the cloud region is found by asking both."""

    api_key: str = field(repr=False)
    host: str | None = None
    project_id: int | None = None
    scopes: Scopes | None = None


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings an environment holds. SettingsError says which one is wrong and how to mend it."""
    return Settings(
        api_key=_key(environment.get("POSTHOG_API_KEY", "")),
        host=_host(environment.get("POSTHOG_HOST", "")),
        project_id=_project(environment.get("POSTHOG_PROJECT_ID", "")),
        scopes=_scopes(environment.get("POSTHOG_SCOPES", "")),
    )


def _key(text: str) -> str:
    key = text.strip()
    if not key:
        raise SettingsError(
            "POSTHOG_API_KEY is not set.",
            f"{WHERE_KEYS_ARE} and set POSTHOG_API_KEY to it; or run on local files with --local PATH.",
        )
    if key.startswith("phc_"):
        raise SettingsError(
            "POSTHOG_API_KEY holds a project key (phc_…), which can only send events.", f"{WHERE_KEYS_ARE} instead."
        )
    if not re.fullmatch(r"[!-~]+", key):
        raise SettingsError("POSTHOG_API_KEY contains spaces or characters no key has.", "Copy the key again, whole.")
    return key


def _host(text: str) -> str | None:
    given = text.strip()
    short = given.rstrip("/").lower()
    if not given or short in SHORT_HOSTS:
        return SHORT_HOSTS.get(short)
    try:
        url = urlsplit(given if "://" in given else f"https://{given}")
    except ValueError:
        url = urlsplit("")  # which is refused
    _refuse_odd_host(url)
    host = f"{url.scheme}://{url.netloc.lower()}"
    return SHORT_HOSTS.get(host, host)


def _refuse_odd_host(url: SplitResult) -> None:
    wanted = f"Set POSTHOG_HOST to scheme and name only, such as {US_CLOUD}, {EU_CLOUD} or https://posthog.example.com."
    try:
        port_is_fine = url.port is None or url.port > 0
    except ValueError:
        port_is_fine = False
    if url.username is not None or url.password is not None:
        raise SettingsError("POSTHOG_HOST contains a user name or password.", wanted)
    if url.path.strip("/") or url.query or url.fragment:
        raise SettingsError("POSTHOG_HOST contains more than a host name.", wanted)
    if url.scheme not in ("http", "https") or not port_is_fine or not _is_name(url.hostname or ""):
        raise SettingsError("POSTHOG_HOST is not the address of a server.", wanted)
    if url.scheme == "http" and not _is_private(url.hostname or ""):
        raise SettingsError("POSTHOG_HOST is http: the key would cross the network in the clear.", "Use https.")


def _is_name(hostname: str) -> bool:
    return _address(hostname) is not None or bool(re.fullmatch(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?", hostname))


def _is_private(hostname: str) -> bool:
    address = _address(hostname)
    return address.is_private if address else hostname == "localhost" or "." not in hostname


def _address(hostname: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(hostname)
    except ValueError:
        return None


def _project(text: str) -> int | None:
    given = text.strip()
    if not given:
        return None
    if not re.fullmatch(r"0*[1-9][0-9]{0,17}", given):
        raise SettingsError(
            "POSTHOG_PROJECT_ID is not a project's number.",
            "Set it to the number after /project/ in PostHog's address bar, such as 12345.",
        )
    return int(given)


def _scopes(text: str) -> Scopes | None:
    names = [name for name in re.split(r"[\s,]+", text) if name]
    if odd := [name for name in names if not is_scope(name)]:
        raise SettingsError(
            f"POSTHOG_SCOPES holds {quoted(odd[0], 60)}, which is no scope.",
            "Give scopes like insight:read, separated by commas.",
        )
    return Scopes(names) if names else None
