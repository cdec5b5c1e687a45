"""What a builder hands back: the drawing without title and look, its kind, and what a reader must know of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """`spec` is the inner part of a specification. `span`: its first and last bucket, where the dates are not known."""

    spec: dict[str, Any]
    kind: str
    notes: tuple[str, ...] = ()
    span: tuple[str, str] | None = None
