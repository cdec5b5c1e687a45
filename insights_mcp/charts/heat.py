"""Squares in a grid, the darker the more: who of each cohort came back, and what happened in each hour of the week."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from insights_mcp.answer.asked import Asked
from insights_mcp.answer.digest import heatmaps
from insights_mcp.answer.digest.retention import Cohort, cohorts_of, period_names, weighted
from insights_mcp.answer.series import Series, label_of
from insights_mcp.charts.folding import MOST
from insights_mcp.charts.lines import lines
from insights_mcp.charts.look import (
    DASH,
    HEAT,
    INK,
    PADDING,
    ROOM,
    WIDTH,
    chosen,
    distinct,
    extent,
    rows,
)
from insights_mcp.charts.part import Part
from insights_mcp.charts.units import PEOPLE, PER_CENT
from insights_mcp.text import counted

CELL, FLAT = 25, 18  # the height of a row, and of one among many
FEW = 20
MOST_COHORTS = 32
MOST_PERIODS = 32
TEXT_WIDTH = 34  # a cell as wide holds a percentage
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HOURS = 24
MOST_GRIDS = 3
PALE = 0.5  # of the scale: darker cells have white text
Cell = dict[str, Any]
PLAIN = {"title": None, "domain": False, "ticks": False}


def retention(result: Sequence[dict[str, Any]], asked: Asked) -> Part:
    """A row for each cohort; where there are breakdown values, a line for each."""
    found = cohorts_of(list(result), asked)
    if len({cohort.value for cohort in found}) > 1:
        return _curves(found, asked)
    drawn = found[-MOST_COHORTS:]
    notes = [f"{counted(len(found) - len(drawn), 'older cohort')} not drawn"] if len(drawn) < len(found) else []
    longest = max(len(cohort.counts) for cohort in found)
    widest = min(longest, MOST_PERIODS)
    notes += [f"{counted(longest - widest, 'later period')} not drawn"] if widest < longest else []
    mean = [weighted(found, period) for period in range(widest)]
    names = distinct([*(f"{c.name} · {PEOPLE.told(c.size)}" for c in drawn), "all, weighted"], 30)
    cells = [cell for name, cohort in zip(names, drawn, strict=False) for cell in _cells(name, cohort, widest)]
    cells += [_cell(names[-1], p, back / size, False) for p, (back, size, _) in enumerate(mean) if size]
    running = any(cell["p"] for cell in cells)
    notes += ["dashed: period not over yet"] if running else []
    top = max((cell["y"] for cell in cells if cell["x"]), default=1.0) or 1.0
    notes += [f"darkest: {PER_CENT.tick(100 * top)} and more"]
    spec = _matrix(cells, names, period_names(asked, widest), _period(asked), top)
    return Part(spec, "heatmap", tuple(notes), _span(found))


def _span(found: Sequence[Cohort]) -> tuple[str, str]:
    return found[0].name, found[-1].name


def _period(asked: Asked) -> str:
    return f"{str(asked.part('retentionFilter').get('period') or 'Day').lower()}s since the start"


def _cells(name: str, cohort: Cohort, widest: int) -> list[Cell]:
    """Of periods that have begun; an empty cohort has none."""
    if not cohort.size:
        return []
    begun = enumerate(cohort.counts[: min(cohort.over + 1, widest)])
    return [_cell(name, p, count / cohort.size, p >= cohort.over) for p, count in begun if count is not None]


def _cell(name: str, period: int, share: float, running: bool) -> dict[str, Any]:
    return {"s": name, "x": period, "y": share, "t": PER_CENT.tick(round(100 * share)), "p": running}


def _matrix(cells: list[Cell], names: Sequence[str], columns: Sequence[str], title: str, top: float) -> dict[str, Any]:
    """The last name stands apart: it sums up the others."""
    width = WIDTH - 2 * PADDING - extent(names) - 2 * ROOM
    shown = [*names[:-1], "", names[-1]]
    every = -(-len(columns) * 18 // width)
    places = list(range(0, len(columns), every))
    x = {"field": "x", "type": "ordinal", "scale": {"domain": list(range(len(columns))), "paddingInner": 0.04},
         "axis": {"title": title, "orient": "top", "domain": False, "ticks": False, "labelAngle": 0,
                  **chosen(places, [columns[p] for p in places])}}  # fmt: skip
    y = {"field": "s", "type": "nominal", "sort": None, "scale": {"domain": shown, "paddingInner": 0.06},
         "axis": {**PLAIN, "labelLimit": 300, "values": list(names)}}  # fmt: skip
    layers = squares(cells, top, width / len(columns) >= TEXT_WIDTH)
    height = (CELL if len(shown) <= FEW else FLAT) * len(shown)
    return {"height": height, "encoding": {"x": x, "y": y}, "layer": layers}


def squares(cells: list[Cell], top: float, written: bool) -> list[Cell]:
    """Cells with a colour up to `top`, those that are not over with a dashed edge, and what is written in them."""
    stops = [top * place / (len(HEAT) - 1) for place in range(len(HEAT))]
    scale = {"domain": stops, "range": list(HEAT), "clamp": True}
    colour = {"field": "y", "type": "quantitative", "scale": scale, "legend": None}
    over = [_plain(cell) for cell in cells if not cell["p"]]
    running = [_plain(cell) for cell in cells if cell["p"]]
    edge = {"type": "rect", "opacity": 0.55, "stroke": INK, "strokeDash": DASH, "strokeWidth": 1}
    layers: list[Cell] = [{"data": rows(over), "mark": {"type": "rect"}, "encoding": {"color": colour}}]
    layers += [{"data": rows(running), "mark": edge, "encoding": {"color": colour}}] if running else []
    return layers + (_written(cells, top) if written else [])


def _plain(cell: dict[str, Any]) -> dict[str, Any]:
    return {key: cell[key] for key in ("s", "x", "y")}


def _written(cells: list[Cell], top: float) -> list[Cell]:
    """Dark text on pale cells, white text on dark ones."""
    dark = [cell for cell in cells if cell["y"] > PALE * top and not cell["p"]]
    pale = [cell for cell in cells if cell not in dark]
    return [
        {"data": rows({k: c[k] for k in ("s", "x", "t")} for c in part),
         "mark": {"type": "text", "baseline": "middle", "color": colour, "fontSize": 11},
         "encoding": {"text": {"field": "t"}}}
        for part, colour in ((pale, INK), (dark, "#ffffff"))
        if part
    ]  # fmt: skip


def _curves(found: Sequence[Cohort], asked: Asked) -> Part:
    """Retention by period, weighted, for each breakdown value with most people first."""
    values = list(dict.fromkeys(cohort.value for cohort in found))
    of = {value: [cohort for cohort in found if cohort.value == value] for value in values}
    size = {value: sum(cohort.size for cohort in of[value]) for value in values}
    ranked = [value for value in sorted(values, key=lambda v: -size[v]) if size[value]] or values[:1]
    widest = max(len(cohort.counts) for cohort in found)
    series = [Series(value or "(none)", _curve(of[value], widest), period_names(asked, widest)) for value in ranked]
    part = lines(series[:MOST], PER_CENT, x_title=_period(asked))
    left_out = len(series) - MOST
    notes = (f"{counted(left_out, 'smaller value')} not drawn",) if left_out > 0 else ()
    return Part(part.spec, "curves", (*notes, "came back, weighted over the cohorts"), _span(found))


def _curve(cohorts: list[Cohort], widest: int) -> list[float | None]:
    shares = [weighted(cohorts, period) for period in range(widest)]
    return [100 * back / size if size else None for back, size, _ in shares]


# hours of the week


def calendar(result: Sequence[dict[str, Any]], _: Asked) -> Part:
    """Weekdays by hours; several series one below another, each under its name, on the same scale."""
    drawn = result[:MOST_GRIDS]
    names, above = distinct(map(label_of, drawn), 60), int(len(drawn) > 1)
    counts = [{(day, hour): value for day, hour, value in heatmaps.cells(item)} for item in drawn]
    top = max((value for held in counts for value in held.values()), default=0.0) or 1.0
    block = len(DAYS) + above
    places = {(grid, day): grid * block + above + day for grid in range(len(drawn)) for day in range(len(DAYS))}
    cells = [{"s": place, "x": hour, "y": counts[grid].get((day + 1, hour), 0.0), "t": "", "p": False}
             for (grid, day), place in places.items() for hour in range(HOURS)]  # fmt: skip
    layers = squares(cells, top, False) + (_captions(names, block) if above else [])
    spec = {"height": block * len(drawn) * (22 if above else 32), "encoding": _hours(places), "layer": layers}
    more = len(result) - len(drawn)
    left_out = (f"{more} more series not drawn",) if more else ()
    return Part(spec, "calendar", (*(() if above else names), f"darkest: {PEOPLE.told(top)} in an hour", *left_out))


def _hours(places: dict[tuple[int, int], int]) -> dict[str, Any]:
    """The axes: hours, and the weekdays of each grid."""
    x = {"field": "x", "type": "ordinal", "scale": {"domain": list(range(HOURS)), "paddingInner": 0.06},
         "axis": {"title": "hour of the day", "domain": False, "ticks": False, "labelAngle": 0,
                  **chosen(range(0, HOURS, 3), [f"{hour:02}:00" for hour in range(0, HOURS, 3)])}}  # fmt: skip
    days = [DAYS[day] for _, day in places]
    y = {"field": "s", "type": "ordinal", "scale": {"domain": list(range(max(places.values()) + 1)),
         "paddingInner": 0.08}, "axis": {**PLAIN, **chosen(list(places.values()), days)}}  # fmt: skip
    return {"x": x, "y": y}


def _captions(names: Sequence[str], block: int) -> list[Cell]:
    """The name of each grid in the row above it."""
    mark = {"type": "text", "align": "left", "baseline": "middle", "fontWeight": "bold", "color": INK}
    data = rows({"s": place * block, "t": name} for place, name in enumerate(names))
    return [{"data": data, "mark": mark, "encoding": {"text": {"field": "t"}, "x": {"value": 0}}}]
