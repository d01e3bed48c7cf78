"""Laws of whole logs: nothing vanishes, nothing is accepted twice, and batches do not show."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.pipeline import Plan
from loyaltystream.rules import Rules
from loyaltystream.steps.read import read
from loyaltystream.topology import Output
from loyaltystream.verdicts import Tally, Verdict
from tests.core import (
    EVENT_SCHEMA_ID,
    SHOP,
    TOPICS,
    Partition,
    define,
    header,
    ingest,
    outputs,
    pending,
    source_offset,
)
from tests.laws.model import Model
from tests.laws.strategies import DAILY, LAW, logs

DEFINITIONS = Definitions([*SHOP, define(DAILY), define(DAILY, 1801)], EVENT_SCHEMA_ID)


def partition(partitions: int = 1) -> Partition:
    """Return an empty partition that knows all events of the generated logs."""
    return Partition(ingest(partitions=partitions), DEFINITIONS)


def verdict_of(output: Output) -> Verdict:
    """Return the verdict that put a record where it is."""
    if output.topic in {TOPICS.emf, TOPICS.ei}:
        return Verdict.ACCEPTED
    if output.topic == TOPICS.ingest:
        return Verdict.REKEYED
    return Verdict(header(output, "verdict") or "")


def verdicts_by_offset(plans: Sequence[Plan]) -> dict[int, set[Verdict]]:
    """Return which verdicts the outputs of each record tell."""
    told: dict[int, set[Verdict]] = defaultdict(set)
    for output in routed(plans):
        told[source_offset(output)].add(verdict_of(output))
    return told


def routed(plans: Sequence[Plan]) -> Iterator[Output]:
    """Yield all outputs but the changelog's, which is one a batch."""
    for plan in plans:
        yield from (output for output in plan.outputs if output.topic != TOPICS.changelog)


@LAW
@given(logs(), st.sampled_from([1, 3]))
def test_nothing_vanishes(log: list[Record], partitions: int) -> None:
    """Every record gets exactly one verdict, the tally counts it, and its outputs say the same."""
    plan = partition(partitions).judge(log)
    told = verdicts_by_offset([plan])
    tombstones = sum(record.value is None for record in log)
    assert plan.tally.consumed == len(log) == sum(plan.tally.verdicts.values())
    assert plan.tally.verdicts[Verdict.TOMBSTONE] == tombstones
    by_event = Counter[Verdict]()
    for (_, verdict), count in plan.tally.events.items():
        by_event[verdict] += count
    assert by_event + Counter({Verdict.TOMBSTONE: tombstones}) == +plan.tally.verdicts
    assert plan.tally.appended.total() == len(log)
    assert len(told) == len(log) - tombstones
    assert all(len(verdicts) == 1 for verdicts in told.values())
    counted = Counter(next(iter(verdicts)) for verdicts in told.values())
    counted[Verdict.TOMBSTONE] = tombstones
    assert counted == +plan.tally.verdicts | Counter({Verdict.TOMBSTONE: tombstones})


@LAW
@given(logs())
def test_an_accepted_event_goes_to_each_of_its_topics_once(log: list[Record]) -> None:
    """Outputs of an accepted event are those of its definition's actions, none of them twice."""
    plan = partition().judge(log)
    places = Counter((output.topic, source_offset(output)) for output in routed([plan]))
    assert all(count == 1 for count in places.values())
    sources = Counter(header(output, "src") for output in routed([plan]))
    assert all(count == 1 for count in sources.values())


@LAW
@given(logs())
def test_a_log_that_comes_again_adds_nothing(log: list[Record]) -> None:
    """Sent once more right behind itself, a log has no event that is accepted."""
    memory = partition()
    calm = [msgspec.structs.replace(record, timestamp_ms=log[-1].timestamp_ms) for record in log]
    again = [msgspec.structs.replace(record, offset=record.offset + len(log)) for record in calm]
    memory.commit(calm)
    assert memory.commit(again).tally.verdicts[Verdict.ACCEPTED] == 0


@LAW
@given(logs(), st.data())
def test_batches_do_not_show(log: list[Record], data: st.DataObject) -> None:
    """Cut into any batches, judged before a commit is known, or twice, a log says the same."""
    whole = partition().judge(log)
    plans = list(judge_in_pieces(log, data))
    assert Counter(map(repr, routed(plans))) == Counter(map(repr, routed([whole])))
    assert sum((plan.tally for plan in plans), Tally()) == whole.tally


def judge_in_pieces(log: list[Record], data: st.DataObject) -> Iterator[Plan]:
    """Yield the plans that committed, of batches that were cut and overlapped as drawn."""
    judge = partition()
    memory = judge.memory
    before: tuple[list[Record], Plan] | None = None
    start = 0
    while start < len(log):
        end = data.draw(st.integers(start + 1, len(log)))
        batch, start = log[start:end], end
        plan = judge.judge(batch)
        if before is not None:
            if data.draw(st.booleans()):
                memory.remember()
            else:  # the commit before failed, and this batch's verdicts die with it
                memory.forget()
                again = judge.judge(before[0])
                assert again.outputs == before[1].outputs
                memory.expect(pending(again))
                plan = judge.judge(batch)
                memory.remember()
            yield before[1]
        memory.expect(pending(plan))
        before = (batch, plan)
    assert before is not None
    yield before[1]


@LAW
@given(logs())
def test_the_memory_is_a_dictionary_that_forgets(log: list[Record]) -> None:
    """Batch by batch, tables and overlays answer what one dictionary of all keys would."""
    judge, model = partition(), Model()
    plans = [judge.commit([record]) for record in log]
    told = verdicts_by_offset(plans)
    assert told == verdicts_by_offset([partition().judge(log)])
    batch = read(log, topic=TOPICS.ingest, clock_ms=0, definitions=DEFINITIONS, rules=Rules())
    for event in batch.valid:
        assert {verdict.value for verdict in told[event.record.offset]} == {model.judge(event)}


@LAW
@given(logs(), st.sampled_from([1, 3]))
def test_events_of_a_key_stay_in_order(log: list[Record], partitions: int) -> None:
    """In each topic, the records of one key follow each other as their causes did."""
    plan = partition(partitions).judge(log)
    for topic in (TOPICS.emf, TOPICS.ei, TOPICS.duplicates, TOPICS.dead_letter, TOPICS.ingest):
        by_key: dict[bytes | None, list[int]] = defaultdict(list)
        for output in outputs(plan, topic):
            by_key[output.key].append(source_offset(output))
        assert all(offsets == sorted(offsets) for offsets in by_key.values())


@LAW
@given(logs(), st.data())
def test_a_restored_memory_judges_as_the_old_one(log: list[Record], data: st.DataObject) -> None:
    """A memory that was rebuilt from the changelog gives the verdicts that the lost one would."""
    cut = data.draw(st.integers(1, len(log)))
    judge, restored = partition(), partition()
    for plan in (judge.commit(log[:cut]), *(judge.commit([late]) for late in log[cut : cut + 2])):
        assert plan.delta is not None
        restored.memory.restore(plan.delta)
    if rest := log[cut + 2 :]:
        assert restored.judge(rest).outputs == judge.judge(rest).outputs
