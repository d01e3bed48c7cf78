"""Measures snapshots: `python -m tests.bench.snapshots DIRECTORY [IDS] [PARTITIONS]`.

Fills memories with random ids, writes each in turns of 5,000 new ids as a worker does, and loads
all of them as a restart does. Prints the longest pause of the loop for copying, and the seconds.
"""

import sys
import time
from pathlib import Path

import numpy as np

from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.loading import load
from loyaltystream.memory.manifest import read_manifest
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.memory.units import ENTRY, GENERATION_CODES, Section
from loyaltystream.snapshots.files import Files
from loyaltystream.snapshots.hand import ThreadHand
from loyaltystream.snapshots.keeper import Policy
from tests.core import NOW_MS, layout
from tests.memory.making import MONTH
from tests.snapshots.making import Clock, History, Told, keeper_of

BATCH = 50_000
TURN_IDS = 5_000


def learn(memory: PartitionMemory, count: int, draw: np.random.Generator) -> Delta:
    """Let a memory learn random ids."""
    entries = np.zeros(count, ENTRY)
    entries["id"] = draw.integers(0, 2**64, (count, 2), np.uint64)
    start = memory.next_offset
    sections = [Section(MONTH, MONTH.generation(NOW_MS) % GENERATION_CODES, entries)]
    delta = Delta(layout(), start, start + 1, NOW_MS, 0, sections)
    memory.restore(delta)
    return delta


def main() -> None:
    """Measure and print."""
    directory = Path(sys.argv[1])
    ids, partitions = (int(text) for text in (*sys.argv[2:], "50000000", "16")[:2])
    draw = np.random.default_rng(1)
    shelf, clock, told = Files(directory), Clock(), Told()
    memories: dict[int, PartitionMemory] = {}
    for number in range(partitions):
        memory = memories[number] = PartitionMemory(layout(), 0)
        for _ in range(ids // partitions // BATCH):
            learn(memory, BATCH, draw)
    say(f"{ids:,} ids in {partitions} partitions")
    history = History()
    pauses, learning, seconds = list[float](), list[float](), list[float]()
    for number, memory in memories.items():
        history.memory = memory
        keeper = keeper_of(
            shelf, history, policy=Policy(1, 1), told=told, clock=clock, hand=ThreadHand()
        )
        keeper.opened(number, memory)
        clock.now_s += 1000
        began_s = time.perf_counter()
        while len(told.sizes) == number:
            before_s = time.perf_counter()
            learn(memory, TURN_IDS, draw)
            between_s = time.perf_counter()
            keeper.tend({number: memory})
            pauses.append(time.perf_counter() - between_s)
            learning.append(between_s - before_s)
            time.sleep(0.01)
        seconds.append(time.perf_counter() - began_s)
    pauses.sort()
    say(
        f"written: {sum(told.sizes) / 1e9:.2f} GB, {sum(seconds) / partitions:.2f} s each; "
        f"a turn's copying: median {pauses[len(pauses) // 2] * 1e3:.2f} ms, "
        f"99 % {pauses[len(pauses) * 99 // 100] * 1e3:.2f} ms, longest {pauses[-1] * 1e3:.2f} ms; "
        f"learning 5,000 ids meanwhile: median {sorted(learning)[len(learning) // 2] * 1e3:.2f} ms"
    )
    memories.clear()
    del memory, history
    began_s = time.perf_counter()
    for number in range(partitions):
        with shelf.open(number, shelf.names(number)[0]) as file:
            memories[number] = load(read_manifest(file), file)
    took_s = time.perf_counter() - began_s
    count = sum(sum(found.remembered().values()) for found in memories.values())
    say(f"loaded: {count:,} ids in {took_s:.2f} s")


def say(text: str) -> None:
    """Print a line."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
