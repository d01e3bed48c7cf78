"""What one partition's memory knows, before a commit, after it, and after a restart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.errors import StateError
from loyaltystream.memory.changelog import decode, encode
from loyaltystream.memory.partition import UNSEEN, PartitionMemory
from loyaltystream.memory.units import GENERATIONS, KeyKind, Seen, Unit, to_sections
from loyaltystream.times import DAY_MS
from tests.core import NOW_MS, layout
from tests.laws.strategies import LAW
from tests.memory.making import DAY, MONTH, some_id, transaction


def ask(memory: PartitionMemory, unit: Unit, numbers: list[int], clock_ms: int) -> list[int]:
    """Return what is known of ids at one clock."""
    return memory.find(unit, [some_id(number) for number in numbers], [clock_ms] * len(numbers))


def test_a_sent_transaction_is_known_before_its_commit_is() -> None:
    """The next batch is judged on top of a transaction whose outcome is open."""
    memory = PartitionMemory(layout(), 5)
    memory.expect(transaction(5, NOW_MS, {MONTH: {1: 11}}))
    assert ask(memory, MONTH, [1, 2], NOW_MS) == [11, UNSEEN]
    assert (memory.next_offset, memory.clock_ms) == (6, NOW_MS)
    assert memory.remembered() == {}


def test_a_transaction_that_failed_leaves_nothing() -> None:
    """Forgotten, its ids are new again and its offsets are judged again."""
    memory = PartitionMemory(layout(), 5)
    memory.expect(transaction(5, NOW_MS, {MONTH: {1: 11}}))
    memory.forget()
    assert ask(memory, MONTH, [1], NOW_MS) == [UNSEEN]
    assert (memory.next_offset, memory.clock_ms) == (5, 0)


def test_remembering_is_for_what_was_sent_only() -> None:
    """Without a transaction under way, there is nothing to remember."""
    memory = PartitionMemory(layout(), 5)
    memory.remember()
    assert memory.next_offset == 5


def test_kinds_and_windows_are_apart() -> None:
    """The same 16 bytes as event id and as unique key are two keys."""
    memory = PartitionMemory(layout(), 0)
    memory.expect(transaction(0, NOW_MS, {MONTH: {1: 11}, DAY: {2: 22}}))
    for _ in range(2):
        assert ask(memory, MONTH, [1, 2], NOW_MS) == [11, UNSEEN]
        assert ask(memory, DAY, [1, 2], NOW_MS) == [UNSEEN, 22]
        memory.remember()
    assert ask(memory, Unit(KeyKind.UNIQUE_KEY, 7), [2], NOW_MS) == [UNSEEN]
    assert memory.remembered() == {MONTH: 1, DAY: 1}
    assert memory.used_bytes > 0


def test_an_id_is_known_for_its_window_and_its_generation() -> None:
    """It is known to the millisecond at which its generation is ten behind, and not after."""
    memory = PartitionMemory(layout(), 0)
    memory.expect(transaction(0, NOW_MS, {DAY: {1: 11}}))
    memory.remember()
    generation_ms = DAY_MS // GENERATIONS
    last_ms = (NOW_MS // generation_ms + GENERATIONS + 1) * generation_ms - 1
    assert last_ms - NOW_MS >= DAY_MS
    assert ask(memory, DAY, [1], last_ms) == [11]
    assert ask(memory, DAY, [1], last_ms + 1) == [UNSEEN]
    both = memory.find(DAY, [some_id(1), some_id(1)], [last_ms, last_ms + 1])
    assert both == [11, UNSEEN]


@pytest.mark.parametrize("generations", [11, 255, 256, 257, 300, 512, 2560])
def test_a_silence_never_makes_old_ids_young(generations: int) -> None:
    """After as many generations as a byte counts, an id is as unknown as after eleven."""
    later_ms = NOW_MS + generations * DAY_MS // GENERATIONS
    memory = PartitionMemory(layout(), 0)
    memory.expect(transaction(0, NOW_MS, {DAY: {1: 11}}))
    assert ask(memory, DAY, [1], later_ms) == [UNSEEN]
    memory.remember()
    assert ask(memory, DAY, [1], later_ms) == [UNSEEN]
    memory.expect(transaction(1, later_ms, {DAY: {2: 22}}))
    memory.remember()
    assert ask(memory, DAY, [1, 2], later_ms) == [UNSEEN, 22]


@pytest.mark.parametrize("generations", [11, 245, 256, 261])
def test_one_batch_may_span_a_silence(generations: int) -> None:
    """Ids that expired before the batch was over are not known after it."""
    later_ms = NOW_MS + generations * DAY_MS // GENERATIONS
    overlay = {
        DAY: {
            some_id(1): Seen(11, DAY.generation(NOW_MS), 0),
            some_id(2): Seen(22, DAY.generation(later_ms), 0),
        }
    }
    sent = transaction(0, later_ms, {})
    delta = type(sent.delta)(layout(), 0, 2, later_ms, 0, to_sections(overlay, later_ms))
    memory = PartitionMemory(layout(), 0)
    memory.restore(decode(encode(delta)))
    assert ask(memory, DAY, [1, 2], later_ms) == [UNSEEN, 22]


def test_an_expired_id_may_be_accepted_anew() -> None:
    """Where an id had expired, its second acceptance is what is known from then on."""
    later_ms = NOW_MS + 3 * DAY_MS
    memory = PartitionMemory(layout(), 0)
    for sent in (
        transaction(0, NOW_MS, {DAY: {1: 11}}),
        transaction(1, later_ms, {DAY: {1: 12}}),
    ):
        memory.expect(sent)
        assert ask(memory, DAY, [1], sent.delta.clock_ms)[0] in {11, 12}
        memory.remember()
    assert ask(memory, DAY, [1], later_ms) == [12]
    assert memory.remembered() == {DAY: 1}


def test_expired_ids_take_no_room_for_long() -> None:
    """With time, transactions without a single id free what has expired."""
    memory = PartitionMemory(layout(), 0)
    memory.expect(transaction(0, NOW_MS, {DAY: dict.fromkeys(range(5_000), 7)}))
    memory.remember()
    for step in range(1, 14):
        memory.expect(transaction(step, NOW_MS + step * DAY_MS // GENERATIONS, {}))
        memory.remember()
    assert memory.remembered() == {DAY: 0}


TRANSACTIONS = st.lists(
    st.tuples(
        st.dictionaries(st.integers(0, 9), st.integers(0, 2**32 - 1), max_size=4),
        st.sampled_from([0, 1, DAY_MS, 26 * DAY_MS]),
        st.sampled_from([MONTH, DAY]),
    ),
    max_size=8,
)


@LAW
@given(TRANSACTIONS)
def test_the_log_rebuilds_what_was_remembered(
    drawn: list[tuple[dict[int, int], int, Unit]],
) -> None:
    """Restored from the changelog's bytes, a memory answers and counts like the one that wrote."""
    ours, theirs = PartitionMemory(layout(), 0), PartitionMemory(layout(), 0)
    clock_ms = NOW_MS
    for offset, (numbers, passed_ms, unit) in enumerate(drawn):
        clock_ms += passed_ms
        sent = transaction(offset, clock_ms, {unit: numbers} if numbers else {})
        ours.expect(sent)
        ours.remember()
        theirs.restore(decode(encode(sent.delta)))
    for unit in (MONTH, DAY):
        assert ask(ours, unit, list(range(10)), clock_ms) == ask(
            theirs, unit, list(range(10)), clock_ms
        )
    assert ours.remembered() == theirs.remembered()
    assert (ours.next_offset, ours.clock_ms) == (theirs.next_offset, theirs.clock_ms)


