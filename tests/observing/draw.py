"""A dashboard and what Prometheus said, as one picture. Pure.

Drawn as Grafana lays it out; a library for charts would be another one to keep, for six pictures.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from xml.sax.saxutils import escape

import msgspec

from tests.observing.board import Board, Panel, placed

CELL: Final = 50
ROW: Final = 27
GAP: Final = 6
MOST: Final = 8
"""Series that a panel's picture has; what is more is left out of it."""

TINY: Final = 1e-6
"""What is less is the noise of a share of nothing."""

COLOURS: Final = (
    *("#2f81f7", "#d29922", "#3fb950", "#f85149"),
    *("#a371f7", "#39c5cf", "#db61a2", "#8b949e"),
)
_STYLE: Final = (
    'text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; '
    "font-size: 10px; fill: #57606a; } .title { font-size: 12px; font-weight: 600; fill: #1f2328; }"
    " .board { font-size: 17px; font-weight: 600; fill: #1f2328; } .number { font-size: 26px; "
    "font-weight: 600; text-anchor: middle; fill: #1f2328; } .end { text-anchor: end; }"
)
_SCALES: Final = {
    "bytes": ((1 << 20, " MiB"), (1 << 10, " KiB")),
    "s": ((3600, " h"), (60, " min"), (1, " s"), (0.001, " ms")),
    "percentunit": ((0.01, " %"),),
}
_PLAIN: Final = ((1e6, " M"), (1e3, " k"))


class Box(NamedTuple):
    """Where something is drawn."""

    x: int
    y: int
    width: int
    height: int


class Series(msgspec.Struct, frozen=True):
    """What one expression had, by time, under a name."""

    name: str
    points: Sequence[tuple[float, float]]


def draw(board: Board, found: Mapping[str, Sequence[Series]], note: str) -> str:
    """Return the picture.

    Args:
        board: which dashboard.
        found: what each panel shows, by its title.
        note: when and of what, in one line.
    """
    places = [(panel, place["gridPos"]) for panel, place in placed(board.panels)]
    width = 24 * CELL + 2 * GAP
    height = max(at["y"] + at["h"] for _, at in places) * ROW + 74
    head = f'viewBox="0 0 {width} {height}" role="img" aria-labelledby="title desc"'
    shapes = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {head}>',
        f'<title id="title">{escape(board.title)}</title>',
        f'<desc id="desc">{escape(board.description)}</desc>',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="#f6f8fa"/>',
        _text(GAP + 6, 30, board.title, "board"),
        _text(GAP + 6, height - 10, note, ""),
    ]
    for panel, at in places:
        box = Box(
            at["x"] * CELL + GAP, at["y"] * ROW + 44, at["w"] * CELL - GAP, at["h"] * ROW - GAP
        )
        shapes += _panel(panel, found.get(panel.title, ()), box)
    return "\n".join([*shapes, "</svg>\n"])


def told(value: float, unit: str) -> str:
    """Return a number with its unit, as short as it can be read."""
    for size, name in _SCALES.get(unit, _PLAIN):
        if abs(value) >= size or (unit == "percentunit"):
            return f"{value / size:.3g}{name}"
    return f"{value:.3g}"


def _panel(panel: Panel, series: Sequence[Series], box: Box) -> list[str]:
    x, y, width, height = box
    place = f'x="{x}" y="{y}" width="{width}" height="{height}"'
    shapes = [
        f'<rect {place} rx="4" fill="#fff" stroke="#d0d7de"/>',
        _text(x + 8, y + 17, panel.title, "title"),
    ]
    if not series:
        return [*shapes, _text(x + 8, y + height / 2, "nothing: only when something is wrong", "")]
    if panel.kind == "stat":
        number = told(series[0].points[-1][1], panel.unit)
        return [*shapes, _text(x + width / 2, y + height / 2 + 16, number, "number")]
    if panel.kind == "table":
        return shapes + _table(series, box)
    return shapes + _chart(panel, series[:MOST], box)


def _table(series: Sequence[Series], box: Box) -> list[str]:
    rows: list[str] = []
    for number, one in enumerate(series[:11]):
        at = box.y + 36 + number * 15
        rows.append(_text(box.x + 8, at, one.name, ""))
        rows.append(_text(box.x + box.width - 8, at, f"{one.points[-1][1]:,.0f}", "end"))
    return rows


def _chart(panel: Panel, series: Sequence[Series], box: Box) -> list[str]:
    lines = _stacked(series) if panel.stacked else series
    values = [value for one in lines for _, value in one.points]
    highest = max(values) * 1.05
    if highest < TINY:
        highest = 1.0
    moments = [moment for one in lines for moment, _ in one.points]
    first, last = min(moments), max(*moments, min(moments) + 1)
    left, top, room, tall = box.x + 52, box.y + 28, box.width - 62, box.height - 74
    shapes = []
    for share in (0.0, 0.5, 1.0):
        at = top + tall * (1 - share)
        shapes.append(f'<path d="M{left} {at:.0f}h{room}" stroke="#eaeef2"/>')
        shapes.append(_text(left - 4, at + 3, told(highest * share, panel.unit), "end"))
    for place, one in enumerate(lines):
        path = " ".join(
            f"{left + (moment - first) / (last - first) * room:.1f},"
            f"{top + tall * (1 - value / highest):.1f}"
            for moment, value in one.points
        )
        shapes.append(
            f'<polyline points="{path}" fill="none" stroke="{COLOURS[place]}" stroke-width="1.4"/>'
        )
    return shapes + _legend(series, box)


def _legend(series: Sequence[Series], box: Box) -> list[str]:
    shapes: list[str] = []
    each, bottom = box.width // min(max(len(series), 1), 4), box.y + box.height
    for place, one in enumerate(series):
        at = box.x + 10 + place % 4 * each, bottom - 25 + place // 4 * 14
        name = (
            one.name if len(one.name) * 6.2 < each - 14 else one.name[: int(each / 6.2) - 4] + "…"
        )
        shapes.append(
            f'<rect x="{at[0]}" y="{at[1] - 4}" width="9" height="3" fill="{COLOURS[place]}"/>'
        )
        shapes.append(_text(at[0] + 12, at[1], name, ""))
    return shapes


def _stacked(series: Sequence[Series]) -> list[Series]:
    below: dict[float, float] = {}
    lifted = []
    for one in series:
        points = []
        for moment, value in one.points:
            below[moment] = below.get(moment, 0.0) + value
            points.append((moment, below[moment]))
        lifted.append(Series(one.name, points))
    return lifted


def finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points that have a number."""
    return [point for point in points if math.isfinite(point[1])]


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.0f}" y="{y:.0f}">{escape(text)}</text>'
