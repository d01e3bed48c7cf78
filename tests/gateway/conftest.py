"""A gateway on a topic in memory, tokens of two orgs, and the judge behind it."""

import itertools
import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import Record
from loyaltystream.gateway.application import Gateway
from loyaltystream.gateway.enquiry import Enquiry
from loyaltystream.gateway.front import Front
from loyaltystream.gateway.intake import Intake
from loyaltystream.gateway.questions import Questions
from loyaltystream.gateway.rates import Rates
from loyaltystream.gateway.serving import build_gateway
from loyaltystream.gateway.standing import Standing
from loyaltystream.pipeline import Plan
from loyaltystream.rules import Rules
from loyaltystream.sending import Keyer
from loyaltystream.testing.channel import MemoryChannel
from loyaltystream.web.tokens import Role, Tokens, mint
from tests.core import DIALECTS, NOW_MS, SHOP, Partition, ingest
from tests.facts import Facts, write

RULES: Final = Rules(dialects=DIALECTS)
BATCH_BYTES: Final = 100_000

PATHS: Final = {
    Dialect.CANONICAL: "/events",
    Dialect.CAPILLARY: "/webhooks/default",
    Dialect.OPEN_LOYALTY: "/api/default/customEvent",
    Dialect.VOUCHERIFY: "/v1/events",
}


class Watched:
    """What a gateway told."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, int, int]] = []
        self.failures: list[str] = []

    def answered(self, route: str, status: int, events: int) -> None:
        """Keep what was answered."""
        self.answers.append((route, status, events))

    def not_written(self, why: str) -> None:
        """Keep why events were not written."""
        self.failures.append(why)

    def not_told(self, why: str) -> None:
        """Keep why a question was not answered."""
        self.failures.append(why)

    def not_followed(self, why: str) -> None:
        """Keep why definitions were not heard of."""
        self.failures.append(why)


def nothing_known(_event_id: str, _org_id: int) -> Standing | None:
    """Answer as where no event ever came."""
    return None


class Counter:
    """One gateway, and who may post to it."""

    def __init__(
        self,
        rules: Rules = RULES,
        channel: MemoryChannel | None = None,
        *,
        rates: Rates | None = None,
        questions: Questions | None = None,
    ) -> None:
        people: dict[str, tuple[int, Role]] = {
            "till": (1800, "producer"),
            "stranger": (1801, "producer"),
            "owner": (1800, "editor"),
            "looker": (1800, "viewer"),
        }
        minted = {name: mint(name, *place) for name, place in people.items()}
        self.tokens = {name: text for name, (text, _) in minted.items()}
        self.channel = channel or MemoryChannel()
        self.watched = Watched()
        self.rules = rules
        numbers = itertools.count(1)

        def made() -> str:
            return f"made-{next(numbers)}"

        front = Front(Tokens(token for _, token in minted.values()), self.watched)
        self.gateway = Gateway(
            self.channel,
            front,
            intake=Intake(Keyer(SHOP, rules), rules, made),
            batch_bytes=BATCH_BYTES,
            rates=rates or Rates(0, lambda: 0.0),
        )
        self.enquiry = Enquiry(front, questions or Questions(nothing_known, at_once=1))
        self.app = build_gateway(self.gateway, self.enquiry, mint=made, follow=None)
        self.client = TestClient(self.app)

    def post(
        self,
        path: str,
        body: object,
        *,
        by: str | None = "till",
        kind: str = "application/json",
        **headers: str,
    ) -> Any:
        """Return the answer to a body; bytes are sent as they are, all else as JSON."""
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if by is not None:
            named["Authorization"] = f"Bearer {self.tokens[by]}"
        if kind:
            named["Content-Type"] = kind
        encoded = [(name.encode(), value.encode("latin-1")) for name, value in named.items()]
        return self.client.post(path, content=sent, headers=encoded)

    def ask(self, event_id: str, *, by: str | None = "till") -> Any:
        """Return the answer to the question what became of an event."""
        named = {} if by is None else {"Authorization": f"Bearer {self.tokens[by]}"}
        return self.client.get(f"/events/{quote(event_id, safe='')}", headers=named)

    def send(self, facts: Facts, dialect: Dialect) -> Any:
        """Return the answer to an event in a dialect; its id comes in a header if it has to."""
        headers = {}
        if dialect is Dialect.VOUCHERIFY:
            headers = {"idempotency-key": facts.event_id, "x-event-time": str(facts.occurred_ms)}
        return self.post(PATHS[dialect], write(facts, dialect).value, **headers)

    def records(self) -> list[Record]:
        """Return what the ingest topic holds."""
        return [
            Record(0, offset, NOW_MS, posting.key, posting.value, posting.headers)
            for offset, posting in enumerate(self.channel.taken)
        ]

    def judged(self) -> Plan:
        """Return what becomes of it."""
        return Partition(ingest(self.rules)).commit(self.records())


@pytest.fixture
def counter() -> Counter:
    """Return a gateway whose topic is empty."""
    return Counter()


def refused(answer: Any, status: int) -> Mapping[str, Any]:
    """Return the problem that an answer is, which has to be of that status."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert body["detail"]
    assert isinstance(body, dict)
    return body


def reasons(answer: Any) -> list[tuple[str, str]]:
    """Return reason and path of everything that makes an event unusable."""
    return [(one["reason"], one["path"]) for one in refused(answer, 422)["violations"]]
