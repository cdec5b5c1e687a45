"""Recorded actors made comparable: the ids and recordings of a person come in no order of their own."""

from __future__ import annotations

from typing import Any


def comparable(expected: Any, actual: Any) -> tuple[Any, Any]:
    """Both answers with each person's ids sorted, and recordings by session."""
    return _ordered(expected), _ordered(actual)


def _ordered(rows: list[list[Any]]) -> list[list[Any]]:
    return [[_cell(cell) for cell in row] for row in rows]


def _cell(cell: Any) -> Any:
    if isinstance(cell, dict) and "distinct_ids" in cell:
        return cell | {"distinct_ids": sorted(cell["distinct_ids"])}
    return sorted(cell, key=_session) if _is_recordings(cell) else cell


def _is_recordings(cell: Any) -> bool:
    return isinstance(cell, list) and all(isinstance(each, dict) and "session_id" in each for each in cell)


def _session(recording: dict[str, Any]) -> str:
    return str(recording["session_id"])
