"""A producer that gives the answers of a script; it claims nothing about a broker."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event
from typing import Any, Final, cast

from confluent_kafka import KafkaError, KafkaException, Producer

from loyaltystream.kafka.connection import Properties
from loyaltystream.kafka.sink import TransactionalSink
from loyaltystream.ports import Group
from loyaltystream.settings import KafkaSettings, WorkerSettings
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


class Answers:
    """Answers each call with what the script has next for it; past its end all is well.

    Args:
        script: for each call what it fails with, one after the other; an event is waited for, and
            with None all is well.

    Attributes:
        calls: all that was called, in order.
        undelivered: how many records the broker has not taken yet.
    """

    def __init__(
        self, script: Mapping[str, Sequence[BaseException | Event | None]] | None = None
    ) -> None:
        self.calls: list[str] = []
        self.undelivered = 0
        self._script: dict[str, Iterator[BaseException | Event | None]] = {
            name: iter(answers) for name, answers in (script or {}).items()
        }

    def __len__(self) -> int:
        return self.undelivered

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*_arguments: Any, **_named: Any) -> None:
            if name != "poll":
                self.calls.append(name)
            match next(self._script.get(name, iter(())), None):
                case Event() as wait:
                    wait.wait()
                case BaseException() as failure:
                    raise failure

        return call


def sink_on(*producers: Answers) -> TransactionalSink:
    """Return the real sink, which takes these producers one after the other; it is not open."""
    made = iter(producers)

    def make(_properties: Properties) -> Producer:
        return cast("Producer", next(made))  # it has all that the sink calls

    return TransactionalSink(
        KafkaSettings(), TIMEOUTS, transactional_id="one", input_topic="in", make=make
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
