"""What the tests share: one event loop kind, retries without waiting, and a PostHog on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina

from tests.loopback import Loopback


@pytest.fixture
def anyio_backend() -> str:
    """The product runs on asyncio."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_waiting_between_attempts() -> Iterator[None]:
    """As many attempts as in earnest, without the pauses."""
    with stamina.set_testing(True, attempts=4, cap=True):
        yield


@pytest.fixture
def posthog() -> Iterator[Loopback]:
    """A PostHog on 127.0.0.1 whose key holds every scope."""
    with Loopback() as server:
        yield server
