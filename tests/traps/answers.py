"""A producer that gives the answers of a script; it claims nothing about a broker."""

from collections.abc import Callable, Mapping, Sequence
from threading import Event
from typing import Any, Final, cast

from confluent_kafka import KafkaError, KafkaException, Producer

from loyaltystream.clients import KafkaSettings
from loyaltystream.kafka.connection import Properties
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.ports import Group
from loyaltystream.settings import WorkerSettings
from loyaltystream.topology import Output

TIMEOUTS: Final = WorkerSettings.model_construct(
    batch_records=10,
    batch_ms=10,
    message_timeout_ms=100,
    transaction_timeout_ms=200,
    session_timeout_ms=300,
)
GROUP: Final = Group(1, b"metadata")


def answer(kind: str, code: int = KafkaError._TIMED_OUT) -> KafkaException:
    """Return one of the client's errors, as it sorts them itself."""
    flags = {"fatal": False, "retriable": False, "txn_requires_abort": False}
    if kind != "neither":
        flags[{"abortable": "txn_requires_abort"}.get(kind, kind)] = True
    return KafkaException(KafkaError(code, "told so by a test", **flags))


Script = Mapping[str, Sequence[BaseException | Event | None]]
SWEEP: Final = ("begin_transaction", "send_offsets_to_transaction", "abort_transaction")


class Answers:
    """Answers each call with what the script has next for it; past its end all is well.

    Args:
        script: for each call what it fails with, one after the other; an event is waited for, and
            with None all is well.
        sweep: the same, for the calls between taking over the id and the end of the aborted
            transaction behind that.

    Attributes:
        calls: all that was called, in order, but for the sweep.
        swept: what was called for the sweep.
        undelivered: how many records the broker has not taken yet.
    """

    def __init__(self, script: Script | None = None, sweep: Script | None = None) -> None:
        self.calls: list[str] = []
        self.swept: list[str] = []
        self.undelivered = 0
        self._is_swept = False
        self._script = {name: iter(answers) for name, answers in (script or {}).items()}
        self._sweep = {name: iter(answers) for name, answers in (sweep or {}).items()}

    def __len__(self) -> int:
        return self.undelivered

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_arguments: Any, **_named: Any) -> None:
            sweeps = name in SWEEP and not self._is_swept
            if name != "poll":
                (self.swept if sweeps else self.calls).append(name)
            script = self._sweep if sweeps else self._script
            match next(script.get(name, iter(())), None):
                case Event() as wait:
                    wait.wait()
                case BaseException() as failure:
                    raise failure
            self._is_swept |= name == SWEEP[-1]

        return call


def sink_on(*producers: Answers) -> TransactionalSink:
    """Return the real sink, which takes these producers one after the other; it is not open."""
    made = iter(producers)

    def make(_properties: Properties) -> Producer:
        return cast("Producer", next(made))  # it has all that the sink calls

    return TransactionalSink(
        KafkaSettings(),
        TIMEOUTS,
        transactional_id="one",
        input_topic="in",
        group=GROUP,
        make=make,
    )


def opened(**script: Sequence[BaseException | Event | None]) -> tuple[TransactionalSink, Answers]:
    """Return a sink that is open, and its producer."""
    producer = Answers(script)
    sink = sink_on(producer)
    sink.open()
    return sink, producer


def outputs(count: int = 2) -> list[Output]:
    """Return something to send."""
    return [Output("out", b"key", b"%d" % number, None, []) for number in range(count)]
