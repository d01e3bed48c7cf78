"""How many letters wait, counted bit by bit as they come and are dealt with."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.audit import Place
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.events import Record
from loyaltystream.letters.backlog import Backlog, Waiting
from loyaltystream.letters.state import DONE, LetterState, States, Step, name_of
from tests.audit.world import MemoryLog
from tests.core import NOW_MS, TOPICS
from tests.letters.town import PATCH, TownWriter, desk_of, letters_of, replay
from tests.why.world import SearchedLog, bought, lively

LETTERS: Final = TOPICS.dead_letter
STATES: Final = TOPICS.letter_state
PARTITIONS: Final = 2
ALL: Final = range(PARTITIONS)


class WearyLog(SearchedLog):
    """A log that fails when so many records were read, if it is told to."""

    left: int | None = None
    asked = 0

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        self.asked += start < end
        for record in super().records(topic, partition, start, end):
            if self.left == 0:
                raise RetryableBrokerError("away")
            if self.left is not None:
                self.left -= 1
            yield record


class Post:
    """Letters and words on them, as they are written."""

    def __init__(self) -> None:
        self.log = MemoryLog(PARTITIONS)
        self.seen = WearyLog(self.log)
        self.rests = 0
        self.backlog = Backlog(self.seen, letters=LETTERS, states=STATES, rest=self._rest)

    def _rest(self) -> None:
        self.rests += 1

    def write(self, partition: int) -> Place:
        """Write a letter; return where it lies."""
        written_ms = NOW_MS + len(self.log.all(LETTERS))
        record = self.log.append(LETTERS, Record(partition, 0, written_ms, None, b"letter"))
        return Place(LETTERS, partition, record.offset)

    def say(self, key: bytes, value: bytes | None) -> None:
        """Write a word, and have compaction remove the one before it."""
        for record in self.log.all(STATES):
            if record.key == key and record.offset % 2:  # not all at once, as compaction does
                self.log.delete(STATES, record)
        self.log.append(STATES, Record(0, 0, NOW_MS, key, value))

    def step(self, letter: Place, step: Step) -> None:
        """Write what somebody did with a letter."""
        self.say(name_of(letter).encode(), msgspec.json.encode(LetterState(step)))

    def expected(self, partitions: Sequence[int]) -> Mapping[int, Waiting]:
        """Return what waits, by all that lies there."""
        states = States(self.log.all(STATES))
        first = {number: self.log.firsts.get((LETTERS, number), 0) for number in ALL}
        waiting: dict[int, list[int]] = {number: [] for number in partitions}
        for record in self.log.all(LETTERS):
            state = states.of(Place(LETTERS, record.partition, record.offset)).state
            is_kept = record.offset >= first[record.partition]
            if record.partition in waiting and is_kept and state not in DONE:
                waiting[record.partition].append(record.timestamp_ms)
        return {
            number: Waiting(len(times), min(times, default=None))
            for number, times in waiting.items()
        }


def test_what_waits_is_what_the_desk_has_not_done() -> None:
    """Discarded and replayed letters count no more, repaired ones do, letters of both stages do."""
    town = lively()
    town.place(bought(1, basket={"count": "many"}))
    town.run()
    town.notify()
    backlog = Backlog(SearchedLog(town.log), letters=LETTERS, states=STATES)
    partitions = range(town.partitions)

    def waiting() -> int:
        """Return what is counted, once that is what the desk has not done."""
        desk.look()
        counted = sum(found.letters for found in backlog.count(partitions).values())
        left = [one for one in letters_of(town) if desk.states.of(one.place).state not in DONE]
        assert counted == len(left)
        return counted

    everything = letters_of(town)
    assert {letter.stage for letter in everything} == {"ingest", "notify"}
    desk = desk_of(town, TownWriter(town))
    assert waiting() == len(everything)
    [first, second, *_] = desk.sort(everything, PATCH).resent
    desk.repair([first], PATCH)
    assert waiting() == len(everything)
    desk.discard([second.letter], "a test")
    assert waiting() == len(everything) - 1
    assert len(replay(town, desk, [first.letter])) == 1
    again = len(letters_of(town)) - len(everything)  # what is still wrong is a new letter
    assert waiting() == len(everything) - 2 + again


def test_markers_and_words_of_others_are_no_letters() -> None:
    """Neither a transaction's marker nor what an import wrote down changes the count."""
    post = Post()
    letter = post.write(1)
    post.log.mark(LETTERS, 1)
    for key in (b"import/0/0", b"re-emit/a", b"1/x", b"7/0", b"\xff", b""):
        post.say(key, b"{}")
    assert post.backlog.count(ALL)[1] == Waiting(1, NOW_MS)
    post.step(letter, Step.DISCARDED)
    assert post.backlog.count(ALL)[1] == Waiting(0, None)


def test_a_word_that_a_newer_version_understands_is_the_last() -> None:
    """A letter whose state can't be read is no open one; one whose state was taken back is."""
    post = Post()
    letter = post.write(0)
    post.say(name_of(letter).encode(), b'{"state": "archived"}')
    assert post.backlog.count(ALL)[0].letters == 0
    post.say(name_of(letter).encode(), None)
    assert post.backlog.count(ALL)[0].letters == 1


