"""T4 to T8: whatever a transactional call is answered, nobody takes it for something else."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from threading import Event

import pytest
from confluent_kafka import KafkaError, KafkaException

from loyaltystream.errors import (
    AbortableTransactionError,
    BrokerError,
    FatalBrokerError,
    RetryableBrokerError,
)
from loyaltystream.kafka.errors import _PASSING as PASSING
from loyaltystream.kafka.errors import translate
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.ports import Fate, Outcome
from tests.traps.answers import GROUP, SWEEP, Answers, answer, opened, outputs, sink_on

CODES = sorted(
    {code for name in dir(KafkaError) if isinstance(code := getattr(KafkaError, name), int)}
)
STILL_S = 0.05
"""How long a call that should not come is listened for."""

ALWAYS = 1_000
"""More answers than there is time for."""


@pytest.fixture
def released() -> Iterator[Event]:
    """Return what a call waits for that does not return; its thread ends with the test."""
    event = Event()
    yield event
    event.set()


def commit(sink: TransactionalSink) -> Outcome:
    """Send something and commit it; return what is told of that."""
    sink.send(outputs())
    sink.submit({0: 2}, GROUP)
    return sink.outcome()


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_its_kind(code: int) -> None:
    """What the client calls fatal, abortable or passing is that; what it calls nothing is fatal."""
    kinds = {
        "fatal": FatalBrokerError,
        "abortable": AbortableTransactionError,
        "retriable": RetryableBrokerError,
        "neither": RetryableBrokerError if code in PASSING else FatalBrokerError,
    }
    for kind, ours in kinds.items():
        assert type(translate(answer(kind, code), "doing")) is ours


def test_a_code_with_two_kinds_has_the_worse() -> None:
    """A fatal error is fatal though it asks for an abort too, and an abort comes before a retry."""
    worst = KafkaError(1, "", fatal=True, retriable=True, txn_requires_abort=True)
    assert type(translate(worst, "doing")) is FatalBrokerError
    worse = KafkaError(1, "", retriable=True, txn_requires_abort=True)
    assert type(translate(worse, "doing")) is AbortableTransactionError


@pytest.mark.parametrize("call", ["begin_transaction", "produce"])
@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("fatal", FatalBrokerError),
        ("abortable", AbortableTransactionError),
        ("retriable", RetryableBrokerError),
        ("neither", FatalBrokerError),
    ],
)
def test_a_send_tells_how_it_failed(call: str, kind: str, raised: type[BrokerError]) -> None:
    """Whoever sends hears whether an abort or a new producer helps; nothing is tried twice."""
    code = KafkaError.UNKNOWN if kind == "neither" else KafkaError._TIMED_OUT
    sink, producer = opened(**{call: [answer(kind, code)]})
    with pytest.raises(raised):
        sink.send(outputs())
    assert producer.calls.count(call) == 1
    assert "commit_transaction" not in producer.calls


@pytest.mark.parametrize("call", ["send_offsets_to_transaction", "commit_transaction"])
@pytest.mark.parametrize(
    ("kind", "fate", "aborts"),
    [
        ("fatal", Fate.UNKNOWN, 0),
        ("abortable", Fate.ABORTED, 1),
        ("retriable", Fate.COMMITTED, 0),
        ("neither", Fate.UNKNOWN, 0),
    ],
)
def test_a_commit_tells_what_is_known(call: str, kind: str, fate: Fate, aborts: int) -> None:
    """Only what was aborted for sure is aborted, and only what was confirmed is committed."""
    code = KafkaError.UNKNOWN if kind == "neither" else KafkaError._TIMED_OUT
    sink, producer = opened(**{call: [answer(kind, code)]})
    assert commit(sink).fate is fate
    assert producer.calls.count("abort_transaction") == aborts
    assert producer.calls.count(call) == (2 if kind == "retriable" else 1)
    assert producer.calls.count("produce") == len(outputs())


@pytest.mark.parametrize("code", [code for code in CODES if code not in PASSING])
def test_no_code_makes_a_commit_certain(code: int) -> None:
    """A commit that fails with any code and no word on what it means has an unknown outcome."""
    sink, _ = opened(commit_transaction=[answer("neither", code)])
    assert commit(sink).fate is Fate.UNKNOWN


@pytest.mark.parametrize("call", ["send_offsets_to_transaction", "commit_transaction"])
def test_what_passes_too_late_is_unknown(call: str) -> None:
    """What would have to be repeated beyond the transaction's time has an unknown outcome."""
    sink, producer = opened(**{call: [answer("retriable")] * ALWAYS})
    assert commit(sink).fate is Fate.UNKNOWN
    assert 1 < producer.calls.count(call) < ALWAYS


