"""The golden notifications: as their files have them, and as bytes on the topic."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from loyaltystream.notifications.catalog import CATALOG
from loyaltystream.subscriber.records import TYPES, Notification

FOLDER: Final = Path(__file__).parents[1] / "notifications"
PATHS: Final = sorted([*(FOLDER / "standard").glob("*.json"), *(FOLDER / "cases").glob("*.json")])


def goldens() -> list[dict[str, Any]]:
    """Return every golden notification, with its key and its type."""
    return [each for path in PATHS for each in json.loads(path.read_text())["caused"]]


def typed(golden: dict[str, Any]) -> Notification:
    """Return a golden notification as a typed record, made from its JSON."""
    told = golden["notification"]
    return msgspec.convert(told, TYPES[CATALOG[told["eventName"]].schema])


def told(notification: Notification) -> Any:
    """Return a typed record as the files write it: times as text, arrays as lists."""
    return json.loads(msgspec.json.encode(notification))


def moment(text: str) -> datetime:
    """Return a time as the files write it."""
    return datetime.fromisoformat(text)
