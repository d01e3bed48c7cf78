"""What counting dead letters costs beside a busy loop: `python -m tests.bench.backlog [LETTERS]`.

On the real broker, half of the letters discarded. While they are counted for the first time, the
count is held back and let go in turns, and a loop that never rests tells how much it gets done in
either: what it loses is what judging would lose. Processor time is the counting thread's.
"""

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Final

import msgspec
import psutil
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from rich.console import Console

from loyaltystream.clients import KafkaSettings
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.letters.backlog import Backlog
from loyaltystream.letters.state import LetterState, Step
from loyaltystream.telemetry.letters import Rest
from loyaltystream.working import tune_interpreter
from tests.bench.ground import describe_machine
from tests.bench.sheet import Sheet
from tests.cluster import obtained

PARTITIONS: Final = 6
LETTERS, STATES = "letters", "states"
VALUE: Final = bytes(700)
HEADERS: Final = [("src", b"behavioral-events/3/1042/0/17"), ("verdict", b"rejected")]
TURN_S: Final = 0.5
LOOKS: Final = 20
ANSWER_S: Final = 60
EACH: Final = 5_000


class Counted(msgspec.Struct):
    """What a count took, in seconds."""

    waiting: int = 0
    used_s: float = 0.0
    looks_s: list[float] = []
    is_over: bool = False


def main() -> None:
    """Measure and print."""
    letters = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    with (
        tempfile.TemporaryDirectory() as name,
        obtained(Path(name) / "cluster") as (_, cluster),
    ):
        fill(cluster.bootstrap_servers, letters)
        Console().print(measure(cluster.bootstrap_servers, letters).table())
    Console().print(describe_machine())


def fill(bootstrap: str, letters: int) -> None:
    """Write letters, and a word on half of them."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    topics = [NewTopic(LETTERS, PARTITIONS, 1), NewTopic(STATES, 1, 1)]
    for made in admin.create_topics(topics).values():
        made.result(ANSWER_S)
    producer = Producer({"bootstrap.servers": bootstrap, "transactional.id": "fill"})
    producer.init_transactions(ANSWER_S)
    word = msgspec.json.encode(LetterState(Step.DISCARDED, 1, reason="a test"))
    for start in range(0, letters, EACH):
        producer.begin_transaction()
        for number in range(start, min(start + EACH, letters)):
            partition, place = number % PARTITIONS, number // PARTITIONS
            producer.produce(LETTERS, VALUE, b"key", partition, headers=list(HEADERS))
            if number % 2:
                # Behind each transaction lies its marker.
                offset = place + start // EACH
                producer.produce(STATES, word, f"{partition}/{offset}".encode())
        producer.commit_transaction(ANSWER_S)


def measure(bootstrap: str, letters: int) -> Sheet:
    """Return what it costs to count them for the first time, and to look again."""
    tune_interpreter()
    gate, counted, process = threading.Event(), Counted(), psutil.Process()
    before = process.memory_info().rss
    rest = Rest().take

    def rest_or_wait() -> None:
        rest()
        gate.wait()

    settings = KafkaSettings(bootstrap_servers=bootstrap)
    log = LogSearcher(settings)
    backlog = Backlog(log, letters=LETTERS, states=STATES, rest=rest_or_wait)
    thread = threading.Thread(target=_count, args=(backlog, counted))
    thread.start()
    rates = _turns(gate, lambda: counted.is_over)
    thread.join()
    held, free = (median(one) for one in zip(*rates, strict=True))
    grown = process.memory_info().rss - before
    row = [
        f"{letters:,}",
        f"{counted.waiting:,}",
        f"{counted.used_s / letters * 1e6:.1f}",
        f"{counted.used_s * 10:.0f}",
        f"{grown / 1e6:.0f}",
        f"{median(counted.looks_s) * 1e3:.2f}",
        f"{free / held:.2f}",
    ]
    heads = (
        "letters",
        "wait",
        "CPU µs a letter",
        "s at least",
        "MB",
        "CPU ms a further look",
        "a busy loop beside it",
    )
    return Sheet("counting dead letters", heads, [row])


def _count(backlog: Backlog, counted: Counted) -> None:
    began_s = time.thread_time()
    found = backlog.count(range(PARTITIONS))
    counted.used_s = time.thread_time() - began_s
    counted.waiting = sum(one.letters for one in found.values())
    counted.is_over = True
    for _ in range(LOOKS):
        began_s = time.thread_time()
        backlog.count(range(PARTITIONS))
        counted.looks_s.append(time.thread_time() - began_s)


def _turns(gate: threading.Event, is_over: Callable[[], bool]) -> list[tuple[float, float]]:
    """Return what a loop gets done in a second while nobody counts, and while somebody does."""
    rates = []
    while not is_over():
        gate.clear()
        time.sleep(TURN_S / 5)
        held = _spin()
        gate.set()
        rates.append((held, _spin()))
    return rates


def _spin() -> float:
    done, end_s = 0, time.monotonic() + TURN_S
    while time.monotonic() < end_s:
        for _ in range(100):
            json.loads('{"a": 1, "b": [1, 2, 3]}')
        done += 100
    return done / TURN_S


if __name__ == "__main__":
    main()