@pytest.mark.parametrize("call", ["send_offsets_to_transaction", "commit_transaction"])
def test_a_commit_that_does_not_return_is_unknown(call: str, released: Event) -> None:
    """Its producer is let go of without waiting for it, and the next one works."""
    stuck, fresh = Answers({call: [released]}), Answers()
    sink = sink_on(stuck, fresh)
    sink.open()
    assert commit(sink).fate is Fate.UNKNOWN
    sink.open()
    assert "close" not in stuck.calls
    assert commit(sink).fate is Fate.COMMITTED


@pytest.mark.parametrize("kind", ["fatal", "abortable", "retriable", "neither"])
def test_an_abort_that_fails_leaves_the_outcome_unknown(kind: str) -> None:
    """If a transaction can't be aborted, nothing is begun before a new producer has settled it."""
    failing = [answer(kind, KafkaError._TIMED_OUT if kind == "retriable" else KafkaError.UNKNOWN)]
    broken = Answers(
        {"commit_transaction": [answer("abortable")], "abort_transaction": failing * ALWAYS}
    )
    fresh = Answers()
    sink = sink_on(broken, fresh)
    sink.open()
    assert commit(sink).fate is Fate.UNKNOWN
    assert broken.calls.count("begin_transaction") == 1
    sink.open()
    assert broken.calls[-2:] == ["purge", "close"]
    assert commit(sink).fate is Fate.COMMITTED


@pytest.mark.parametrize("kind", ["fatal", "abortable", "retriable", "neither"])
def test_an_abort_of_what_was_sent_succeeds_or_is_fatal(kind: str) -> None:
    """Whoever wants to abort learns that it was done, or that the producer is of no more use."""
    failing = [answer(kind, KafkaError._TIMED_OUT if kind == "retriable" else KafkaError.UNKNOWN)]
    sink, _ = opened(abort_transaction=failing * ALWAYS)
    sink.send(outputs())
    with pytest.raises(FatalBrokerError):
        sink.abort()


def test_an_abort_is_repeated_while_that_helps() -> None:
    """A passing error does not cost the producer."""
    sink, producer = opened(abort_transaction=[answer("retriable")])
    sink.send(outputs())
    sink.abort()
    assert producer.calls.count("abort_transaction") == 2


@pytest.mark.parametrize(
    ("kind", "raised"),
    [
        ("fatal", FatalBrokerError),
        ("abortable", AbortableTransactionError),
        ("neither", FatalBrokerError),
    ],
)
def test_an_id_is_taken_over_or_that_fails(kind: str, raised: type[BrokerError]) -> None:
    """A producer that could not settle what was before it is not used."""
    failing = answer(kind, KafkaError.UNKNOWN)
    sink = sink_on(Answers({"init_transactions": [failing]}))
    with pytest.raises(raised):
        sink.open()


def test_taking_over_is_repeated_while_that_helps() -> None:
    """The same call goes on where it stopped."""
    sink, producer = opened(init_transactions=[answer("retriable")] * 2)
    assert producer.calls.count("init_transactions") == 3
    assert commit(sink).fate is Fate.COMMITTED


