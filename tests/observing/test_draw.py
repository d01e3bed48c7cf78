"""Pictures of dashboards, of made-up series."""

from typing import Final
from xml.etree import ElementTree as ET

import pytest

from tests.observing.board import Board
from tests.observing.boards import BOARDS
from tests.observing.draw import COLOURS, MOST, Series, draw, finite, told
from tests.observing.written import ROOT

PICTURES: Final = sorted((ROOT / "docs" / "dashboards").glob("*.svg"))


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.uid)
def test_a_picture_has_every_panel(board: Board) -> None:
    """Each panel stands there by its title, with its series or with word that there are none."""
    points = [(1.0, 2.0), (2.0, 3.0)]
    found = {panel.title: [Series("a < b", points)] for panel in board.panels[1:]}
    drawn = ET.fromstring(draw(board, found, "a note"))  # noqa: S314 (our own)
    texts = [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {panel.title for panel in board.panels} <= set(texts)
    assert texts.count("nothing: only when something is wrong") == 1


def test_series_stand_on_each_other_where_they_shall() -> None:
    """The upper line of two is their sum, and no more series are drawn than there are colours."""
    [board] = [one for one in BOARDS if one.uid.endswith("gateway")]
    title = board.panels[0].title
    assert board.panels[0].stacked
    one = draw(board, {title: [Series("a", [(0, 1), (1, 1)])]}, "")
    two = draw(board, {title: [Series("a", [(0, 1), (1, 1)]), Series("b", [(0, 1), (1, 1)])]}, "")
    many = draw(board, {title: [Series("a", [(0, 1), (1, 1)])] * 20}, "")
    top = one.split('points="')[1].split('"')[0]
    assert two.count("<polyline") == 2
    assert two.split('points="')[2].split('"')[0] == top
    assert many.count("<polyline") == MOST == len(COLOURS)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0123, "s", "12.3 ms"),
        (90, "s", "1.5 min"),
        (0.999, "percentunit", "99.9 %"),
        (2_097_152, "bytes", "2 MiB"),
        (54_606, "ops", "54.6 k"),
        (3, "short", "3"),
    ],
)
def test_numbers_have_units(value: float, unit: str, text: str) -> None:
    """A number is as short as it can be read, in the unit that people use."""
    assert told(value, unit) == text


def test_what_is_no_number_is_not_drawn() -> None:
    """A share of nothing is no share."""
    assert finite([(1, float("nan")), (2, 0.5), (3, float("inf"))]) == [(2, 0.5)]


def test_the_docs_have_a_picture_of_each_dashboard() -> None:
    """Each picture stands alone and is shown with its dashboard's name."""
    assert {path.stem for path in PICTURES} == {board.uid for board in BOARDS}
    page = (ROOT / "docs" / "dashboards.md").read_text()
    for path in PICTURES:
        assert f"(dashboards/{path.name})" in page
        assert ET.fromstring(path.read_text()).get("role") == "img"  # noqa: S314 (our own file)
        assert "href" not in path.read_text()
