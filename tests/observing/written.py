"""Every file that is written from here, by its place in the repository. Pure."""

from pathlib import Path
from typing import Final

from tests.observing.alerts import ALERTS, RECORDINGS
from tests.observing.rule import write_group

ROOT: Final = Path(__file__).parent.parent.parent


def written() -> dict[str, str]:
    """Return path and text of each file."""
    rules = "deploy/prometheus/rules"
    return {
        f"{rules}/recording.yml": write_group("loyaltystream-recording", RECORDINGS),
        f"{rules}/alerts.yml": write_group("loyaltystream-alerts", ALERTS),
    }
