"""Notifications sent again: the same records, in order, once, however often that is killed."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.errors import ConfigurationError, RetryableBrokerError
from loyaltystream.events import Header, Record
from loyaltystream.letters.state import read_states
from loyaltystream.reemit.choosing import Choice
from loyaltystream.reemit.course import Course, lay
from loyaltystream.reemit.customer import Customer
from loyaltystream.reemit.journal import Entry, enter, read_entry
from loyaltystream.reemit.marking import Marker, Target
from loyaltystream.reemit.sending import Ledger, Reemitter, Told
from loyaltystream.topology import Output
from tests.audit.world import MemoryLog
from tests.core import NOW_MS, TOPICS
from tests.laws.strategies import LAW
from tests.why.world import SearchedLog

PARTITIONS: Final = 3
TARGET: Final = Target("crm-again", "topic-1", 2)
_ODD: Final = Choice(types=frozenset({"odd"}))


class World:
    """Notifications in memory, a subscriber's topic, and people who re-emit."""

    def __init__(self, written: Sequence[tuple[int, str]]) -> None:
        self.log = MemoryLog(PARTITIONS)
        self.log.topics[TARGET.topic] = [[]]
        for number, (partition, kind) in enumerate(written):
            self.log.append(TOPICS.notifications, record(number, partition, kind))
            if number % 4 == 0:
                self.log.mark(TOPICS.notifications, partition)

    def run(
        self,
        choice: Choice = _ODD,
        reemit_id: str = "one",
        *,
        dies_at: int = -1,
        late: bool = False,
        at_once: int = 2,
        target: Target = TARGET,
    ) -> Told:
        """Run once, as the command does."""
        writer, told = DyingWriter(self.log, dies_at, late=late), Told()
        kept = read_entry(self.log, TOPICS.letter_state, reemit_id)
        entry = enter(reemit_id, kept, proof=str(choice.parts()), target=target)
        course = self.course(entry)
        marker = Marker(TOPICS.notifications, target, reemit_id, NOW_MS)
        reemitter = Reemitter(self.log, choice, read=unread, marker=marker, told=told)
        ledger = Ledger(writer, TOPICS.letter_state, reemit_id)
        for _ in reemitter.send(course, entry, ledger, at_once=at_once):
            pass
        return told

    def course(self, entry: Entry) -> Course:
        """Return what is left."""
        return lay(self.log.settled_bounds(TOPICS.notifications), {}, entry.done)

    def sent(self, reemit_id: str = "one") -> list[Record]:
        """Return what lies in the subscriber's topic."""
        every = self.log.all(TARGET.topic)
        return [one for one in every if one.header("re-emit-id") == reemit_id.encode()]


class DyingWriter:
    """Appends what is written, all or nothing; dies at a chosen write, before or after it."""

    def __init__(self, log: MemoryLog, dies_at: int, *, late: bool) -> None:
        self._log = log
        self._left = dies_at
        self._late = late

    def open(self) -> None:
        """Take over: in memory nobody else writes."""

    def write(self, outputs: Sequence[Output]) -> None:
        dies, self._left = self._left == 0, self._left - 1
        if not dies or self._late:
            for output in outputs:
                written = Record(0, 0, NOW_MS, output.key, output.value, output.headers)
                self._log.append(output.topic, written)
        if dies:
            raise RetryableBrokerError("killed")


def record(number: int, partition: int, kind: str = "odd") -> Record:
    headers: list[Header] = [("src", b"s"), ("ce_type", f"ns.{kind}".encode())]
    key, value = f"1800|{partition}".encode(), f"value {number}".encode()
    return Record(partition, 0, NOW_MS + number, key, value, headers)


def unread(_value: bytes | None) -> dict[str, Any] | str:
    return "not asked for"


def meant(world: World) -> list[Record]:
    """Return the notifications that `_ODD` means, in the order of time."""
    found = [
        one
        for one in world.log.all(TOPICS.notifications)
        if dict(one.headers)["ce_type"] == b"ns.odd"
    ]
    return sorted(found, key=lambda one: one.timestamp_ms)


def test_key_value_and_headers_stay_as_they_are() -> None:
    """A re-emission is the same record, with three headers more behind its own."""
    world = World([(0, "even"), (1, "odd")])
    assert world.run().types == {"odd": 1}
    [before], [after] = meant(world), world.sent()
    assert (after.key, after.value) == (before.key, before.value)
    assert list(after.headers) == [
        *before.headers,
        ("re-emitted-from", b"loyalty-notifications/1/0"),
        ("re-emitted-at", str(NOW_MS).encode()),
        ("re-emit-id", b"one"),
    ]


