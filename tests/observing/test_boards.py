"""The dashboards' files: what they hold, and that nothing is missing from them."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

from loyaltystream.telemetry.gateway import GatewayTelemetry
from loyaltystream.telemetry.metrics import Metrics
from tests.observing.alerts import ALERTS, RECORDINGS
from tests.observing.board import COLUMNS
from tests.observing.boards import BOARDS
from tests.observing.written import DASHBOARDS, ROOT, RULES, written

FILES: Final = sorted((ROOT / DASHBOARDS).glob("*.json"))
NOT_SHOWN: Final[dict[str, str]] = {}
"""Metrics that no panel and no rule asks for, and why."""


def told() -> Iterator[tuple[str, str]]:
    """Yield the name of every series that workers and gateway serve, and its metric's."""
    suffixes = {"counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}
    for registry in (Metrics().registry, GatewayTelemetry().registry):
        for metric in registry.collect():
            yield from ((metric.name + suffix, metric.name) for suffix in suffixes[metric.type])


def expressions() -> Iterator[str]:
    """Yield every expression of a panel, a rule or an alert, as they lie in deploy/."""
    for file in FILES:
        for panel in json.loads(file.read_text())["panels"]:
            yield from (target["expr"] for target in panel["targets"])
    yield from (alert.expr for alert in ALERTS)
    yield from (rule.expr for rule in RECORDINGS)


def test_the_files_are_those_that_are_written() -> None:
    """What lies in deploy/ is what `make dashboards` writes, and nothing else lies there."""
    for path, text in written().items():
        assert (ROOT / path).read_text() == text, f"{path}: run `make dashboards`"
    lying = [*(ROOT / RULES).iterdir(), *(ROOT / DASHBOARDS).iterdir()]
    assert {path.relative_to(ROOT).as_posix() for path in lying} == written().keys()


def test_every_name_in_an_expression_is_served() -> None:
    """No panel and no rule asks for a series that nobody serves or records."""
    known = {name for name, _ in told()} | {rule.name for rule in RECORDINGS}
    for expr in expressions():
        named = set(re.findall(r"loyaltystream[_:][a-zA-Z_:0-9]+", expr))
        assert named <= known, expr
        assert named or "ALERTS" in expr or "up{" in expr, expr


def test_every_metric_is_shown() -> None:
    """Each metric stands in a panel or a rule, or has a reason not to."""
    everything = "\n".join(expressions())
    shown = {metric for name, metric in told() if re.search(rf"\b{name}\b", everything)}
    assert {metric for _, metric in told()} - shown == NOT_SHOWN.keys()


def test_dashboards_have_names_that_never_change() -> None:
    """Links and bookmarks go by these."""
    assert [board.uid for board in BOARDS] == [
        "loyaltystream-overview",
        "loyaltystream-producers",
        "loyaltystream-memory",
        "loyaltystream-kafka",
        "loyaltystream-subscribers",
        "loyaltystream-gateway",
    ]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_panel_says_what_it_shows(file: Any) -> None:
    """Each has a title, a description, a unit and thresholds, and lies beside the others."""
    board = json.loads(file.read_text())
    taken: set[tuple[int, int]] = set()
    assert len({panel["title"] for panel in board["panels"]}) == len(board["panels"])
    for panel in board["panels"]:
        assert panel["description"].endswith("."), panel["title"]
        defaults = panel["fieldConfig"]["defaults"]
        assert defaults["unit"]
        assert defaults["thresholds"]["steps"][0]["value"] is None
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= COLUMNS
        cells = {
            (place["x"] + right, place["y"] + down)
            for right in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_choice_is_used(file: Any) -> None:
    """A variable above the panels chooses something, and no panel asks for one there is not."""
    text = file.read_text()
    names = {one["name"] for one in json.loads(text)["templating"]["list"]}
    exprs = [target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]]
    asked = set(re.findall(r"\$(\w+)", "\n".join(exprs))) - {"__rate_interval"}
    assert asked | {"datasource"} == names
