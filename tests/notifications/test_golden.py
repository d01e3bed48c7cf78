"""Golden notifications: an event in, the decoded notification out, each in a file with its why."""

import json
from pathlib import Path

import pytest

from tests.core import TOPICS, header, outputs
from tests.notifications.shop import accept, plan, read_notification

_CASES = sorted((Path(__file__).parent / "cases").glob("*.json"))


@pytest.mark.parametrize("path", _CASES, ids=lambda path: path.stem)
def test_an_event_causes_this_very_notification(path: Path) -> None:
    """An accepted event causes the notification that stands in the file, under that key."""
    case = json.loads(path.read_text())
    made = plan(accept(case["event"]))
    written = [
        {
            "key": (output.key or b"").decode(),
            "type": header(output, "ce_type"),
            "notification": read_notification(output),
        }
        for output in outputs(made, TOPICS.notifications)
    ]
    assert written == case["caused"]
    assert outputs(made, TOPICS.dead_letter) == []


def test_every_type_has_a_case() -> None:
    """Each type of the catalogue is proved by a file."""
    caused = [each for path in _CASES for each in json.loads(path.read_text())["caused"]]
    names = {each["notification"]["eventName"] for each in caused}
    assert names == {"customerAdded", "transactionAdded", "CouponRedeem"}
