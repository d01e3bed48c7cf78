"""The largest and the oddest records that the ingest topic takes: their outputs have to fit."""

import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import NamedTuple

import pytest
from confluent_kafka import KafkaError, Message, Producer

from loyaltystream.avro.dead_letter import KEPT_BYTES
from loyaltystream.events import Header
from loyaltystream.plans import MAX_RECORD_BYTES
from loyaltystream.platform import Addresses
from loyaltystream.story import Intent, Sent
from tests.broker.foreign import produce_with_header
from tests.broker.golden import fresh, letters, write_definitions
from tests.shop import Shop, opened

pytestmark = pytest.mark.broker

JUNK = random.Random(4)
PATIENCE_S = 25.0


class Monster(NamedTuple):
    """A record, written to a partition of its own."""

    value: bytes
    key: bytes | None
    headers: list[Header]


def longest_name(size: int) -> Monster:
    """Return a valid event of a customer whose identifier, and so whose key, is half of it."""
    followed = fresh(
        "a long name",
        eventName="accountFollowed",
        customer={"identifiers": [{"type": "externalId", "value": JUNK.randbytes(255_000).hex()}]},
        fields={},
    )
    return Monster(followed, b"till", [("traceparent", JUNK.randbytes(size - len(followed)))])


MONSTERS: dict[str, Callable[[int], Monster]] = {
    "a large value": lambda size: Monster(JUNK.randbytes(size), b"till", []),
    "a large key": lambda size: Monster(b"{", JUNK.randbytes(size), []),
    "half of it key": lambda size: Monster(
        JUNK.randbytes(size // 2), JUNK.randbytes(size // 2), []
    ),
    "a large trace": lambda size: Monster(b"{", b"till", [("traceparent", JUNK.randbytes(size))]),
    "large headers": lambda size: Monster(
        JUNK.randbytes(size // 3),
        JUNK.randbytes(size // 3),
        [(f"h{number}", JUNK.randbytes(size // 300)) for number in range(100)],
    ),
    "headers of nothing": lambda size: Monster(b"{", b"till", [("h", b"")] * (size // 8)),
    "a long name": longest_name,
}


@pytest.fixture(params=["plain", "sealed"])
def shop(
    request: pytest.FixtureRequest,
    proven_cluster: Addresses,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Shop]:
    """Return a deployment that judges the golden cases' events, and seals its letters or not."""
    folder = tmp_path_factory.mktemp("largest")
    definitions = str(write_definitions(folder / "definitions"))
    settings = {"rules.definitions": definitions}
    if request.param == "sealed":
        settings |= {"letters.keys": json.dumps({"k1": "ab" * 32}), "letters.active_key": "k1"}
    with opened(proven_cluster, folder / "shop", len(MONSTERS), **settings) as shop:
        yield shop


def test_the_largest_record_gets_a_letter_that_fits(shop: Shop) -> None:
    """However the largest record that the ingest topic takes is made up, its outputs fit theirs."""
    written = [
        write_largest(shop, partition, made) for partition, made in enumerate(MONSTERS.values())
    ]
    worker = shop.start("run", "--stage", "ingest", "--from", "earliest")
    shop.drain(["ingest"], PATIENCE_S)
    assert shop.stop(worker) == 0, shop.log()
    found = letters(shop)
    for partition, monster in enumerate(written[:-1]):
        letter = found[partition, 0]
        assert letter["valueBytes"] == len(monster.value)
        kept = letter["value"]["bytes"]
        if letter["truncated"]:
            assert kept == monster.value[:KEPT_BYTES]
            assert letter["valueSha256"] == sha256(monster.value).hexdigest()
        else:
            assert (kept, letter["key"]["bytes"]) == (monster.value, monster.key)
    findings = shop.audit()
    assert findings.exact, findings.to_json()


def write_largest(shop: Shop, partition: int, made: Callable[[int], Monster]) -> Monster:
    """Write the largest record of its kind that the topic takes; return it."""
    producer = Producer(
        {
            "bootstrap.servers": shop.settings.kafka.bootstrap_servers,
            "message.max.bytes": 4 * MAX_RECORD_BYTES,
        }
    )
    refusals: list[KafkaError] = []

    def note(error: KafkaError | None, _message: Message) -> None:
        if error is not None:
            refusals.append(error)

    for size in range(MAX_RECORD_BYTES, MAX_RECORD_BYTES // 2, -64):
        monster = made(size)
        refusals.clear()
        producer.produce(
            shop.deployment.topics.ingest,
            monster.value,
            monster.key,
            partition=partition,
            headers=list(monster.headers),
            on_delivery=note,
        )
        assert producer.flush(10) == 0
        if not refusals:
            return monster
        assert refusals[0].code() == KafkaError.MSG_SIZE_TOO_LARGE
    raise AssertionError("the topic takes no such record")


def test_a_header_without_a_readable_name_stalls_nothing(shop: Shop) -> None:
    """A header whose name is not UTF-8 harms neither its own record nor the next."""
    kafka, topic = shop.settings.kafka, shop.deployment.topics.ingest
    produce_with_header(kafka.bootstrap_servers, topic, value=b"{", name=b"\xff\xfe")
    shop.send([Sent(None, b"}", (), Intent.MALFORMED)])
    worker = shop.start("run", "--stage", "ingest", "--from", "earliest")
    shop.drain(["ingest"], PATIENCE_S)
    assert shop.stop(worker) == 0, shop.log()
    assert len(letters(shop)) == 2
    assert shop.audit().exact
