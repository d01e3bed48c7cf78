"""Sends a story at a steady rate: `python -m tests.bench.pacing EVENTS PARTITIONS NOW_MS`.

What enters is a line with a count and a rate for each stretch; what leaves is a line with the
rate that was reached, once all of the stretch is sent. The events are made before the first is due.
"""

import gc
import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import Final

from loyaltystream.deployment import Deployment
from loyaltystream.kafka.sending import Sender
from loyaltystream.settings import load
from loyaltystream.story import Sent, generate
from tests.bench.ground import SEED, recipe

STEP_S: Final = 0.002


def pace(sender: Sender, records: Sequence[Sent], rate: float) -> float:
    """Send each record when it is due; return the rate that was reached."""
    began_s = time.perf_counter()
    sent = 0
    while sent < len(records):
        due = min(int((time.perf_counter() - began_s) * rate) + 1, len(records))
        for record in records[sent:due]:
            sender.send(record.value, record.key, record.headers)
        sent = due
        time.sleep(STEP_S)
    sender.flush()
    return len(records) / (time.perf_counter() - began_s)


def main() -> None:
    """Send a stretch for each line."""
    events, partitions, now_ms = map(int, sys.argv[1:])
    deployment = Deployment(load())
    sender = Sender(deployment.settings.kafka, deployment.topics.ingest)
    story = generate(recipe(events, partitions), SEED, now_ms=now_ms)
    gc.disable()
    for line in sys.stdin:
        count, rate = line.split()
        reached = pace(sender, list(islice(story, int(count))), float(rate))
        sys.stdout.write(f"{reached}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
