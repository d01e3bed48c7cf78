"""A registry that is away, empty, or another one: records wait, and nothing is a dead letter."""

import json
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from loyaltystream.avro import schemas
from loyaltystream.platform import Addresses
from loyaltystream.subscriber import Outcome, Reactions, Subscriber
from loyaltystream.subscriber.records import PointsIssued
from tests.broker.town import Town, issued
from tests.shop import eventually

pytestmark = pytest.mark.broker

COUNT = 50


class Scripted(ThreadingHTTPServer):
    """A registry that answers as it is told to: `down`, `empty`, `restored` or `right`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.mood = "down"
        self.asked: list[str] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def was_asked(self, mood: str) -> bool:
        """Say whether somebody has asked, and asked again, in that mood."""
        return self.asked.count(mood) >= 3

    def answer(self) -> tuple[int, dict[str, Any]]:
        """Return status and content of an answer about any id."""
        self.asked.append(self.mood)
        match self.mood:
            case "empty":
                return 404, {"error_code": 40403, "message": "Schema not found"}
            case "restored":
                name = f"{schemas.NOTIFICATION_NAMESPACE}.TierRenewed"
            case "right":
                name = f"{schemas.NOTIFICATION_NAMESPACE}.PointsIssued"
            case _:
                return 503, {"error_code": 50301, "message": "not now"}
        return 200, {"schema": schemas.text(schemas.load(name)), "schemaType": "AVRO"}


class _Answer(BaseHTTPRequestHandler):
    server: Scripted

    def do_GET(self) -> None:
        status, content = self.server.answer()
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the library's name)
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[Scripted]:
    """Return a registry that is down."""
    made = Scripted()
    yield made
    made.shutdown()
    made.server_close()


def test_no_mood_of_the_registry_makes_a_dead_letter(
    proven_cluster: Addresses, tmp_path: Path, registry: Scripted
) -> None:
    """Down, empty, and restored with other ids, it is waited for; then every record is handled."""
    town = Town(proven_cluster, tmp_path)
    town.send(issued(customer) for customer in range(COUNT))
    reactions, got = Reactions(), list[PointsIssued]()
    reactions.on(PointsIssued)(got.append)
    told = town.subscription(registry_url=registry.url)
    subscriber = Subscriber(told, reactions)
    thread = threading.Thread(target=subscriber.run)
    thread.start()
    try:
        for mood in ("down", "empty", "restored"):
            registry.mood = mood
            eventually(partial(registry.was_asked, mood), f"it was asked while {mood}", 60)
        assert got == []
        assert town.committed() == {}
        registry.mood = "right"
        town.drain()
    finally:
        subscriber.stop()
        thread.join(60)
    assert len(got) == COUNT
    assert subscriber.tally[Outcome.HANDLED] == COUNT
    assert town.letters() == []