def test_they_come_in_the_order_of_time() -> None:
    """Partitions are read side by side, so that a subscriber sees what happened as it happened."""
    world = World([(number % 3, "odd") for number in range(12)])
    world.run()
    assert [one.value for one in world.sent()] == [one.value for one in meant(world)]


def test_many_partitions_come_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many partitions each stays in its order."""
    monkeypatch.setattr("loyaltystream.reemit.sending.MERGED_PARTITIONS", 2)
    world = World([(number % 3, "odd") for number in range(12)])
    world.run()
    wanted = sorted(meant(world), key=lambda one: (one.partition, one.offset))
    assert [one.value for one in world.sent()] == [one.value for one in wanted]


@LAW
@given(
    written=st.lists(
        st.tuples(st.integers(0, PARTITIONS - 1), st.sampled_from(["odd", "even"])), max_size=24
    ),
    deaths=st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=4),
    at_once=st.integers(1, 4),
)
def test_each_is_sent_once_however_often_it_is_killed(
    written: list[tuple[int, str]], deaths: list[tuple[int, bool]], at_once: int
) -> None:
    """Killed before or after any commit and repeated, it sends what is meant, once, in order."""
    world = World(written)
    for dies_at, late in deaths:
        try:
            world.run(dies_at=dies_at, late=late, at_once=at_once)
        except RetryableBrokerError:
            continue
    world.run(at_once=at_once)
    sent = [(one.key, one.value) for one in world.sent()]
    assert sorted(sent) == sorted((one.key, one.value) for one in meant(world))
    for partition in range(PARTITIONS):
        key = f"1800|{partition}".encode()
        assert [value for mine, value in sent if mine == key] == [
            one.value for one in meant(world) if one.key == key
        ]
    entry = read_entry(world.log, TOPICS.letter_state, "one")
    assert entry is not None
    assert entry.sent == len(sent)


def test_what_came_since_is_sent_by_the_same_command() -> None:
    """A re-emission without an end goes on with what was written after it."""
    world = World([(0, "odd")])
    world.run()
    assert world.run().meant == 0
    world.log.append(TOPICS.notifications, record(9, 0))
    assert world.run().meant == 1
    assert len(world.sent()) == 2


def test_another_name_sends_everything_again() -> None:
    """Names know nothing of each other."""
    world = World([(0, "odd"), (1, "odd")])
    world.run()
    world.run(reemit_id="two")
    assert len(world.sent()) == len(world.sent("two")) == 2


def test_a_name_stands_for_one_choice_and_one_topic() -> None:
    """Under one name nothing else is sent, nor to another topic: it would be half of each."""
    world = World([(0, "odd")])
    world.run()
    with pytest.raises(ConfigurationError, match="begun for other notifications"):
        world.run(Choice(types=frozenset({"even"})))
    with pytest.raises(ConfigurationError, match="went to crm-again"):
        world.run(target=msgspec.structs.replace(TARGET, topic="other"))


def test_a_topic_that_was_made_anew_has_nothing_yet() -> None:
    """Whoever deletes the topic and makes it again gets everything by the same command."""
    world = World([(0, "odd")])
    world.run()
    assert world.run(target=msgspec.structs.replace(TARGET, topic_id="topic-2")).meant == 1


def test_what_retention_took_meanwhile_is_told() -> None:
    """What was not sent and is gone by the next run is known to the offset."""
    world = World([(0, "odd") for _ in range(8)])
    with pytest.raises(RetryableBrokerError):
        world.run(dies_at=1)
    entry = read_entry(world.log, TOPICS.letter_state, "one")
    assert entry is not None
    world.log.cut(TOPICS.notifications, 0, 6)
    [gone] = world.course(entry).gone
    assert (gone.after, gone.before) == (entry.done[0], 6)


def test_what_cant_be_read_is_told() -> None:
    """A record of which nobody can say whose it is stays away, and is named."""
    world = World([(2, "odd"), (2, "odd")])
    told = world.run(Choice(customer=Customer(1800, "mobile", "1"), org_id=None))
    assert (told.meant, world.sent()) == (0, [])
    assert told.unread == ["2/0: not asked for", "2/2: not asked for"]


def test_the_word_on_it_disturbs_no_letter() -> None:
    """Re-emissions are written down where letters are: neither takes the other for its own."""
    world = World([(0, "odd")])
    world.run()
    topic = TOPICS.letter_state
    states = read_states(SearchedLog(world.log), topic, world.log.settled_bounds(topic))
    assert states.unreadable == 0


def test_a_word_that_nobody_can_read_is_refused() -> None:
    """Rather than to send again what may have been sent, another name is asked for."""
    world = World([])
    world.log.append(TOPICS.letter_state, Record(0, 0, NOW_MS, b"re-emit/one", b"{", []))
    with pytest.raises(ConfigurationError, match="another --re-emit-id"):
        world.run()
