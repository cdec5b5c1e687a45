"""Fields where PostHog has them: short names spread out, misplaced ones moved to the part they belong to."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from insights_mcp.repair.also import ABSENT, absent, shorts, with_unit
from insights_mcp.repair.common import EASY
from insights_mcp.repair.examples import COMMON
from insights_mcp.repair.findings import Findings, Path, dotted, shown
from insights_mcp.repair.objects import OURS, by_words, meant, read
from insights_mcp.repair.shapes import Part, fields, kind_of
from insights_mcp.repair.words import nearly, word

# Of old filters: what only the web app of that time needed.
FORGOTTEN = frozenset({"newentity", "fromdashboard", "entitytype", "shownas", "insight"})
# Of an insight, not of its query.
BESIDE = frozenset({"name", "title", "description", "favorited", "saved", "dashboards", "shortid", "derivedname"})
Where = tuple[str, ...]


def placed(model: type[BaseModel], query: dict[str, Any], at: Path, found: Findings) -> dict[str, Any]:
    """The query with each field in its place."""
    placing = _Placing(model, at, found)
    typed = any(word(key) == "breakdowntype" for key in query)
    for key, item in (with_unit(query, at, found) if placing.kind == "FunnelsQuery" else query).items():
        placing.place(key, item, typed)
    return placing.finished()


class _Placing:
    """One query being put in order."""

    def __init__(self, model: type[BaseModel], at: Path, found: Findings) -> None:
        self.model, self.at, self.found = model, at, found
        self.kind = kind_of(model) or ""
        self.easy, self.shorts = EASY.get(self.kind, {}), shorts(self.kind)
        self.parts = {n: f.shape.model for n, f in fields(model).items() if isinstance(f.shape, Part)}
        self.done: dict[str, Any] = {}

    def place(self, key: str, item: Any, typed: bool) -> None:
        """One field, by its own name, by a short one, or by where its name is at home."""
        if key in fields(self.model) and key not in self.easy:
            self._own(key, item)
        elif (short := self._short(key, item, typed)) is not None:
            if item not in (None, ""):  # else as if it were not there
                self._spread(key, item, short)
        elif name := meant(self.model, key, near=False):
            self.found.moved((*self.at, key), (*self.at, name))
            self._own(name, item)
        elif self.kind in ABSENT and (why := absent(self.kind, key)):
            self.found.wrong((*self.at, key), why, example=COMMON[self.kind][0])
        elif word(key) in FORGOTTEN:
            self.found.said((*self.at, key), "left out: PostHog's queries have no such field")
        elif word(key) in BESIDE and self.parts:
            self.found.said((*self.at, key), "left out: it belongs to the insight, beside the query")
        else:
            self._elsewhere((key,), item)

    def finished(self) -> dict[str, Any]:
        """The whole query."""
        _share_math(self.done, self.at, self.found)
        return self.done

    def _short(self, key: str, item: Any, typed: bool) -> Any:
        """How a short name is read. Under the same name, a field of PostHog's own wins."""
        if key in fields(self.model) or (word(key) in ("breakdown", "breakdowns") and typed):
            return None
        return self.easy.get(key) or self.shorts.get(word(key))

    def _spread(self, key: str, item: Any, short: Any) -> None:
        at = (*self.at, key)
        placed = short(item, at, self.found)
        silent = self.found.easy and key in self.easy
        for where, value in placed:
            if self._put(where, value, at) and silent:
                self.found.written[(*self.at, *where)] = at
        if placed and not silent:
            where, value = placed[0]
            one = where[-1] == "breakdowns" and not isinstance(item, list)
            self.found.moved(at, (*self.at, *where, *((0,) if one else ())))

    def _own(self, key: str, item: Any) -> None:
        """A field of the query itself; in a part of it, each field by its own name."""
        if key not in self.parts:
            self._put((key,), item, (*self.at, key))
            return
        item = read(self.parts[key], item, (*self.at, key), self.found)
        if not isinstance(item, dict) or not item:
            self._put((key,), item, (*self.at, key))
            return
        for name, value in item.items():
            known = name in fields(self.parts[key])
            right = name if known else meant(self.parts[key], name, near=False)
            if right is None and (home := self._home(name, besides=key)):
                self._move((key, name), home, value)
            elif right is None and (inside := self._inside(key, name, value)):
                for where, item in inside:
                    self._move((key, name), where, item)
            else:
                self._put((key, name), value, (*self.at, key, name))

    def _inside(self, key: str, name: str, value: Any) -> list[tuple[Where, Any]]:
        """What a short name means that stands in the part it leads to."""
        short = self.shorts.get(word(name)) if value is not None else None
        if short is None or nearly(name, tuple(fields(self.parts[key]))):
            return []
        with self.found.reading(easy=False):
            placed: list[tuple[Where, Any]] = short(value, (*self.at, key, name), Findings())
        return placed if placed and all(where[0] == key for where, _ in placed) else []

    def _elsewhere(self, where: Where, item: Any) -> None:
        """A field that is not known here: where it is at home, where it nearly is, or left where it is."""
        home = self._home(where[-1])
        slip = nearly(where[-1], tuple(self.easy)) if self.found.easy and home is None else None
        if slip is not None:
            self._spread(where[-1], item, self.easy[slip])
        elif home := home or self._near(where[-1]):
            self._move(where, home, item)
        elif self.found.easy and where[-1] not in OURS:
            # The common form is ours: what it does not know, nobody does, and without it the question is another.
            names = ", ".join(self.easy)
            what = f"no such name: there are {names}, and those of {self.kind}"
            near = self.found.near(where[-1], (*self.easy, *fields(self.model)))
            self.found.wrong((*self.at, *where), what, near, COMMON[self.kind][0])
        else:
            self._put(where, item, (*self.at, *where))

    def _move(self, where: Where, home: Where, item: Any) -> None:
        if self._put(home, item, (*self.at, *where)):
            self.found.moved((*self.at, *where), (*self.at, *home))

    def _home(self, name: str, besides: str = "") -> Where | None:
        """The first place where a field of this name is."""
        if besides and (own := meant(self.model, name, near=False)) and own != "kind":
            return (own,)
        said, parts = word(name), self.parts.items()
        return next(((key, by_words(p)[said]) for key, p in parts if key != besides and said in by_words(p)), None)

    def _near(self, name: str) -> Where | None:
        """The place of a field that was probably meant."""
        if not self.found.seeks():
            return None
        if own := meant(self.model, name):
            return (own,)
        return next(((key, near) for key, part in self.parts.items() if (near := meant(part, name))), None)

    def _put(self, where: Where, value: Any, at: Path) -> bool:
        """Into its place; False where something else stands there."""
        holder = self.done
        for key in where[:-1]:
            inside = holder.setdefault(key, {})
            if inside is None or not isinstance(inside, dict):
                inside = holder[key] = {}
            holder = inside
        last = where[-1]
        if holder.get(last) not in (None, value):
            both = _joined(holder[last], value, as_lists=where == ("properties",))
            if both is None:
                what = f"{shown(value)} and {shown(holder[last])} are both given for {dotted(where)}"
                self.found.wrong(at, what, example={last: holder[last]})
                return False
            value = both
        holder[last] = dict(value) if isinstance(value, dict) else value  # what was given stays as it is
        return True


def _joined(one: Any, other: Any, *, as_lists: bool) -> Any:
    """Two lists as one, two objects as one; None where they exclude each other."""
    if as_lists or (isinstance(one, list) and isinstance(other, list)):
        return [item for each in (one, other) for item in (each if isinstance(each, list) else [each])]
    if isinstance(one, dict) and isinstance(other, dict) and not one.keys() & other.keys():
        return one | other
    return None


def _share_math(query: dict[str, Any], at: Path, found: Findings) -> None:
    """A math beside the series is the math of each that has none."""
    shared = {key: query.pop(key) for key in ("math", "math_property") if key in query}
    series = query.get("series")
    if not shared or not isinstance(series, list):
        return
    query["series"] = [
        each
        if isinstance(each, dict) and "math" in each
        else (each if isinstance(each, dict) else {"event": each}) | shared
        for each in series
    ]
