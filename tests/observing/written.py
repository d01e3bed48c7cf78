"""Every file that is written from here, by its place in the repository. Pure."""

from pathlib import Path
from typing import Final

from tests.observing.alerts import ALERTS, RECORDINGS
from tests.observing.board import write_board
from tests.observing.boards import BOARDS
from tests.observing.rule import write_group

ROOT: Final = Path(__file__).parent.parent.parent
RULES: Final = "deploy/prometheus/rules"
DASHBOARDS: Final = "deploy/grafana/dashboards"


def written() -> dict[str, str]:
    """Return path and text of each file."""
    return {
        f"{RULES}/recording.yml": write_group("loyaltystream-recording", RECORDINGS),
        f"{RULES}/alerts.yml": write_group("loyaltystream-alerts", ALERTS),
        **{f"{DASHBOARDS}/{board.uid}.json": write_board(board) for board in BOARDS},
    }
