"""An insight's description as the model gives it: PostHog takes 400 characters, so a longer one ends earlier."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import PlainValidator, WithJsonSchema

MOST = 400
END = re.compile(r"[.!?](?=\s|$)")


class Shortened(str):
    """A text, and what was done to it."""

    notes: tuple[str, ...] = ()


def _description(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a description is a text")
    if len(value) <= MOST:
        return value
    kept = Shortened(shortened(value))
    kept.notes = (f"Description: {len(value):,} characters, shortened to {len(kept)}; PostHog takes {MOST}.",)
    return kept


def shortened(text: str) -> str:
    """The sentences that fit; of one that is too long, the words."""
    ends = [found.end() for found in END.finditer(text[: MOST + 1]) if found.end() <= MOST]
    if ends and ends[-1] >= MOST // 4:
        return text[: ends[-1]]
    words = text[: MOST - 1].rsplit(maxsplit=1)[0] if " " in text[: MOST - 1].strip() else text[: MOST - 1]
    return f"{words.rstrip()}…"


Description = Annotated[str, PlainValidator(_description), WithJsonSchema({"type": "string"})]
