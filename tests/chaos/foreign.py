"""Somebody else's transaction, opened on every partition of a topic and left open.

Called as `python -m tests.chaos.foreign BOOTSTRAP TOPIC PARTITIONS TIMEOUT_MS`; says `open` once
the broker has its records, and then waits to be killed. Does I/O: one producer.
"""

import subprocess
import sys
import time
from typing import Final

from confluent_kafka import Producer

from tests.chaos.crew import ROOT

_FLUSH_S: Final = 10.0


def leave_open(bootstrap: str, topic: str, partitions: int, timeout_ms: int) -> bool:
    """Have a process open a transaction, and kill it; return whether it was open by then."""
    arguments = (bootstrap, topic, str(partitions), str(timeout_ms))
    with subprocess.Popen(
        [sys.executable, "-m", __name__, *arguments], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        said = process.stdout.readline() if process.stdout is not None else b""
        process.kill()
    return said == b"open\n"


def main(bootstrap: str, topic: str, partitions: int, timeout_ms: int) -> None:
    """Open a transaction and never end it."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "transactional.id": f"foreign.{time.time_ns()}",
            "transaction.timeout.ms": timeout_ms,
            "message.timeout.ms": timeout_ms,
        }
    )
    producer.init_transactions(_FLUSH_S)
    producer.begin_transaction()
    for number in range(partitions):
        producer.produce(topic, b"{}", b"foreign", number)
    if not producer.flush(_FLUSH_S):
        sys.stdout.write("open\n")
        sys.stdout.flush()
        time.sleep(_FLUSH_S)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
