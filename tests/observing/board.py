"""Dashboards as Grafana reads them, from what a panel shows. Pure.

A panel's place follows from its width: panels flow from left to right, and on into the next row.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import msgspec

COLUMNS: Final = 24
SCHEMA: Final = 41
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
GREEN, YELLOW, RED = "green", "orange", "red"


class Query(msgspec.Struct, frozen=True):
    """One expression, and what its series are called."""

    expr: str
    legend: str


class Panel(msgspec.Struct, frozen=True):
    """One picture.

    Attributes:
        title: what is shown.
        description: what it means, and what is usual.
        queries: what is drawn.
        unit: as Grafana calls it.
        kind: `timeseries`; `stat`, the last value; or `table`, the last values by their labels.
        warn: from this value on it is orange.
        alarm: from this one on red; below `warn`: the less, the worse.
        stacked: whether series stand on each other.
        width: of 24.
    """

    title: str
    description: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: str = "timeseries"
    warn: float | None = None
    alarm: float | None = None
    stacked: bool = False
    width: int = 8

    @property
    def height(self) -> int:
        """Of a row's thirtieth or so, as Grafana counts."""
        return 4 if self.kind == "stat" else 8


class Variable(msgspec.Struct, frozen=True):
    """A choice above the panels, of the values that a label has."""

    name: str
    label: str
    metric: str


class Board(msgspec.Struct, frozen=True):
    """One dashboard; its `uid` stands in links and never changes."""

    uid: str
    title: str
    description: str
    panels: Sequence[Panel]
    variables: Sequence[Variable] = ()


def one(title: str, description: str, expr: str, unit: str = "short", **more: Any) -> Panel:
    """Return a panel of one number."""
    return Panel(
        title, description, [Query(expr, "")], unit, kind="stat", width=more.pop("width", 4), **more
    )


def write_board(board: Board) -> str:
    """Return a dashboard's JSON."""
    model = {
        "uid": board.uid,
        "title": board.title,
        "description": board.description,
        "tags": ["loyaltystream"],
        "schemaVersion": SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [_links()],
        "templating": {"list": list(_variables(board))},
        "panels": [place | _panel(panel) for panel, place in placed(board.panels)],
    }
    return json.dumps(model, indent=1, ensure_ascii=False) + "\n"


def _links() -> dict[str, Any]:
    return {
        "type": "dashboards",
        "title": "loyaltystream",
        "tags": ["loyaltystream"],
        "asDropdown": True,
        "includeVars": True,
        "keepTime": True,
    }


def _variables(board: Board) -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}
    for variable in board.variables:
        query = f"label_values({variable.metric}, {variable.name})"
        yield {
            "name": variable.name,
            "label": variable.label,
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": query, "refId": variable.name},
            "definition": query,
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }


def placed(panels: Iterable[Panel]) -> Iterator[tuple[Panel, dict[str, Any]]]:
    """Yield each panel with its number and its place, as Grafana has them."""
    left = top = height = 0
    for number, panel in enumerate(panels, 1):
        if left + panel.width > COLUMNS:
            left, top, height = 0, top + height, 0
        place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
        left, height = left + panel.width, max(height, panel.height)
        yield panel, {"id": number, "gridPos": place}


def _panel(panel: Panel) -> dict[str, Any]:
    defaults = {"unit": panel.unit, "thresholds": _thresholds(panel), "min": 0}
    if panel.kind == "timeseries":
        defaults["custom"] = _drawn(panel)
    else:
        defaults["color"] = {"mode": "thresholds"}
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "targets": [_target(*found, panel.kind) for found in enumerate(panel.queries)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        **_options(panel.kind),
    }


def _target(number: int, query: Query, kind: str) -> dict[str, Any]:
    target = {
        "refId": chr(ord("A") + number),
        "datasource": DATASOURCE,
        "expr": query.expr,
        "legendFormat": query.legend or "__auto",
    }
    is_last = kind == "table"
    return target | ({"instant": True, "format": "table"} if is_last else {"range": True})


def _thresholds(panel: Panel) -> dict[str, Any]:
    warn, alarm = panel.warn, panel.alarm
    if warn is not None and alarm is not None and alarm < warn:
        marks: list[tuple[str, float | None]] = [(RED, None), (YELLOW, alarm), (GREEN, warn)]
    else:
        marks = [(GREEN, None)]
        marks += [(YELLOW, warn)] if warn is not None else []
        marks += [(RED, alarm)] if alarm is not None else []
    return {
        "mode": "absolute",
        "steps": [{"color": colour, "value": value} for colour, value in marks],
    }


def _drawn(panel: Panel) -> dict[str, Any]:
    has_line = panel.warn is not None or panel.alarm is not None
    return {
        "lineWidth": 1,
        "fillOpacity": 25 if panel.stacked else 8,
        "showPoints": "never",
        "stacking": {"mode": "normal" if panel.stacked else "none"},
        "thresholdsStyle": {"mode": "line" if has_line else "off"},
    }


def _options(kind: str) -> dict[str, Any]:
    if kind == "stat":
        shown = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"options": {"reduceOptions": shown, "colorMode": "background", "graphMode": "area"}}
    if kind == "table":
        hidden = {"excludeByName": {"Time": True}}
        return {
            "options": {"showHeader": True},
            "transformations": [{"id": "organize", "options": hidden}],
        }
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    return {"options": {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}}
