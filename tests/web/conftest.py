"""A definitions service on a topic in memory, and tokens of two orgs."""

from collections.abc import Mapping
from typing import Any, Final

import pytest
from fastapi.testclient import TestClient

from loyaltystream.definitions.history import History
from loyaltystream.definitions.limits import Limits
from loyaltystream.desk import Desk
from loyaltystream.testing.definitions import MemoryLog, MemoryTopic, MemoryWriter
from loyaltystream.web.application import build_application
from loyaltystream.web.book import Book
from loyaltystream.web.tokens import Role, Tokens, mint
from loyaltystream.web.turnstile import Turnstile
from tests.audit.world import World
from tests.core import EVENT_SCHEMA_ID, NOW_MS
from tests.judged import JudgedLog, foresight_of

TOPIC: Final = "event-definitions"


class Office:
    """One service, and who may ask it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.world = World()
        self.judged = JudgedLog(self.world.log)
        self.passing_s = 0.0
        self.topic = MemoryTopic()
        self.log = MemoryLog(self.topic)
        people: dict[str, tuple[int, Role]] = {
            "owner": (1800, "editor"),
            "looker": (1800, "viewer"),
            "stranger": (1801, "editor"),
            "till": (1800, "producer"),
        }
        minted = {name: mint(name, *place) for name, place in people.items()}
        self.tokens = {name: text for name, (text, _) in minted.items()}
        desk = Desk(
            History(TOPIC, EVENT_SCHEMA_ID),
            self.log,
            MemoryWriter(self.topic),
            clock_ms=lambda: NOW_MS,
            pause=lambda _seconds: None,
        )
        app = build_application(
            Book(desk, limits or Limits()),
            Tokens(token for _, token in minted.values()),
            foresight=foresight_of(self.world, log=self.judged),
            turnstile=Turnstile(1, 10.0, clock=lambda: self.passing_s),
            clock_ms=lambda: NOW_MS,
        )
        self.client = TestClient(app)

    def ask(self, method: str, path: str, body: object = None, *, by: str | None = "owner") -> Any:
        """Return the answer to a request."""
        headers = {} if by is None else {"X-CAP-API-OAUTH-TOKEN": self.tokens[by]}
        return self.client.request(method, path, json=body, headers=headers)

    def post(self, body: Mapping[str, Any], **how: Any) -> Any:
        """Create an event."""
        return self.ask("POST", "/v2/events", body, **how)

    def put(self, body: Mapping[str, Any], **how: Any) -> Any:
        """Replace an event's definition."""
        return self.ask("PUT", "/v2/events", body, **how)

    def get(self, path: str, **how: Any) -> Any:
        """Return what a path shows."""
        answer = self.ask("GET", path, **how)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]


@pytest.fixture
def office() -> Office:
    """Return a service that holds nothing yet."""
    return Office()


def problems(answer: Any) -> list[tuple[int | str, str]]:
    """Return code and message of everything that an answer names."""
    body = answer.json()
    assert body.keys() == {"errors", "warnings"}
    assert all(error["status"] is False for error in body["errors"])
    return [(error["code"], error["message"]) for error in body["errors"]]