def test_taking_over_ends_what_a_predecessor_left_pending() -> None:
    """Behind the take-over a transaction with the group's offsets is begun and aborted."""
    sink, producer = opened()
    assert producer.calls == ["init_transactions"]
    assert producer.swept == list(SWEEP)
    assert commit(sink).fate is Fate.COMMITTED


@pytest.mark.parametrize(
    ("call", "kind", "raised"),
    [
        ("send_offsets_to_transaction", "abortable", None),
        ("send_offsets_to_transaction", "fatal", None),
        ("send_offsets_to_transaction", "retriable", RetryableBrokerError),
        ("abort_transaction", "fatal", None),
        ("abort_transaction", "retriable", RetryableBrokerError),
    ],
)
def test_a_sweep_that_fails_is_no_open_transaction(
    call: str, kind: str, raised: type[BrokerError] | None
) -> None:
    """A refusal is aborted, a fenced producer tells with its first send, and the rest is raised."""
    producer = Answers(sweep={call: [answer(kind)] * ALWAYS})
    sink = sink_on(producer)
    with pytest.raises(raised) if raised else nullcontext():
        sink.open()
    assert "commit_transaction" not in producer.calls
    if kind == "abortable":
        assert producer.swept == list(SWEEP)


@pytest.mark.parametrize("call", SWEEP)
def test_a_sweep_that_does_not_return_is_waited_for_no_longer(call: str, released: Event) -> None:
    """Its producer is let go of without waiting for it, and the next one takes over."""
    stuck, fresh = Answers(sweep={call: [released]}), Answers()
    sink = sink_on(stuck, fresh)
    with pytest.raises(RetryableBrokerError):
        sink.open()
    sink.open()
    assert "close" not in stuck.calls
    assert commit(sink).fate is Fate.COMMITTED


def test_a_producer_that_does_not_close_holds_nobody_up(released: Event) -> None:
    """Behind an outage closing may never return; the next producer works all the same."""
    stuck, fresh = Answers({"close": [released]}), Answers()
    sink = sink_on(stuck, fresh)
    sink.open()
    sink.open()
    assert stuck.calls[-1] == "close"
    assert commit(sink).fate is Fate.COMMITTED


def test_a_full_queue_is_no_lost_record() -> None:
    """What the client has no room for is offered again until it has, once each and in order."""
    sink, producer = opened(produce=[BufferError(), BufferError(), BufferError()])
    assert commit(sink).fate is Fate.COMMITTED
    assert producer.calls.count("produce") == len(outputs()) + 3


def test_nothing_is_committed_before_it_is_delivered() -> None:
    """While the broker has not taken every record the commit does not begin by itself."""
    sink, producer = opened()
    sink.send(outputs())
    sink.submit({0: 2}, GROUP)
    for left in (2, 1):
        producer.undelivered = left
        sink.tend()
        time.sleep(STILL_S)
        assert "send_offsets_to_transaction" not in producer.calls
    producer.undelivered = 0
    sink.tend()
    assert sink.outcome().fate is Fate.COMMITTED


def test_a_producer_that_is_lost_while_others_are_judged_is_told_by_the_outcome() -> None:
    """What a producer fails with between two calls ends its transaction, and not the worker."""
    lost = answer("fatal", KafkaError._FENCED)
    sink, producer = opened(poll=[None, lost], send_offsets_to_transaction=[lost])
    sink.send(outputs())
    sink.submit({0: 2}, GROUP)
    producer.undelivered = 2
    sink.tend()
    assert sink.outcome().fate is Fate.UNKNOWN
    assert "commit_transaction" not in producer.calls


def test_a_local_refusal_of_a_record_is_not_swallowed() -> None:
    """A record that the client itself finds too large ends the transaction, not only the record."""
    refusal = KafkaException(KafkaError(KafkaError.MSG_SIZE_TOO_LARGE))
    sink, producer = opened(produce=[refusal])
    with pytest.raises(FatalBrokerError):
        sink.send(outputs())
    assert producer.calls.count("produce") == 1
