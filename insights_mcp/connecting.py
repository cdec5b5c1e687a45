"""What a command works on: PostHog as the environment says, or a local folder or events file."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from insights_mcp.errors import SettingsError

if TYPE_CHECKING:
    from insights_mcp.client import Client
    from insights_mcp.local import Backend

LOCAL_EXTRA = "Install it with the embedded backend: pip install 'insights-mcp[local]'."


@asynccontextmanager
async def connected(local: Path | None, strict_keys: bool = False) -> AsyncIterator[Client]:
    """A client of PostHog as the environment says, or of a local folder."""
    from insights_mcp.client import Client
    from insights_mcp.settings import Settings, settings_from

    if local is None:
        async with closing(Client(settings_from(os.environ))) as client:
            yield client
        return
    from insights_mcp.transport import InProcess

    backend = opened(local, strict_keys)
    settings = Settings(api_key=backend.owner_key, host="http://local", project_id=backend.project_id)
    try:
        async with closing(Client(settings, transport=InProcess(backend.app))) as client:
            yield client
    finally:
        backend.close()


@asynccontextmanager
async def closing(client: Client) -> AsyncIterator[Client]:
    """The client, closed at the end."""
    try:
        yield client
    finally:
        await client.aclose()


def opened(path: Path, strict_keys: bool) -> Backend:
    """The backend of a project folder; of Parquet files as they are; of an events file, which is loaded first."""
    with local_extra():
        from insights_mcp.local import open_backend
        from insights_mcp.local.in_place import parquet_files

        files = parquet_files(path)
        return open_backend(_folder_of(path, files) if files or path.is_file() else path, strict_keys=strict_keys)


def _folder_of(path: Path, exported: list[Path]) -> Path:
    """The project folder beside events files: exported ones stay where they are, another is loaded into it."""
    from insights_mcp.local import create_project
    from insights_mcp.local.in_place import folder_for, look
    from insights_mcp.local.load import LoadError
    from insights_mcp.local.load import load as load_files

    folder = folder_for(path)
    create_project(folder, name=path.name)
    try:
        if exported:
            look(exported, folder)
            return folder
    except LoadError:
        if not path.is_file():
            raise
    if not _newer(folder / "events.duckdb", path):
        load_files([path], folder)
    return folder


def _newer(store: Path, file: Path) -> bool:
    return store.exists() and store.stat().st_mtime >= file.stat().st_mtime


@contextmanager
def local_extra() -> Iterator[None]:
    """The embedded backend is an optional extra: say so when it is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingsError(f"The embedded backend needs {error.name}, which is not installed.", LOCAL_EXTRA) from None