def test_the_changelog_may_begin_anywhere_and_has_no_gap() -> None:
    """A restore starts at the first record that is left, and stops where one is missing."""
    memory = PartitionMemory(layout(), 0)
    memory.restore(transaction(100, NOW_MS, {}).delta)
    memory.restore(transaction(101, NOW_MS, {}).delta)
    with pytest.raises(StateError, match="a gap: a record from 103 on follows one up to 102"):
        memory.restore(transaction(103, NOW_MS, {}).delta)
    with pytest.raises(StateError, match="gap"):
        memory.restore(transaction(101, NOW_MS, {}).delta)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hash_check": b"another!"}, "another memory.hash_key"),
        ({"partitions": 6}, "is for 6 partitions, the ingest topic has 1"),
        ({"key_rule": 9}, "rule 9, by customer, they would be made by rule 1"),
    ],
)
def test_a_memory_of_another_layout_is_refused(change: dict[str, object], words: str) -> None:
    """Made with another secret, partition count or key rule, ids mean something else."""
    other = transaction(0, NOW_MS, {MONTH: {1: 1}}).delta
    made = type(other.layout)(
        **{"hash_check": layout().hash_check, "key_rule": 1, "partitions": 1, **change}  # type: ignore[arg-type]  # one of three is replaced
    )
    delta = type(other)(made, 0, 1, NOW_MS, 0, other.sections)
    with pytest.raises(StateError, match=words):
        PartitionMemory(layout(), 0).restore(delta)


def test_nothing_asked_is_nothing_answered() -> None:
    """An empty question has an empty answer, whatever is known."""
    assert PartitionMemory(layout(), 0).find(MONTH, [], []) == []
