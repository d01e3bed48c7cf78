"""`why` and `dead-letters` on the real broker: what became of events, and how they come back."""

import json
import random
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest

from loyaltystream.asking import build_why
from loyaltystream.audit import Place
from loyaltystream.events import Record
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.kafka.writing import TransactionalWriter
from loyaltystream.letters.signing import LETTER_HEADER
from loyaltystream.story import ORG_ID
from loyaltystream.topology import Output
from loyaltystream.verdicts import Verdict
from loyaltystream.why.asking import Why
from tests.shop import Shop, eventually

pytestmark = pytest.mark.broker

MENDED = '[{"op": "add", "path": "/fields/amount", "value": 12.5}]'


def why(shop: Shop, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Return what `why --json` says."""
    told: dict[str, Any] = json.loads(shop.command("why", "--json", *arguments, code=code).stdout)
    return told


@contextmanager
def asker(shop: Shop) -> Iterator[Why]:
    """Yield what answers many questions in one process."""
    with closing(LogSearcher(shop.settings.kafka)) as log:
        deployment = shop.deployment
        yield build_why(deployment, log, definitions=deployment.event_definitions)


def letters(shop: Shop, *arguments: str, code: int = 0) -> Any:
    """Return what `dead-letters ... --json` says."""
    return json.loads(shop.command("dead-letters", *arguments, "--json", code=code).stdout)


def bought(event_id: str, mobile: str = "919812345678", **fields: Any) -> str:
    """Return a purchase as a line."""
    return json.dumps(
        {
            "eventId": event_id,
            "eventName": "purchaseCompleted",
            "orgId": ORG_ID,
            "customer": {"identifiers": [{"type": "mobile", "value": mobile}]},
            "fields": {"billNumber": event_id, "transactionId": 4} | fields,
        }
    )


def event_id_of(record: Record) -> str | None:
    """Return the id in a record of the ingest topic or of the duplicates, if it has one."""
    try:
        event = json.loads(record.value or b"")
    except ValueError:
        return None
    found = event.get("eventId") if isinstance(event, dict) else None
    return found if isinstance(found, str) and found else None


def judged(told: Shop, topic: str) -> dict[tuple[int, int], str]:
    """Return the outcome that outputs of a topic tell of each judged record."""
    outcomes = {}
    for record in told.read(topic):
        name, partition, offset, *_ = (record.header("src") or b"").decode().split("/")
        if name == told.deployment.topics.ingest:
            said = (record.header("verdict") or b"accepted").decode()
            outcomes[int(partition), int(offset)] = said
    return outcomes


@pytest.fixture(scope="module")
def sample(told: Shop) -> list[tuple[str, tuple[int, int], str]]:
    """Return ids of every verdict at random, with where they were judged."""
    topics = told.deployment.topics
    outcomes: dict[tuple[int, int], str] = {}
    for topic in (topics.emf, topics.ei, topics.duplicates, topics.dead_letter):
        outcomes |= judged(told, topic)
    by_verdict: dict[str, list[tuple[str, tuple[int, int], str]]] = {}
    for record in told.read(topics.ingest):
        slot = record.partition, record.offset
        event_id = event_id_of(record)
        if event_id is not None and slot in outcomes:
            verdict = "rekeyed" if record.header("origin") else outcomes[slot]
            by_verdict.setdefault(verdict, []).append((event_id, slot, outcomes[slot]))
    chance = random.Random(7)
    assert by_verdict.keys() >= {"accepted", "duplicate", "conflict", "rejected", "rekeyed"}
    return [one for found in by_verdict.values() for one in chance.sample(found, 3)]


def test_events_of_every_verdict_are_told(
    told: Shop, sample: list[tuple[str, tuple[int, int], str]]
) -> None:
    """An id drawn at random leads to the verdict that the topics hold, in its place."""
    topic = told.deployment.topics.ingest
    with asker(told) as knows:
        for event_id, (partition, offset), verdict in sample:
            place = Place(topic, partition, offset)
            [arrival] = [one for one in knows.of_id(event_id).arrivals if one.judged == place]
            assert arrival.verdict == verdict, event_id
            repeats = {"DUPLICATE_EVENT_ID", "DUPLICATE_UNIQUE_KEY", "CONFLICT"}
            if repeats & {*arrival.reasons}:
                assert arrival.first is not None
                assert arrival.first.place is not None
                assert arrival.first.place.offset < offset
            assert bool(arrival.routed) == (verdict == Verdict.ACCEPTED)


def test_a_record_leads_to_its_event(
    told: Shop, sample: list[tuple[str, tuple[int, int], str]]
) -> None:
    """By the place of a record the same story is told as by its id."""
    topic = told.deployment.topics.ingest
    readable = [one for one in sample if one[2] != Verdict.REJECTED]
    with asker(told) as knows:
        for event_id, (partition, offset), _ in readable:
            by_place = knows.of_place(Place(topic, partition, offset))
            assert by_place.arrivals == knows.of_id(event_id, ORG_ID).arrivals
    event_id, (partition, offset), _ = readable[0]
    shown = why(told, "--source", f"{topic}/{partition}/{offset}")
    assert shown["arrivals"] == why(told, event_id, "--org", str(ORG_ID))["arrivals"]


def test_an_unknown_id_was_never_seen(told: Shop) -> None:
    """What no topic knows ends with a code of its own, and with how far back they reach."""
    answer = why(told, "nobody ever sent this", code=6)
    assert (answer["found"], answer["arrivals"]) == (False, [])
    assert all(reach["whole"] for reach in answer["reach"])
    text = told.command("why", "nobody ever sent this", code=6).stdout
    assert "never seen" in text


def test_letters_are_listed_and_counted(told: Shop) -> None:
    """What is listed are the letters that lie there, and the counts are theirs."""
    there = told.read(told.deployment.topics.dead_letter)
    listed = letters(told, "list", "-n", "100000")
    assert {one["letter"] for one in listed} == {f"{one.partition}/{one.offset}" for one in there}
    assert letters(told, "stats")["letters"] == len(there)
    [unmapped] = letters(told, "list", "--stage", "notify")
    shown = letters(told, "show", unmapped["letter"])
    assert shown["eventId"] == "a basket of many"
    told.command("dead-letters", "show", "0/999999", code=6)


@pytest.fixture
def running(make_shop: Callable[..., Shop]) -> Iterator[Shop]:
    """Return a deployment whose workers go on."""
    shop = make_shop()
    workers = shop.start("run", "--from", "earliest")
    yield shop
    assert shop.stop(workers) == 0, shop.log()


def test_three_commands_bring_a_wrong_event_back(running: Shop) -> None:
    """A wrong event is found, mended and sent again, and `why` tells all of it."""
    running.command("send", "-", given="\n".join([bought("wrong"), bought("right", amount=5)]))
    running.drain()
    [letter] = letters(running, "list", "--id", "wrong")
    assert letter["violations"][0]["path"] == "fields.amount"
    foretold = letters(running, "repair", letter["letter"], "--patch", MENDED)
    assert foretold["forecast"]["verdicts"] == {"accepted": 1}
    assert letters(running, "replay", letter["letter"])["done"] == 1
    running.drain()
    before, after = why(running, "wrong")["arrivals"]
    assert (before["verdict"], before["handled"]) == ("rejected", "replayed, attempt 1")
    assert (after["verdict"], after["notify"]) == ("accepted", "notified")
    assert after["replay"]["letter"].endswith(letter["letter"])
    assert after["received"] == before["received"]
    text = running.command("why", "wrong").stdout
    order = ["received", "rejected", "replayed, attempt 1", "accepted", "routed", "notified"]
    places = [text.index(word) for word in order]
    assert places == sorted(places)
    assert "919812345678" not in text
    assert letters(running, "replay", letter["letter"])["done"] == 0
    assert running.audit().exact


def replays_in(shop: Shop) -> list[Record]:
    """Return the replays on the ingest topic."""
    records = shop.read(shop.deployment.topics.ingest)
    return [one for one in records if one.header(LETTER_HEADER) and not one.header("src")]


def test_a_killed_replay_sends_each_letter_once(running: Shop) -> None:
    """Killed and repeated under live traffic, a replay sends each letter once, and all is exact."""
    lines = [bought(f"wrong {number}", f"9198123{number:05d}") for number in range(900)]
    running.command("send", "-", given="\n".join(lines))
    running.drain()
    letters(running, "repair", "--reason", "REQUIRED", "--patch", MENDED)
    for least in (1, 201):
        process = running.start("dead-letters", "replay", "--all", "--rate", "100", log="replay")
        eventually(lambda: len(replays_in(running)) >= least, "a replay that goes on", 90)  # noqa: B023
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        running.command("send", "-", given=bought("live", amount=3))
    letters(running, "replay", "--all")
    running.drain()
    topics = running.deployment.topics
    sent = replays_in(running)
    assert len({one.header(LETTER_HEADER) for one in sent}) == len(sent) == 900
    accepted = [one for one in running.read(topics.emf) if b"wrong " in (one.value or b"")]
    assert len(accepted) == 900
    assert len(letters(running, "list", "-n", "9999", "--state", "replayed")) == 900
    assert running.audit().exact


def test_a_discarded_letter_is_never_sent(running: Shop) -> None:
    """What somebody put away stays away, and the reason is told."""
    running.command("send", "-", given=bought("a test"))
    running.drain()
    assert (
        len(letters(running, "discard", "--id", "a test", "--because", "a test till")["discarded"])
        == 1
    )
    assert letters(running, "replay", "--id", "a test")["staying"].keys() == {"done"}
    assert why(running, "a test")["arrivals"][0]["handled"] == "discarded, a test till"


def test_a_searcher_reads_what_is_committed(told: Shop) -> None:
    """Side by side or one by one, the searcher yields what the reader of whole topics yields."""
    deployment = told.deployment
    topics = [deployment.topics.duplicates, deployment.topics.dead_letter]
    searcher = LogSearcher(deployment.settings.kafka)
    bounds = searcher.bounds(topics)
    assert bounds == {topic: deployment.reader.bounds(topic) for topic in topics}
    spans = [(topic, number, *span) for topic in topics for number, span in bounds[topic].items()]
    for topic in topics:
        whole = told.read(topic)
        scanned = [one for name, one in searcher.scan(spans, lambda _t, _v: True) if name == topic]
        assert sorted(scanned, key=_place) == sorted(whole, key=_place)
        one = whole[len(whole) // 2]
        assert next(searcher.records(topic, one.partition, one.offset, one.offset + 1)) == one
        assert searcher.settled_bounds(topic) == bounds[topic]
    searcher.close()


def _place(record: Record) -> tuple[int, int]:
    return record.partition, record.offset


def test_whoever_writes_next_fences_who_wrote_before(make_shop: Callable[..., Shop]) -> None:
    """Of two people at the desk the later one writes, and the earlier one's work is undone."""
    shop = make_shop()
    settings, topic = shop.settings, shop.deployment.topics.letter_state
    first, second = (
        TransactionalWriter(settings.kafka, settings.worker, transactional_id="desk")
        for _ in range(2)
    )
    first.open()
    first.write([Output(topic, b"0/1", b"{}", None, [])])
    second.open()
    with pytest.raises(Exception, match="writing 1 records"):
        first.write([Output(topic, b"0/2", b"{}", None, [])])
    second.write([Output(topic, b"0/3", b"{}", None, [])])
    assert {record.key for record in shop.read(topic)} == {b"0/1", b"0/3"}
    first.close()
    second.close()
