"""What was found in a query: repairs that were made, fields that nobody knows, mistakes that stop it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from insights_mcp.text import clean, nearest

Path = tuple[str | int, ...]
MOST_SOUGHT = 500
LONGEST_NAME = 400  # characters; nothing longer is nearly a name
NAMED = 12  # allowed values that are named


@dataclass(frozen=True)
class Mistake:
    """What cannot be repaired: where, what was given, what is allowed, what was probably meant, and a right one."""

    path: str
    problem: str
    near: str | None = None
    example: Any = None

    def __str__(self) -> str:
        meant = f"; did you mean {self.near!r}?" if self.near else "."
        example = f" Right: {shown(self.example, 200)}" if self.example is not None else ""
        return f"{self.path}: {self.problem}{meant}{example}"


class BadQuery(ValueError):
    """A query with mistakes that cannot be repaired: all of them."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        self.mistakes = mistakes
        super().__init__(" ".join(map(str, mistakes)))


@dataclass
class Findings:
    """Collects what is found. `easy`: the common form is read, whose short names need no word."""

    repairs: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    mistakes: list[Mistake] = field(default_factory=list)
    easy: bool = False
    told: set[str] = field(default_factory=set)
    sought: int = 0
    written: dict[Path, Path] = field(default_factory=dict)

    def repaired(self, at: Path, was: Any, now: Any) -> Any:
        """A value became another one."""
        self._add(f"{self.place(at)}: {shown(was)} → {shown(now)}")
        return now

    def expanded(self, at: Path, was: Any, now: Any) -> Any:
        """A short form became the long one: worth a word only where the long one was begun."""
        return now if self.easy else self.repaired(at, was, now)

    def moved(self, at: Path, to: Path) -> None:
        """A field stood elsewhere, or under another name."""
        if at != to:
            self._add(f"{dotted(at)} → {dotted(to)}")

    def said(self, at: Path, what: str) -> None:
        """Something else was repaired."""
        self._add(f"{self.place(at)}: {what}")

    def kept(self, at: Path) -> None:
        """A field that is not known here; PostHog may know it."""
        if self._is_new(place := self.place(at), "unknown"):
            self.unknown.append(place)

    def wrong(self, at: Path, problem: str, near: str | None = None, example: Any = None) -> None:
        """Something that cannot be repaired; one mistake a place is enough."""
        place = self.place(at) or "query"
        if at in self.written and isinstance(example, dict) and at[-1] in example:
            example = {str(self.written[at][-1]): example[str(at[-1])]}  # by the name that was written
        if self._is_new(place, "wrong"):
            self.mistakes.append(Mistake(place, problem, near, example))

    def not_allowed(self, at: Path, value: Any, allowed: tuple[str, ...], example: Any = None) -> None:
        """A value that is none of those allowed; not all are named where there are many."""
        near = self.near(value, allowed) if isinstance(value, str) else None
        more = f" … ({len(allowed)} in all)" if len(allowed) > NAMED else ""
        self.wrong(at, f"{shown(value)} is none of {', '.join(allowed[:NAMED])}{more}", near, example)

    def near(self, text: str, allowed: Iterable[str]) -> str | None:
        """What was probably meant."""
        return nearest(text, allowed) if len(text) <= LONGEST_NAME and self.seeks() else None

    def seeks(self) -> bool:
        """Whether what is nearly the same is still looked for: it takes long, and nobody makes so many slips."""
        self.sought += 1
        return self.sought <= MOST_SOUGHT

    def place(self, at: Path) -> str:
        """The path as whoever wrote the query knows it."""
        for length in range(len(at), 0, -1):
            if at[:length] in self.written:
                return dotted((*self.written[at[:length]], *at[length:]))
        return dotted(at)

    @contextmanager
    def reading(self, *, easy: bool) -> Iterator[None]:
        """While a part is read that is, or is not, in the common form."""
        before, self.easy = self.easy, easy
        try:
            yield
        finally:
            self.easy = before

    def _add(self, repair: str) -> None:
        if self._is_new(repair, "repaired"):
            self.repairs.append(repair)

    def _is_new(self, text: str, what: str) -> bool:
        """Whether it was not told yet."""
        new = (key := f"{what} {text}") not in self.told
        self.told.add(key)
        return new


def dotted(at: Path) -> str:
    """`series[0].math`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{clean(part, 60)}" for part in at)
    return text.removeprefix(".")


def shown(value: Any, limit: int = 80) -> str:
    """A value in a sentence: JSON, on one line, not long."""
    return clean(json.dumps(value, ensure_ascii=False, default=str), limit)
