"""How every chart looks: its size, its own background, colours that colour-blind eyes tell apart, short labels."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from itertools import takewhile
from textwrap import wrap
from typing import Any

from insights_mcp.text import clean

WIDTH = 780  # of the whole picture; twice as many pixels are drawn
PADDING = 20
HEIGHT = 300  # of the part that is drawn in, where the content does not decide
BACKGROUND = "#ffffff"
INK = "#1f2933"
SOFT = "#52606d"
GRID = "#e4e7eb"
OTHERS = "#7b8794"
PALETTE = ("#0072b2", "#d55e00", "#008f68", "#b65493", "#9a7400", "#3d93cc", "#5b3f99")
MAIN = PALETTE[0]
SHADE = "#e8edf2"  # what is behind a bar
HEAT = ("#eef5fb", "#b5d4ea", "#5fa3d0", "#0f6cab", "#07365c")
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
SMALL = 12
LABEL = 28  # characters of a name
LONGEST = 400  # characters of a name that are looked at
SHARED = 6  # characters that all long names begin or end with tell nothing
TITLE = 150
LINE = 84  # characters of a title
DASH = [4, 3]
ROOM = 8  # between a mark and its label

CONFIG: dict[str, Any] = {
    "aria": False,  # it would repeat every value as text
    "font": FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": SOFT,
        "titleColor": SOFT,
        "labelFontSize": SMALL,
        "titleFontSize": SMALL,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domainColor": OTHERS,
        "tickColor": OTHERS,
        "labelPadding": 6,
        "titlePadding": 10,
    },
    "legend": {
        "title": None,
        "labelColor": INK,
        "labelFontSize": SMALL,
        "labelLimit": 240,
        "symbolType": "circle",
        "rowPadding": 5,
        "offset": 16,
    },
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "color": INK,
        "fontSize": 17,
        "fontWeight": "bold",
        "subtitleColor": SOFT,
        "subtitleFontSize": SMALL,
        "subtitlePadding": 5,
        "subtitleLineHeight": 16,
        "lineHeight": 21,
        "offset": 16,
    },
    "text": {"font": FONT, "fontSize": SMALL, "color": INK},
}


def framed(part: dict[str, Any], title: str, notes: Sequence[str]) -> dict[str, Any]:
    """The whole specification around what a builder drew."""
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": BACKGROUND,
        "padding": PADDING,
        "title": {"text": wrap(clean(title, TITLE), LINE) or [""], "subtitle": wrap(" · ".join(notes), LINE + 30)},
        "config": CONFIG,
        "width": WIDTH,
        "autosize": {"type": "fit-x", "contains": "padding"},
        **part,
    }


def short(name: object, limit: int = LABEL) -> str:
    """A name on one line; a long one keeps its begin and its end, where paths and addresses differ."""
    text = _visible(name).strip() or "(empty)"
    if len(text) <= limit:
        return text
    tail = limit // 3
    return f"{text[: limit - tail - 1]}…{text[-tail:]}"


def _visible(name: object) -> str:
    """What may be shown of a name: of a very long one the begin and the end."""
    text = str(name)
    return clean(text if len(text) <= LONGEST else text[: LONGEST // 2] + text[-LONGEST // 2 :], LONGEST)


def distinct(names: Iterable[object], limit: int = LABEL) -> list[str]:
    """Short names, no two the same: two marks never fall together because their names were cut."""
    found: dict[str, None] = {}
    for name in _telling([_visible(name) for name in names], limit):
        label, number = short(name, limit), 2
        while label in found:
            label, number = f"{short(name, limit - 4)} ({number})", number + 1
        found[label] = None
    return list(found)


def _telling(names: list[str], limit: int) -> list[str]:
    """Long names without the begin and the end that all of them share, such as an address's host."""
    long = [name for name in names if len(name) > limit]
    if len(long) < 2:
        return names
    head = _alike(long)
    tail = min(_alike([name[::-1] for name in long]), min(map(len, long)) - head)
    head, tail = (size if size >= SHARED else 0 for size in (head, tail))
    return [_without(name, head, tail) if len(name) > limit else name for name in names]


def _alike(names: list[str]) -> int:
    """How many characters all begin with."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*names, strict=False)))


def _without(name: str, head: int, tail: int) -> str:
    return ("…" if head else "") + name[head : len(name) - tail] + ("…" if tail else "")


def extent(texts: Iterable[str], size: int = SMALL) -> int:
    """About how many pixels the widest of these texts takes."""
    return round(max((sum(map(_breadth, text)) for text in texts), default=0) * size)


def _breadth(character: str) -> float:
    if unicodedata.east_asian_width(character) in "WF":
        return 1.05
    return 0.3 if character in "ijlt.,:;|!'() /" else 0.72 if character.isupper() or character in "mw%@" else 0.56


def chosen(values: Sequence[float], labels: Sequence[str]) -> dict[str, Any]:
    """An axis with exactly these ticks, each with the label we made: no clock and no locale but ours."""
    texts = ",".join(f"[{','.join(map(literal, label.splitlines()))}]" for label in labels)
    places = ",".join(repr(value) for value in values)
    return {"values": list(values), "labelExpr": f"[{texts}][indexof([{places}], datum.value)]"}


def literal(text: str) -> str:
    """Text as a literal of the expression language, which nothing in it can end."""
    body = "".join(c if c.isascii() and c.isalnum() else f"\\u{ord(c):04x}" if ord(c) < 0x10000 else "?" for c in text)
    return f'"{body}"'


def colours(names: Sequence[str], range_: Sequence[str], **legend: Any) -> dict[str, Any]:
    """The colour of each name, with a legend in this order, or none."""
    scale = {"domain": list(names), "range": list(range_)}
    return {"field": "s", "type": "nominal", "scale": scale, "legend": legend or None}


def haloed(layer: dict[str, Any]) -> list[dict[str, Any]]:
    """Text that stays readable on lines and bands: once in the background's colour, broad, then itself."""
    around = {"stroke": BACKGROUND, "strokeWidth": 3, "strokeJoin": "round", "strokeOpacity": 0.85, "color": BACKGROUND}
    return [layer | {"mark": {**layer["mark"], **around}}, layer]


def rows(values: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Data that stands in the specification itself: nothing is fetched."""
    return {"values": list(values)}
