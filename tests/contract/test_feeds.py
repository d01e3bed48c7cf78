"""What a subscriber reads from and writes its letters to: in memory, and on the real broker."""

import uuid
from collections.abc import Collection, Mapping
from typing import Final, Protocol

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

from loyaltystream.clients import KafkaSettings
from loyaltystream.errors import BrokerError, ConfigurationError
from loyaltystream.events import Record
from loyaltystream.feeds import Feed, Letterbox
from loyaltystream.kafka.feed import GroupFeed, Pace
from loyaltystream.kafka.letterbox import TopicLetterbox
from loyaltystream.kafka.reading import LogReader
from loyaltystream.testing import MemoryBroker, MemoryFeed, MemoryLetterbox
from loyaltystream.topology import Output
from tests.contract.both import on_both
from tests.shop import eventually

PARTITIONS: Final = 4
ANSWER_S: Final = 30
PACE: Final = Pace(commit_s=0.2, session_s=6)


class Backend(Protocol):
    """A topic of four partitions, a group on it, and a topic for letters."""

    def feed(self, start: str = "earliest") -> Feed:
        """Return a new member of the group."""

    def letterbox(self, *, is_there: bool = True) -> Letterbox:
        """Return a place for letters, or one on a topic that is not there."""

    def append(self, partition: int, *values: bytes) -> None:
        """Write records."""

    def committed(self) -> dict[int, int]:
        """Return the group's offsets."""

    def letters(self) -> list[Record]:
        """Return the letters, in order."""


class InMemory:
    def __init__(self) -> None:
        self._broker = MemoryBroker({"notifications": PARTITIONS, "letters": 1}, now_ms=0)
        self._members = 0

    def feed(self, start: str = "earliest") -> MemoryFeed:
        self._members += 1
        member = f"member-{self._members}"
        return MemoryFeed(
            self._broker, topic="notifications", group="crm", member=member, start=start
        )

    def letterbox(self, *, is_there: bool = True) -> MemoryLetterbox:
        return MemoryLetterbox(self._broker, "letters" if is_there else "nowhere")

    def append(self, partition: int, *values: bytes) -> None:
        for value in values:
            self._broker.append("notifications", value, partition=partition)

    def committed(self) -> dict[int, int]:
        return dict(self._broker.group("crm", "notifications").offsets)

    def letters(self) -> list[Record]:
        return [*self._broker.records("letters", 0)]


class OnKafka:
    def __init__(self, bootstrap_servers: str) -> None:
        self._name = f"contract-{uuid.uuid4().hex[:8]}"
        self._kafka = KafkaSettings(bootstrap_servers=bootstrap_servers)
        self._reader = LogReader(self._kafka)
        self._topic, self._letters = f"{self._name}.notifications", f"{self._name}.letters"
        self._feeds: list[GroupFeed] = []
        self._producer = Producer({"bootstrap.servers": bootstrap_servers})
        admin = AdminClient({"bootstrap.servers": bootstrap_servers})
        made = admin.create_topics(
            [NewTopic(self._topic, PARTITIONS, 1), NewTopic(self._letters, 1, 1)]
        )
        for topic in made.values():
            topic.result(ANSWER_S)

    def feed(self, start: str = "earliest") -> GroupFeed:
        feed = GroupFeed(self._kafka, topic=self._topic, group=self._name, start=start, pace=PACE)
        self._feeds.append(feed)
        return feed

    def letterbox(self, *, is_there: bool = True) -> TopicLetterbox:
        return TopicLetterbox(self._kafka, self._letters if is_there else f"{self._name}.nowhere")

    def append(self, partition: int, *values: bytes) -> None:
        for value in values:
            self._producer.produce(self._topic, value, partition=partition)
        self._producer.flush(ANSWER_S)

    def committed(self) -> dict[int, int]:
        return self._reader.committed(self._name, self._topic)

    def letters(self) -> list[Record]:
        first, end = self._reader.settled_bounds(self._letters)[0]
        return [*self._reader.records(self._letters, 0, first, end)]

    def close(self) -> None:
        for feed in self._feeds:
            feed.close()


broker = on_both(InMemory, OnKafka)


