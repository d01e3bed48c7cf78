"""`--memory`: the memory alone, filled to many ids: bytes, pace, and the longest turn.

Without a broker, in this process. Each turn asks for the ids of one partition and then enters them,
as the loop does around a commit; some turns ask again for what the partition had long before.
"""

import gc
import os
import time
from typing import Final

import numpy as np
import psutil
from rich.progress import track

from loyaltystream.memory.changelog import Delta
from loyaltystream.memory.identity import ID_BYTES
from loyaltystream.memory.partition import UNSEEN, PartitionMemory
from loyaltystream.memory.units import ENTRY, GENERATION_CODES, KeyKind, Section, Unit
from loyaltystream.working import tune_allocator
from tests.bench.ground import InexactError, console
from tests.bench.sheet import Sheet
from tests.core import NOW_MS, layout

TURN_IDS: Final = 5_000
MONTH: Final = Unit(KeyKind.EVENT_ID, 30)
REPEATED_EVERY: Final = 50
BOUND_BYTES: Final = 32
PAUSE_S: Final = 0.25


def measure_memory(ids: int, partitions: int) -> list[Sheet]:
    """Fill memories of so many partitions with random ids; return what that took.

    Raises:
        InexactError: if a new id was known, or one that was entered is not.
    """
    tune_allocator()
    process = psutil.Process(os.getpid())
    gc.collect()
    before_bytes, began_s = process.memory_info().rss, time.process_time()
    memories = [PartitionMemory(layout(partitions), 0) for _ in range(partitions)]
    turns_s, peak_bytes = list[float](), 0
    for number in track(range(ids // TURN_IDS), "filling the memory", console=console):
        # Of this thread: how long others keep it from running is not the memory's doing.
        at_s = time.thread_time()
        turn(memories[number % partitions], number)
        turns_s.append(time.thread_time() - at_s)
        if number % 100 == 0:
            peak_bytes = max(peak_bytes, process.memory_info().rss)
    cpu_s = time.process_time() - began_s
    held_bytes = process.memory_info().rss - before_bytes
    known = sum(sum(memory.remembered().values()) for memory in memories)
    if known != ids // TURN_IDS * TURN_IDS:
        raise InexactError(f"{known:,} ids are remembered of {ids:,}")
    sizes = held_bytes, max(held_bytes, peak_bytes - before_bytes)
    return [sheet(known, partitions, sizes, cpu_s, turns_s)]


def turn(memory: PartitionMemory, number: int) -> None:
    """Ask for new ids and enter them; now and then ask for those of this partition's first turn."""
    ids = drawn(number)
    expect_known(memory, ids, 0)
    entries = np.zeros(len(ids), ENTRY)
    entries["id"], entries["fingerprint"] = ids, number
    sections = [Section(MONTH, MONTH.generation(NOW_MS) % GENERATION_CODES, entries)]
    start = memory.next_offset
    memory.restore(Delta(memory.layout, start, start + len(ids), NOW_MS, 0, sections))
    if number % REPEATED_EVERY == 0:
        expect_known(memory, drawn(number % memory.layout.partitions), TURN_IDS)


def drawn(number: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    """Return the ids of a turn, always the same ones."""
    return np.random.default_rng(number).integers(0, 2**64, (TURN_IDS, 2), np.uint64)


def expect_known(
    memory: PartitionMemory, ids: np.ndarray[tuple[int, ...], np.dtype[np.uint64]], count: int
) -> None:
    """Ask a memory for ids.

    Raises:
        InexactError: if it does not know so many of them.
    """
    whole = ids.tobytes()
    asked = [whole[start : start + ID_BYTES] for start in range(0, len(whole), ID_BYTES)]
    answers = memory.find(MONTH, asked, [NOW_MS] * len(asked))
    if (found := len(answers) - answers.count(UNSEEN)) != count:
        raise InexactError(f"{found} of a turn's ids were known, not {count}")


def sheet(
    ids: int, partitions: int, sizes: tuple[int, int], cpu_s: float, turns_s: list[float]
) -> Sheet:
    """Return the table of docs/performance.md; `sizes` are the bytes in the end and at most."""
    ordered = sorted(turns_s)
    places = (len(ordered) // 2, len(ordered) * 999 // 1000, len(ordered) - 1)
    row = [
        f"{ids / 1e6:g}",
        *(f"{size / 1e6:,.0f}" for size in sizes),
        f"{sizes[0] / ids:.1f}",
        f"{cpu_s / ids * 1e6:.2f}",
        *(f"{ordered[place] * 1e3:.1f}" for place in places),
    ]
    columns = ("million ids", "MB", "most MB", "bytes an id", "CPU us an id")
    turns = ("turn p50 ms", "p99.9 ms", "longest ms")
    return Sheet(
        f"the memory alone: ids with fingerprint, one key kind, {partitions} partitions",
        (*columns, *turns),
        [row],
        [
            (
                f"a turn asks for {TURN_IDS:,} ids and enters them; to reach: {BOUND_BYTES} bytes "
                f"an id, {PAUSE_S * 1e3:.0f} ms"
            )
        ],
    )
