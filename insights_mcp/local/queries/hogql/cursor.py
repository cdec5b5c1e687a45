"""A place among a query's tokens, and what can be asked there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from insights_mcp.local.queries.errors import QueryError
from insights_mcp.local.queries.hogql import lexing

Item = TypeVar("Item")

CLOSING = (")", "]", "}")
CLAUSES = ("from", "where", "prewhere", "group", "having", "window", "qualify", "order", "limit", "union", "settings")


class Cursor:
    """A place among the tokens, and what can be asked there."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = lexing.tokens(text)
        self.place = 0
        self.depth = 0

    @property
    def token(self) -> lexing.Token:
        return self.tokens[self.place]

    def peek(self, ahead: int = 1) -> lexing.Token:
        return self.tokens[min(self.place + ahead, len(self.tokens) - 1)]

    def next(self) -> lexing.Token:
        token = self.token
        self.place = min(self.place + 1, len(self.tokens) - 1)
        return token

    def sees(self, *words: str) -> bool:
        """Whether these words or signs come next."""
        return all(_is(self.peek(ahead), word) for ahead, word in enumerate(words))

    def take(self, *words: str) -> bool:
        """Pass these words or signs, if they come next."""
        if not self.sees(*words):
            return False
        self.place += len(words)
        return True

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.error(f"'{word.upper()}' is expected")

    def error(self, what: str) -> QueryError:
        return lexing.error(what, self.text, self.token.at)

    def name(self) -> str:
        """A name, quoted or not."""
        if self.token.kind in ("word", "name"):
            return self.next().text
        raise self.error("a name is expected")

    def listed(self, one: Callable[[], Item]) -> tuple[Item, ...]:
        """One or more, between commas."""
        found = [one()]
        while self.take(",") and not self._ended():
            found.append(one())
        return tuple(found)

    def _ended(self) -> bool:
        """Whether a list is over: a comma may stand at its end."""
        token = self.token
        return token.kind == "end" or token.text in CLOSING or (token.kind == "word" and token.text.lower() in CLAUSES)

    def inside(self, opening: str, closing: str, one: Callable[[], Item]) -> tuple[Item, ...]:
        """None or more between brackets."""
        self.need(opening)
        if self.take(closing):
            return ()
        found = self.listed(one)
        self.need(closing)
        return found


def _is(token: lexing.Token, word: str) -> bool:
    return token.kind in ("word", "sign") and token.text.lower() == word
