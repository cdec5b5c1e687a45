"""A query as the model gives it: in the common form, as PostHog's JSON, or with mistakes that can be put right."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema

MAX_CHARACTERS = 500_000
MAX_DEPTH = 60
LINE = 380  # of a note
REMEMBERED = 16  # queries
EXAMPLE = '{"kind":"trends","events":["$pageview"],"from":"-30d"}'


class Understood(dict[str, Any]):
    """A valid query; `notes` say what was made of what was given, where it was not taken as it was."""

    notes: tuple[str, ...] = ()


def _query(value: Any) -> Understood:
    """The query. ValueError says what is wrong, all of it, and shows what is right."""
    if isinstance(value, Understood):
        return value
    if isinstance(value, str):
        _bounded(len(value))
    from insights_mcp.repair import texts  # with its models it would be a tenth of the start

    given = texts.read(value) if isinstance(value, str) else value
    if _depth(given) > MAX_DEPTH:
        raise ValueError(f"a query is nested at most {MAX_DEPTH} deep")
    text = json.dumps(value, default=str)
    _bounded(len(text))
    if isinstance(given, str) and given.lstrip().startswith("{"):
        raise ValueError(f"a query is a JSON object, and this text is no JSON; such as {EXAMPLE}")
    written, notes = _understood(text)
    query = Understood(json.loads(written))
    query.notes = notes
    return query


@lru_cache(REMEMBERED)
def _understood(text: str) -> tuple[str, tuple[str, ...]]:
    """The query as JSON, and the notes. The same query is often asked again: anew, from another row on, drawn."""
    from insights_mcp.repair import repaired

    read = repaired(json.loads(text))
    return json.dumps(read.query), told(read.repairs, "Repaired") + told(
        read.unknown, "Kept, though no such field is known here"
    )


def told(repairs: tuple[str, ...], begin: str) -> tuple[str, ...]:
    """The repairs in one note, those of the same kind once."""
    alike: dict[str, list[str]] = {}
    for repair in repairs:
        alike.setdefault(re.sub(r"\[\d+\]", "[]", repair), []).append(repair)
    items = [same[0] + (f" (and {len(same) - 1} more like it)" if len(same) > 1 else "") for same in alike.values()]
    note, shown = "", 0
    for item in items:
        if shown and len(note) + len(item) > LINE:
            break
        note += f"{'; ' if shown else ''}{item}"
        shown += 1
    rest = f"; and {len(items) - shown} more" if shown < len(items) else ""
    return (f"{begin}: {note}{rest}.",) if items else ()


def _bounded(size: int) -> None:
    if size > MAX_CHARACTERS:
        raise ValueError(
            f"a query has at most {MAX_CHARACTERS:,} characters, this one has {size:,}; "
            "use a cohort or a property instead of a long list of values"
        )


def _depth(value: Any) -> int:
    """How deep it is nested; counted in layers, so that no depth is too deep to count."""
    depth, layer = 0, [value]
    while layer and depth <= MAX_DEPTH:
        depth += 1
        layer = [
            item
            for outer in layer
            for item in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(item, dict | list)
        ]
    return depth


Query = Annotated[
    Understood,
    PlainValidator(_query),
    WithJsonSchema({"type": "object"}),
    Field(description="As in run_query."),
]
