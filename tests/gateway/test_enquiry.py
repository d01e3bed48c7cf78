"""What a producer is told of its events: each verdict, every reason, nothing of anybody else's."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from loyaltystream.errors import RetryableBrokerError
from loyaltystream.gateway.enquiry import Enquiry
from loyaltystream.gateway.questions import Ask, Questions
from loyaltystream.gateway.serving import build_gateway
from loyaltystream.gateway.standing import Standing, standing_of
from loyaltystream.letters.signing import Replay
from tests.audit.world import CUSTOMERS, home_of, viewed
from tests.core import raw
from tests.gateway.conftest import Counter, refused
from tests.why.world import SIGNER, Town, lively

ODD = "tea & caf\u00e9/1"


def id_of(number: int) -> str:
    """Return the id of an event of the town."""
    return str(viewed(number)["eventId"])


def asking(town: Town) -> Ask:
    """Return what asks a town."""

    def ask(event_id: str, org_id: int) -> Standing | None:
        return standing_of(town.why().of_id(event_id, org_id), event_id, org_id)

    return ask


def open_to(ask: Ask, at_once: int = 1) -> Counter:
    """Return a gateway whose questions are asked so."""
    return Counter(questions=Questions(ask, at_once=at_once, pause=lambda _seconds: None))


@pytest.fixture(scope="module")
def town() -> Town:
    """Return a town in which every verdict was given, and one event waits."""
    made = lively()
    made.place(viewed(900))
    return made


@pytest.fixture(scope="module")
def informed(town: Town) -> Counter:
    """Return a gateway that knows of that town."""
    return open_to(asking(town))


@pytest.mark.parametrize(
    ("number", "state", "reasons", "accepted"),
    [
        (1, "accepted", [], True),
        (3, "duplicate", [("DUPLICATE_EVENT_ID", "eventId")], True),
        (4, "conflict", [("CONFLICT", "eventId")], True),
        (100, "rejected", [("REQUIRED", "fields.sku")], False),
        (101, "late", [("TOO_LATE", "occurredAt")], False),
        (103, "duplicate", [("DUPLICATE_UNIQUE_KEY", "fields")], False),
        (900, "pending", [], False),
    ],
)
def test_each_verdict_is_told_with_its_reasons(
    informed: Counter,
    number: int,
    state: str,
    reasons: list[tuple[str, str]],
    *,
    accepted: bool,
) -> None:
    """The last that was sent under an id is told first, and whether any of it was accepted."""
    answer = informed.ask(id_of(number))
    assert answer.status_code == (202 if state == "pending" else 200)
    told = answer.json()
    assert (told["eventId"], told["state"], told["accepted"]) == (id_of(number), state, accepted)
    assert [(one["reason"], one["path"]) for one in told["reasons"]] == reasons
    assert all(one["detail"] for one in told["reasons"])
    assert ("judgedAt" in told) == (state != "pending")
    assert told["attempts"][-1]["state"] == state
    assert informed.watched.answers[-1] == ("/events/{event_id}", answer.status_code, 0)


def test_every_attempt_is_told_in_order(informed: Counter) -> None:
    """What was sent again is told behind what was sent before."""
    states = [one["state"] for one in informed.ask(id_of(4)).json()["attempts"]]
    assert states == ["accepted", "conflict"]


def test_an_event_that_was_late_and_accepted_says_so(informed: Counter) -> None:
    """A definition may take late events; their producer sees that it did."""
    [attempt] = informed.ask(id_of(107)).json()["attempts"]
    assert (attempt["state"], attempt["late"]) == ("accepted", True)


def test_a_replay_is_told_as_one() -> None:
    """A letter that was sent again, however its repair came out, is an attempt with its number."""
    town = Town()
    town.place(viewed(1, fields={}))
    town.run()
    [letter] = town.log.all("behavioral-events.dead-letter")
    mended = raw(viewed(1))
    sent = Replay(f"{letter.partition}/{letter.offset}", 1)
    town.send(mended, home_of(CUSTOMERS[0]), headers=SIGNER.headers(sent, mended))
    town.run()
    told = open_to(asking(town)).ask(id_of(1)).json()
    assert (told["state"], told["accepted"]) == ("accepted", True)
    assert [one.get("replay") for one in told["attempts"]] == [None, 1]


def test_nothing_of_its_content_is_told(town: Town, informed: Counter) -> None:
    """No value, no key and no customer stands in an answer."""
    text = "".join(informed.ask(id_of(number)).text for number in (1, 3, 4, 100, 101, 103, 900))
    assert not any(mobile in text for mobile in CUSTOMERS)
    assert "SKU" not in text
    assert town.log.all("behavioral-events")


def test_another_orgs_event_is_not_there(informed: Counter) -> None:
    """Whoever asks for another org's event is told what is told of one that never came."""
    never = refused(informed.ask("nobody sent this"), 404)
    for number in (1, 3, 4, 100, 101, 103, 900):
        assert refused(informed.ask(id_of(number), by="stranger"), 404) == never


