"""Draws what `--markdown` wrote: `python -m tests.bench.plot FILE docs/bench.svg`.

What enters is a page with the tables of latency and of remembered ids, the last of each; what
leaves is one picture: latency percentiles by load, and the rate by ids remembered.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

import msgspec

BASE: Final = 290
"""Where the bars of both halves stand."""
TALLEST: Final = 190
COLOURS: Final = ("#54aeff", "#d4a72c", "#ff8182", "#8c959f")

_STYLE: Final = (
    'text { font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; '
    "font-size: 13px; fill: #1f2328; } .head { font-size: 15px; font-weight: 600; } "
    ".mid { text-anchor: middle; } .sub { fill: #57606a; font-size: 12px; }"
)
_HEAD: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 370" width="900" height="370" '
    'role="img" aria-labelledby="title desc">'
)
_FRAME: Final = (
    '<rect x="1" y="1" width="898" height="368" rx="14" fill="#fbfcfe" stroke="#d0d7de"/>'
)


class Chart(msgspec.Struct, frozen=True):
    """Bars in groups.

    Attributes:
        title: what is shown, with its unit.
        series: what each bar of a group is.
        groups: the name of each group, and its values.
    """

    title: str
    series: Sequence[str]
    groups: Sequence[tuple[str, Sequence[float]]]


def rows_of(page: str, first: str) -> list[dict[str, str]]:
    """Return the rows of the last table whose first column has that name, by column.

    Raises:
        ValueError: if the page has none.
    """
    lines = [line.strip().strip("|").split(" | ") for line in page.splitlines()]
    cells = [[cell.strip() for cell in line] for line in lines]
    heads = [number for number, line in enumerate(cells) if line[0] == first]
    if not heads:
        raise ValueError(f"no table begins with the column {first!r}")
    found = []
    for line in cells[heads[-1] + 2 :]:
        if len(line) != len(cells[heads[-1]]):
            break
        found.append(dict(zip(cells[heads[-1]], line, strict=True)))
    return found


def number(cell: str) -> float:
    """Return a cell's number."""
    return float(cell.replace(",", ""))


def charts(page: str) -> list[Chart]:
    """Return what is drawn of a page."""
    loads = rows_of(page, "load")
    percentiles = [name for name in loads[0] if name.startswith("p")]
    ids = rows_of(page, "ids remembered before")
    return [
        Chart(
            "ms from append to a subscriber, by load",
            [name.removesuffix(" ms") for name in percentiles],
            [
                (
                    f"{row['load']}: {row['events/s offered']}/s",
                    [number(row[name]) for name in percentiles],
                )
                for row in loads
            ],
        ),
        Chart(
            "events/s by ids remembered",
            ["INGEST"],
            [(row["ids remembered before"], [number(row["events/s"])]) for row in ids],
        ),
    ]


def drawn(chart: Chart, left: float, width: float) -> list[str]:
    """Return a chart's shapes, its highest bar as tall as there is room."""
    highest = max(value for _, values in chart.groups for value in values)
    step = width / len(chart.groups)
    bar = min(step / (len(chart.series) + 1), 70)
    shapes = [
        _text(left, 40, chart.title, "head"),
        f'<path d="M{left} {BASE}H{left + width}" stroke="#57606a"/>',
    ]
    for place, name in enumerate(chart.series):
        x = left + place * 80
        shapes += [_box(x, 54, 12, 12, COLOURS[place]), _text(x + 18, 65, name, "sub")]
    for group, (name, values) in enumerate(chart.groups):
        middle = left + step * (group + 0.5)
        shapes.append(_text(middle, BASE + 22, name, "mid"))
        for place, value in enumerate(values):
            x = middle + (place - len(values) / 2) * bar
            height = value / highest * TALLEST
            shapes.append(_box(x, BASE - height, bar - 4, height, COLOURS[place]))
            shapes.append(_text(x + bar / 2 - 2, BASE - height - 6, f"{value:,.0f}", "mid sub"))
    return shapes


def picture(page: str) -> str:
    """Return the whole picture, which says in words what it shows."""
    latency, rate = charts(page)
    told = "; ".join(
        f"{chart.title}, {name}: {', '.join(f'{value:,.0f}' for value in values)}"
        for chart in (latency, rate)
        for name, values in chart.groups
    )
    return "\n".join(
        [
            _HEAD,
            '<title id="title">Latency by load, and rate by ids remembered</title>',
            f'<desc id="desc">{escape(told)}</desc>',
            f"<style>{_STYLE}</style>",
            _FRAME,
            *drawn(latency, 40, 500),
            *drawn(rate, 600, 260),
            _text(40, 350, "make bench, one process on cores that the broker shares", "sub"),
            "</svg>\n",
        ]
    )


def _box(x: float, y: float, width: float, height: float, colour: str) -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"'
    return f'<rect {place} fill="{colour}"/>'


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


if __name__ == "__main__":
    Path(sys.argv[2]).write_text(picture(Path(sys.argv[1]).read_text()))
