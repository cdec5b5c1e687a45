"""Why a load cannot be done, in words for the person who asked for it."""

from __future__ import annotations


class LoadError(Exception):
    """Nothing was loaded: `what` happened, and what to do `next_step`."""

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(what, next_step)
        self.what = what
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}".strip()