class Member:
    """A subscriber that has handled what it has read, and commits it when it is told to."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.read: dict[int, list[bytes]] = {}
        self.behind: dict[int, int] = {}
        self.gone: set[int] = set()
        feed.join(self._give_up)

    def poll(self, full: Collection[int] = ()) -> None:
        for partition, records in self.feed.poll(full).items():
            values = self.read.setdefault(partition, [])
            values += [record.value or b"" for record in records]
            self.behind[partition] = records[-1].offset + 1

    def until(self, count: int, full: Collection[int] = ()) -> None:
        def is_read() -> bool:
            self.poll(full)
            return sum(map(len, self.read.values())) >= count

        eventually(is_read, f"{count} records are read", ANSWER_S)

    def _give_up(self, partitions: Collection[int]) -> Mapping[int, int]:
        self.gone.update(partitions)
        return {number: self.behind[number] for number in partitions if number in self.behind}


def fill(broker: Backend) -> None:
    """Write three records into each partition."""
    for partition in range(PARTITIONS):
        broker.append(partition, b"a", b"b", b"c")


def test_every_record_is_read_once_in_order(broker: Backend) -> None:
    """A member that is alone reads every partition from its beginning, in offset order."""
    fill(broker)
    member = Member(broker.feed())
    member.until(3 * PARTITIONS)
    assert member.read == {number: [b"a", b"b", b"c"] for number in range(PARTITIONS)}
    assert broker.committed() == {}


def test_who_comes_later_goes_on_behind_what_is_committed(broker: Backend) -> None:
    """A new member reads what nobody has committed, and nothing of what somebody has."""
    fill(broker)
    first = Member(broker.feed())
    first.until(3 * PARTITIONS)
    first.behind = {}
    first.feed.store({0: 2, 1: 3})
    first.feed.close()
    second = Member(broker.feed())
    second.until(7)
    assert second.read == {0: [b"c"], 2: [b"a", b"b", b"c"], 3: [b"a", b"b", b"c"]}
    assert broker.committed() == {0: 2, 1: 3}


def test_a_group_may_begin_at_the_end(broker: Backend) -> None:
    """A group that never committed and begins at the end reads what comes then."""
    fill(broker)
    member = Member(broker.feed("latest"))

    def is_heard() -> bool:
        broker.append(1, b"new")
        member.poll()
        return bool(member.read)

    eventually(is_heard, "a new record is read", ANSWER_S)
    assert member.read.keys() == {1}
    assert set(member.read[1]) == {b"new"}


def test_a_full_partition_is_not_read(broker: Backend) -> None:
    """While a partition is full nothing of it comes; then it goes on without a gap."""
    member = Member(broker.feed())
    fill(broker)
    member.until(3 * PARTITIONS)
    for partition in range(PARTITIONS):
        broker.append(partition, b"d")
    member.until(3 * PARTITIONS + 3, full={2})
    for _ in range(3):
        member.poll({2})
    assert member.read[2] == [b"a", b"b", b"c"]
    member.until(4 * PARTITIONS)
    assert all(values == [b"a", b"b", b"c", b"d"] for values in member.read.values())


def test_two_members_share_the_partitions(broker: Backend) -> None:
    """Who gives a partition up commits what it has handled: the other one reads on behind that."""
    fill(broker)
    first = Member(broker.feed())
    first.until(3 * PARTITIONS)
    second = Member(broker.feed())

    def has_moved() -> bool:
        second.poll()
        first.poll()
        return len(first.gone) == 2

    eventually(has_moved, "two partitions have moved", ANSWER_S)
    assert broker.committed() == dict.fromkeys(first.gone, 3)
    for partition in range(PARTITIONS):
        broker.append(partition, b"d")

    def is_read() -> bool:
        second.poll()
        first.poll()
        return sum(map(len, [*first.read.values(), *second.read.values()])) >= 4 * PARTITIONS

    eventually(is_read, "both have read on", ANSWER_S)
    assert second.read == {number: [b"d"] for number in first.gone}
    assert {number for number, values in first.read.items() if values[-1] == b"d"} == set(
        range(PARTITIONS)
    ) - first.gone


def test_what_is_stored_is_committed_soon(broker: Backend) -> None:
    """An offset that is stored is committed without anybody leaving, and moves on with the next."""
    fill(broker)
    member = Member(broker.feed())
    member.until(3 * PARTITIONS)
    for offset in (1, 3):
        member.feed.store({2: offset})

        def is_committed(offset: int = offset) -> bool:
            member.poll()
            return broker.committed() == {2: offset}

        eventually(is_committed, f"{offset} is committed", ANSWER_S)


def test_who_leaves_has_its_partitions_taken_over(broker: Backend) -> None:
    """A member that leaves commits what it has handled, and the other one goes on from there."""
    fill(broker)
    first = Member(broker.feed())
    first.until(3 * PARTITIONS)
    first.feed.close()
    assert broker.committed() == dict.fromkeys(range(PARTITIONS), 3)
    second = Member(broker.feed())
    broker.append(0, b"d")
    second.until(1)
    assert second.read == {0: [b"d"]}


def test_nobody_commits_for_others(broker: Backend) -> None:
    """A member that has not been given a partition can't move the group there."""
    fill(broker)
    member = Member(broker.feed())
    with pytest.raises(BrokerError):
        member.feed.store({0: 3})
    assert broker.committed() == {}


def test_a_letter_is_written_as_it_is(broker: Backend) -> None:
    """A letter has key, value and headers as given, those with one name twice included."""
    box = broker.letterbox()
    box.open()
    headers = [("src", b"1"), ("src", b"2"), ("dead-letter-reason", b"UNDECODABLE")]
    topic = "letters" if isinstance(broker, InMemory) else ""
    box.post(Output(topic, b"1800|1", b"\0\1", None, headers))
    box.post(Output(topic, None, None, None, []))
    box.close()
    first, second = broker.letters()
    assert (first.key, first.value, list(first.headers)) == (b"1800|1", b"\0\1", headers)
    assert (second.key, second.value, list(second.headers)) == (None, None, [])


def test_a_place_for_letters_has_to_be_there(broker: Backend) -> None:
    """A topic for letters that is not there is told before anything is read."""
    with pytest.raises(ConfigurationError, match="dead_letter_topic"):
        broker.letterbox(is_there=False).open()