def test_only_what_is_new_is_read() -> None:
    """A second look reads nothing, a third the one letter that came."""
    post = Post()
    for number in range(30):
        post.step(post.write(number % PARTITIONS), Step.REPAIRED)
    post.log.mark(LETTERS, 0)
    post.backlog.count(ALL)
    assert post.seen.reads == len(post.log.all(LETTERS)) + len(post.log.all(STATES))
    before, asked = post.seen.reads, post.seen.asked
    post.backlog.count(ALL)
    assert (post.seen.reads, post.seen.asked) == (before, asked)
    post.write(1)
    assert post.backlog.count(ALL)[1].letters == 16
    assert post.seen.reads == before + 1


def test_whoever_reads_much_rests() -> None:
    """Behind every few hundred records whoever counts is asked to rest."""
    post = Post()
    for _ in range(1_000):
        post.write(0)
    post.backlog.count(ALL)
    assert post.rests == 5


def test_a_topic_that_was_made_anew_is_counted_anew() -> None:
    """Where there is less than was read, nothing that was read is there any more."""
    post = Post()
    for _ in range(3):
        post.write(0)
    post.backlog.count(ALL)
    post.log.topics[LETTERS][0].clear()
    post.log.ends[LETTERS, 0] = 0
    post.write(0)
    assert post.backlog.count(ALL)[0].letters == 1


def test_a_partition_that_comes_brings_its_words() -> None:
    """What was done with its letters while others counted them is known as soon as they are."""
    post = Post()
    theirs, ours = post.write(1), post.write(0)
    post.step(theirs, Step.DISCARDED)
    assert post.backlog.count([0])[0].letters == 1
    post.step(ours, Step.RELEASED)
    assert post.backlog.count([0, 1]) == {0: Waiting(0, None), 1: Waiting(0, None)}
    assert post.backlog.count([]) == {}


def test_a_word_on_a_removed_letter_is_about_no_other() -> None:
    """A letter that retention took may be discarded all the same; the next one still waits."""
    post = Post()
    removed, next_one = post.write(0), post.write(0)
    post.log.cut(LETTERS, 0, next_one.offset)
    post.step(removed, Step.DISCARDED)
    assert post.backlog.count(ALL)[0].letters == 1


def test_an_older_word_is_not_the_last_where_hearing_it_again_failed() -> None:
    """For a partition that comes words are heard again; what is known of others stays."""
    post = Post()
    ours, _ = post.write(0), post.write(1)
    post.step(ours, Step.OPEN)
    post.step(ours, Step.DISCARDED)
    assert post.backlog.count([0])[0].letters == 0
    post.seen.left = 2  # the letter that came, and the first word
    with pytest.raises(RetryableBrokerError):
        post.backlog.count([0, 1])
    post.seen.left = None
    assert post.backlog.count([0])[0].letters == 0


@pytest.mark.parametrize("left", range(8))
def test_a_count_that_fails_is_gone_on_with(left: int) -> None:
    """Wherever reading fails, the next count reads the rest, and nothing twice."""
    post = Post()
    for number in range(4):
        post.step(post.write(0), Step.DISCARDED if number else Step.OPEN)
    post.seen.left = left
    with pytest.raises(RetryableBrokerError):
        post.backlog.count(ALL)
    post.seen.left = None
    assert post.backlog.count(ALL) == {0: Waiting(1, NOW_MS), 1: Waiting(0, None)}


PARTITION: Final = st.sampled_from(ALL)
OWNED: Final = st.sets(PARTITION, min_size=1)
STEP: Final = st.tuples(
    st.just("step"), st.integers(0, 9), st.sampled_from([Step.DISCARDED, Step.REPAIRED])
)
ACTIONS: Final = st.one_of(
    st.tuples(st.just("write"), PARTITION),
    st.tuples(st.just("write"), PARTITION),
    st.tuples(st.just("mark"), PARTITION),
    STEP,
    STEP,
    st.tuples(st.just("cut"), PARTITION, st.integers(0, 8)),
    st.tuples(st.just("fail"), OWNED, st.integers(0, 5)),
    st.tuples(st.just("count"), OWNED),
)


@given(st.lists(ACTIONS, min_size=8, max_size=40))
def test_whatever_happens_the_count_is_that_of_the_topics(
    actions: list[tuple[object, ...]],
) -> None:
    """Partitions come and go, letters and words are removed, reading fails: it stays right."""
    post, written = Post(), list[Place]()
    for action in [*actions, ("count", {*ALL})]:
        match action:
            case ("write", int(partition)):
                written.append(post.write(partition))
            case ("mark", int(partition)):
                post.log.mark(LETTERS, partition)
            case ("step", int(chosen), Step() as step) if written:
                post.step(written[chosen % len(written)], step)
            case ("cut", int(partition), int(first)):
                end = post.log.ends.get((LETTERS, partition), 0)
                before = post.log.firsts.get((LETTERS, partition), 0)
                post.log.cut(LETTERS, partition, max(before, min(first, end)))
            case ("fail", set(partitions), int(left)):
                _fail(post, sorted(partitions), left)
            case ("count", set(partitions)):
                owned = sorted(partitions)
                assert post.backlog.count(owned) == post.expected(owned)


def _fail(post: Post, partitions: Sequence[int], left: int) -> None:
    """Have a count fail in its midst, unless it has less to read than that."""
    post.seen.left = left
    try:
        found = post.backlog.count(partitions)
    except RetryableBrokerError:
        return
    finally:
        post.seen.left = None
    assert found == post.expected(partitions)
