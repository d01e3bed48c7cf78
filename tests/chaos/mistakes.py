"""Mistakes that workers can be made with, so that chaos is seen to find them.

Does I/O: one of them writes to the broker by a producer of its own.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from confluent_kafka import Producer

from loyaltystream.pipeline import Plan
from loyaltystream.runner import Runner
from loyaltystream.settings import load
from loyaltystream.topology import Output

MISTAKE: Final = "CHAOS_MISTAKE"


def _no_rewind(runner: Runner) -> None:
    """Go on behind what was aborted."""

    def go_on() -> None:
        runner._rewinding = False

    vars(runner)["_rewind"] = go_on


def _second_producer(runner: Runner) -> None:
    """Write EMFConsumer past the transaction."""
    sink, settings = runner._sink, load()
    send, topic = sink.send, settings.topics.prefix + settings.topics.emf
    producer = Producer({"bootstrap.servers": settings.kafka.bootstrap_servers})

    def split(outputs: Iterable[Output]) -> Iterator[Output]:
        for output in outputs:
            if output.topic != topic or output.partition is None:
                yield output
                continue
            producer.produce(
                topic, output.value, output.key, output.partition, headers=list(output.headers)
            )
        producer.flush()

    vars(sink)["send"] = lambda outputs: send(split(outputs))


def _early_memory(runner: Runner) -> None:
    """Remember what was sent, not what has committed."""
    stage = runner._stage
    expect, remember = stage.expect, stage.remember

    def expect_and_remember(plan: Plan) -> None:
        expect(plan)
        remember(plan)

    vars(stage)["expect"] = expect_and_remember
    vars(stage)["remember"] = lambda _plan: None


def _one_offset_more(runner: Runner) -> None:
    """Commit an offset past the next one."""
    sink: Any = runner._sink
    submit = sink.submit

    def submit_more(offsets: Mapping[int, int], group: object) -> None:
        submit({number: offset + 1 for number, offset in offsets.items()}, group)

    vars(sink)["submit"] = submit_more


MISTAKES: Final[Mapping[str, Callable[[Runner], None]]] = {
    "no rewind": _no_rewind,
    "a second producer": _second_producer,
    "early memory": _early_memory,
    "one offset more": _one_offset_more,
}


def make(runner: Runner) -> None:
    """Make the mistake that the environment names, if it names one."""
    if name := os.environ.get(MISTAKE):
        MISTAKES[name](runner)
