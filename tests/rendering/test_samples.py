"""The vendor's own 29 samples, where its page lies beside the checkout: it is not ours to keep."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.rendering.reader import Notification, read_text
from loyaltystream.rendering.shapes import Rendering, render

_SHAPES: Final = {"body": Rendering.BODY, "attributes": Rendering.ATTRIBUTES}
_BESIDE: Final = Path(__file__).parents[3] / "shared" / "seeds"
_CHANGED: Final = {
    # What the samples spell in ways of their own (domain.md 1.3), and facts of the delivery.
    "attributes.apiRequestId",
    "attributes.data.updatedBy (order)",
    "attributes.data.updatedFields.previousVal ue",
    "consumerGroupId",
    "data.customerIdentifiers.Instore",
    "data.triggeringActivity.enteredAt",
    "data.triggeringActivity.name",
    "eventType",
}


@pytest.fixture(scope="module")
def samples() -> list[str]:
    """Return the samples as they stand on the page; without it nothing is shown."""
    folder = Path(os.environ.get("SEEDS", _BESIDE))
    pages = sorted(folder.glob("004_*.txt"))
    if not pages:
        pytest.skip(f"the vendor's page of samples is not there (SEEDS, or {_BESIDE.name} beside)")
    return list(_cut(pages[0].read_text()))


def _cut(page: str) -> Iterator[str]:
    """Yield each run of lines in braces; one sample lacks the first."""
    lines: list[str] = []
    for line in page.splitlines():
        if lines or line.startswith(("{", '"eventName"')):
            lines.append(line)
            text = "\n".join(lines)
            if text.count("{") + (text[0] != "{") == text.count("}"):
                yield text
                lines = []


def test_every_sample_is_read(samples: list[str]) -> None:
    """All 29 samples are notifications, 26 types of them, and nothing in them stays unread."""
    assert len(samples) == 29
    found = [read_text(sample) for sample in samples]
    assert [one for one in found if not isinstance(one, Notification) or one.unread] == []
    named = {one.record["eventName"] for one in found if isinstance(one, Notification)}
    # One sample stands under a wrong name, and one type has none.
    assert CATALOG.keys() - named == {"customerUpdated", "targetAchievedValueUpdated"}


def test_every_sample_is_rendered_as_it_was(samples: list[str]) -> None:
    """What a sample says is said by its rendering, under the same keys, but for its defects."""
    changed = set()
    for sample in filter(lambda text: text.startswith("{"), samples):
        given, found = json.loads(sample), read_text(sample)
        assert isinstance(found, Notification)
        [shape] = [_SHAPES[key] for key in given if key in _SHAPES] or [Rendering.FLAT]
        made = render(found.record, shape, delivered_ms=given.get("timeStamp"))
        changed |= set(_missing(given, made))
    assert changed == _CHANGED


def _missing(given: Any, made: Any, path: str = "") -> Iterator[str]:
    """Yield the paths of what was given and not made."""
    if isinstance(given, dict) and isinstance(made, dict):
        if [key for key in given if key in made] != [key for key in made if key in given]:
            yield f"{path} (order)"
        for key, part in given.items():
            place = f"{path}.{key}".removeprefix(".")
            yield from _missing(part, made[key], place) if key in made else [place]
    elif isinstance(given, list) and isinstance(made, list) and len(given) == len(made):
        for part, other in zip(given, made, strict=True):
            yield from _missing(part, other, path)
    elif given != made or isinstance(given, str | bool) != isinstance(made, str | bool):
        yield path
