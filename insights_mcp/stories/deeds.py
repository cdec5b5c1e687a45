"""What a logged change was, in words: verbs for what was done, and before → after for each field.

Fields nobody here knows are told as they are, shortened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from insights_mcp.answer.pieces import dumps
from insights_mcp.schema.activity import Activity, Change
from insights_mcp.text import clean, quoted, shortened
from insights_mcp.words import changes, described

PART = 140
NAME, VALUE = 50, 40
NOTHING: tuple[Any, ...] = (None, "", [], {})
UPDATED = "updated"
LOGGED_IN, LOCKED_OUT = "share_login_success", "share_login_failed"
VISITS = (LOGGED_IN, LOCKED_OUT)
VERBS = {
    "created": "created",
    "deleted": "deleted",
    "restored": "restored",
    "sharing enabled": "shared by a public link",
    "sharing disabled": "public link switched off",
    "access token refreshed": "public link replaced (the old one dies after five minutes)",
    LOGGED_IN: "a visitor of the public link gave the password",
    LOCKED_OUT: "a visitor of the public link gave a wrong password",
}
# what the verb says already
IMPLIED = {
    "deleted": ("deleted",),
    "restored": ("deleted",),
    "sharing enabled": ("sharing",),
    "sharing disabled": ("sharing",),
    LOGGED_IN: ("authentication_attempt",),
    LOCKED_OUT: ("authentication_attempt",),
}
# PostHog derives these: they are told only when nothing else is
DERIVED = ("query_metadata", "derived_name")


def parts(entries: list[Activity]) -> tuple[str, ...]:
    """What several entries of one person on one insight, newest first, come to: in order, each field's net change."""
    done: dict[tuple[str, str], Any] = {}  # a verb's count, or a field's value before and after
    for entry in reversed(entries):
        changed = list(_changes(entry))
        if verb := _verb(entry, bool(changed)):
            done[("verb", verb)] = done.get(("verb", verb), 0) + 1
        for change in changed:
            key = ("field", change.field or "a field")
            done[key] = (done[key][0] if key in done else change.before, change.after)
    telling = set(done) - {("field", name) for name in DERIVED}
    told = [part for key in done if key in telling or not telling for part in _told(*key, done[key])]
    return tuple(shortened(part, PART) for part in told)


def _told(kind: str, name: str, found: Any) -> Iterator[str]:
    if kind == "verb":
        yield name if found == 1 else f"{name} ×{found}"
    elif not _same(*found):
        yield from FIELDS.get(name, _other(name))(*found)
    else:
        yield f"{clean(name, 40)} {'saved' if found[0] in NOTHING else 'changed and changed back'}"


def _changes(entry: Activity) -> Iterator[Change]:
    """The changes that the entry's verb does not say."""
    implied = IMPLIED.get(entry.activity or "", ())
    exported = (entry.activity or "").startswith("exported")
    for change in (entry.detail and entry.detail.changes) or ():
        if change is not None and change.field not in implied and not (exported and change.field == "export_format"):
            yield change


def _verb(entry: Activity, changed: bool) -> str:
    """What was done, unless it is that the fields changed which are told anyway."""
    done = entry.activity or UPDATED
    if done == UPDATED:
        return "" if changed else "updated; the log does not say what"
    if done in VERBS:
        return VERBS[done]
    told = clean(done, 60).replace("_", " ")
    formats = [c.after for c in (entry.detail and entry.detail.changes) or () if c and c.field == "export_format"]
    return f"{told} as {clean(formats[0], 40)}" if formats else told


def _same(before: Any, after: Any) -> bool:
    return bool(before == after) or (before in NOTHING and after in NOTHING)


# fields

Told = Callable[[Any, Any], Iterator[str]]


def _other(name: str) -> Told:
    def told(before: Any, after: Any) -> Iterator[str]:
        yield f"{clean(name, 40).replace('_', ' ')}: {_value(before)} → {_value(after)}"

    return told


def _name(before: Any, after: Any) -> Iterator[str]:
    if before in NOTHING:
        yield f"named {quoted(after, NAME)}"
    elif after in NOTHING:
        yield f"name {quoted(before, NAME)} removed"
    else:
        yield f"renamed {quoted(before, NAME)} → {quoted(after, NAME)}"


def _description(before: Any, after: Any) -> Iterator[str]:
    if before in NOTHING:
        yield f"described: {quoted(after, 2 * VALUE)}"
    elif after in NOTHING:
        yield "description removed"
    else:
        yield f"description {quoted(before, VALUE)} → {quoted(after, VALUE)}"


def _query(before: Any, after: Any) -> Iterator[str]:
    """The difference in words. The log may leave a query out, or cut it: then it is only known to be another."""
    if after in NOTHING:
        yield "query removed" if before not in NOTHING else "query changed"
    elif not isinstance(after, dict) or not isinstance(before, dict | None):
        yield "query changed"
    elif before in NOTHING:
        yield f"query set: {described(after)}"
    else:
        yield from changes(before, after) or ["query saved in another form"]


def _filters(before: Any, after: Any) -> Iterator[str]:
    yield "filters of the older form changed" if after not in NOTHING else "filters of the older form removed"


def _favorited(before: Any, after: Any) -> Iterator[str]:
    yield "made a favorite" if after is True else "no longer a favorite"


def _deleted(before: Any, after: Any) -> Iterator[str]:
    yield "deleted" if after is True else "restored"


def _sharing(before: Any, after: Any) -> Iterator[str]:
    yield VERBS["sharing enabled" if after is True else "sharing disabled"]


def _tags(before: Any, after: Any) -> Iterator[str]:
    gone, new = _only(before, after), _only(after, before)
    signed = [f"+ {name}" for name in new] + [f"− {name}" for name in gone]
    yield f"{'tag' if len(signed) == 1 else 'tags'} {', '.join(signed) or 'in another order'}"


def _dashboards(before: Any, after: Any) -> Iterator[str]:
    gone, new = _only(before, after), _only(after, before)
    yield from (f"put on dashboard {name}" for name in new)
    yield from (f"taken off dashboard {name}" for name in gone)
    if not gone and not new:
        yield "dashboards in another order"


FIELDS: dict[str, Told] = {
    "name": _name,
    "description": _description,
    "query": _query,
    "filters": _filters,
    "favorited": _favorited,
    "deleted": _deleted,
    "sharing": _sharing,
    "tags": _tags,
    "dashboards": _dashboards,
}


def _only(values: Any, others: Any) -> list[str]:
    """Names of those in the one list that are not in the other, in order, each once."""
    known = set(map(_item, _list(others)))
    return list(dict.fromkeys(name for name in map(_item, _list(values)) if name not in known))


def _item(item: Any) -> str:
    """A tag; or a dashboard, whose form changed over time."""
    if isinstance(item, dict) and isinstance(item.get("dashboard"), dict):
        item = item["dashboard"]
    if isinstance(item, dict):
        return quoted(item["name"], NAME) if item.get("name") else clean(item.get("id"), NAME)
    return clean(item, NAME)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value in NOTHING else [value]


def _value(value: Any) -> str:
    if value in NOTHING:
        return "nothing"
    return quoted(value, VALUE) if isinstance(value, str) else clean(shortened(dumps(value), VALUE), 2 * VALUE)