def test_an_id_in_two_orgs_is_two_events() -> None:
    """Each org is told of its own event, though both have the same id."""
    town = Town()
    town.place(viewed(1))
    town.send(raw(viewed(1, orgId=1801, fields={})), 0)
    town.run()
    counter = open_to(asking(town))
    assert counter.ask(id_of(1)).json()["state"] == "accepted"
    told = counter.ask(id_of(1), by="stranger").json()
    assert (told["state"], told["accepted"], len(told["attempts"])) == ("rejected", False, 1)


def test_bytes_that_nobody_can_read_are_nobodys() -> None:
    """Half an event names an id and no org: no org is told of it."""
    town = Town()
    town.send(raw(viewed(1))[:-3], 0)
    town.run()
    assert town.why().of_id(id_of(1)).found
    refused(open_to(asking(town)).ask(id_of(1)), 404)


def test_an_id_may_hold_what_a_path_may_not() -> None:
    """Slashes, spaces and letters beyond ASCII are part of an id."""
    town = Town()
    town.send(raw(viewed(1) | {"eventId": ODD}), home_of(CUSTOMERS[0]))
    town.run()
    counter = open_to(asking(town))
    assert counter.ask(ODD).json()["eventId"] == ODD
    refused(counter.ask("batch"), 404)


@pytest.mark.parametrize("event_id", [" ", "a|b", "a\n", "x" * 256])
def test_what_can_be_no_id_is_not_looked_for(event_id: str) -> None:
    """Nothing was ever taken under it, so no topic is read."""

    def ask(_event_id: str, _org_id: int) -> Standing | None:
        raise RetryableBrokerError("was asked")

    refused(open_to(ask).ask(event_id), 404)


@pytest.mark.parametrize(("by", "status"), [(None, 401), ("owner", 403), ("looker", 403)])
def test_only_producers_ask(informed: Counter, by: str | None, status: int) -> None:
    """The right to send an event is the right to know what became of it, and no other is."""
    refused(informed.ask(id_of(1), by=by), status)


def test_while_kafka_is_away_nothing_is_told() -> None:
    """That the topics can't be read is not told as if nothing were in them."""

    def ask(_event_id: str, _org_id: int) -> Standing | None:
        raise RetryableBrokerError("gone")

    counter = open_to(ask)
    answer = counter.ask("e-1")
    refused(answer, 503)
    assert int(answer.headers["retry-after"]) > 0
    assert counter.watched.failures == ["gone"]
    assert "gone" not in answer.text
    refused(counter.ask("e-1"), 503)  # the first one is no longer open


def test_a_gateway_without_the_secret_says_that_it_cannot_tell() -> None:
    """Without memory.hash_key nothing that was accepted can be found, and nothing is made up."""
    counter = Counter()
    counter.enquiry = Enquiry(counter.gateway.front, None)
    app = build_gateway(counter.gateway, counter.enquiry, mint=str, follow=None)
    counter.client = type(counter.client)(app)
    refused(counter.ask("e-1"), 501)
    counter.enquiry.close()


class Slow:
    """An answer that takes until it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.go = threading.Event()
        self.asked = 0

    def __call__(self, _event_id: str, _org_id: int) -> Standing | None:
        """Wait; count the question."""
        self.asked += 1
        self.begun.release()
        assert self.go.wait(10)
        return Standing("e-1", "accepted", accepted=True, reasons=(), attempts=())


@pytest.fixture
def slow() -> Iterator[Slow]:
    """Return an answer that takes long, and ends with the test."""
    made = Slow()
    yield made
    made.go.set()


def test_so_many_are_answered_at_once_and_no_more(slow: Slow) -> None:
    """The next question is told when to come back, and events are taken all the while."""
    counter = open_to(slow, at_once=2)
    answers: list[Any] = []
    with counter.client as client:
        named = {"Authorization": f"Bearer {counter.tokens['till']}"}
        askers = [
            threading.Thread(
                target=lambda: answers.append(client.get("/events/e-1", headers=named))
            )
            for _ in range(2)
        ]
        for asker in askers:
            asker.start()
            assert slow.begun.acquire(timeout=10)
        turned_away = counter.ask("e-1")
        refused(turned_away, 429)
        assert int(turned_away.headers["retry-after"]) > 0
        assert counter.post("/events", viewed(1)).status_code == 202
        slow.go.set()
        for asker in askers:
            asker.join(10)
        assert [one.status_code for one in answers] == [200, 200]
        assert counter.ask("e-1").status_code == 200
    assert slow.asked == 3


def test_what_is_not_seen_at_once_is_looked_for_again() -> None:
    """Between two topics of one transaction an event is judged, and its verdict not there yet."""
    answers = [None, Standing("e-1", "rejected", accepted=False, reasons=(), attempts=())]
    paused: list[float] = []
    questions = Questions(lambda _id, _org: answers.pop(0), at_once=1, pause=paused.append)
    assert json.loads(Counter(questions=questions).ask("e-1").content)["state"] == "rejected"
    assert len(paused) == 1
