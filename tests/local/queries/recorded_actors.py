"""Recorded actors made comparable: the recordings of a person come in no order of their own."""

from __future__ import annotations

from typing import Any


def comparable(expected: Any, actual: Any) -> tuple[Any, Any]:
    """Both answers with each person's recordings by session."""
    return _ordered(expected), _ordered(actual)


def _ordered(rows: list[list[Any]]) -> list[list[Any]]:
    return [[sorted(cell, key=_session) if _is_recordings(cell) else cell for cell in row] for row in rows]


def _is_recordings(cell: Any) -> bool:
    return isinstance(cell, list) and all(isinstance(each, dict) and "session_id" in each for each in cell)


def _session(recording: dict[str, Any]) -> str:
    return str(recording["session_id"])
