"""The page about renderings shows what the code makes."""

import json
import re
from pathlib import Path
from typing import Final

from loyaltystream.rendering.reader import Notification, Unreadable, read_text
from loyaltystream.rendering.shapes import Rendering, render

_PAGE: Final = (Path(__file__).parents[2] / "docs" / "renderings.md").read_text()


def test_the_page_shows_one_notification_in_each_rendering() -> None:
    """Its samples, in the order of the renderings, are one record as the code writes it."""
    shown = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL)]
    records = []
    for sample, rendering in zip(shown, Rendering, strict=True):
        found = read_text(json.dumps(sample))
        assert isinstance(found, Notification)
        made = render(found.record, rendering, delivered_ms=sample.get("timeStamp"))
        assert json.dumps(made) == json.dumps(sample)
        records.append(found.record)
    assert records[0] == records[1] == records[2]


def test_every_rendering_and_reason_is_told() -> None:
    """Each rendering and each reason why a text is no notification heads a row."""
    rows = re.findall(r"^\| `(\w+)` \|", _PAGE, re.MULTILINE)
    assert rows == [*Rendering, *Unreadable]
