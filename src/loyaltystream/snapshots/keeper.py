"""When which partition's memory is written to the disk, and how a restart uses it.

Does I/O through its ports. The loop calls `tend` once a turn, while no commit is open, and loses no
more than the copying of a shard to it; a hand writes. One snapshot at a time is on its way.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, Protocol

import msgspec

from loyaltystream.errors import BrokerError
from loyaltystream.memory.manifest import Manifest, Origin
from loyaltystream.memory.partition import PartitionMemory
from loyaltystream.snapshots.cap import Cap
from loyaltystream.snapshots.hand import Hand
from loyaltystream.snapshots.recovering import Archive, Changelog
from loyaltystream.snapshots.shelf import Shelf
from loyaltystream.snapshots.writing import Writing

MOST_WAITING: Final = 2
"""Turns' copies that may wait for the disk: a slow one must not fill the memory."""

LOOK_EVERY_S: Final = 1.0
RETRY_S: Final = 60.0
RELEASE_S: Final = 3.0
"""What leaving may take, all partitions together; a worker has ten seconds for all of it."""

NOWHERE: Final = -1

_GOLDEN: Final = 0.6180339887


class Bounds(Protocol):
    """Where the changelog ends."""

    def end(self, partition: int) -> int:
        """Return an offset that no record written from now on lies before.

        Raises:
            BrokerError: if the broker does not answer.
        """


class Watch(Protocol):
    """Told what became of snapshots; the hand tells it as well."""

    def restored(self, partition: int, created_ms: int | None, seconds: float) -> None:
        """A memory was read: from a snapshot of that moment, or from the changelog alone."""

    def opened(self, partition: int, created_ms: int | None) -> None:
        """A partition is kept from now on; its newest snapshot is of that moment, if it has one."""

    def refused(self, partition: int, name: str, why: str) -> None:
        """A snapshot is passed over."""

    def written(self, partition: int, size_bytes: int) -> None:
        """A snapshot is on the disk."""

    def failed(self, partition: int, why: str) -> None:
        """A snapshot could not be written; the work goes on."""

    def released(self, partition: int) -> None:
        """A partition is given away."""


class Policy(msgspec.Struct, frozen=True):
    """How often, and how much at a time.

    Attributes:
        ids: a snapshot is due once so many keys were learnt since the last one,
        seconds: or so long ago.
        shards_a_turn: what the loop copies at a time, 1.4 MB each at most.
        last_shards: what it copies at the end, where the rest has to be of one moment.
    """

    ids: int
    seconds: float
    shards_a_turn: int = 2
    last_shards: int = 8


class Clocks(msgspec.Struct, frozen=True):
    """A clock that never goes back, in seconds, and the wall's, in epoch milliseconds."""

    now_s: Callable[[], float]
    wall_ms: Callable[[], int]


class _Standing(msgspec.Struct):
    """A partition's newest snapshot.

    Attributes:
        at_s: when it was made or found.
        offset: up to where it goes; `NOWHERE`: there is none.
        learnt: how many keys its memory had learnt.
        changelog_offset: of the changelog's records, those that it needs lie from here on.
        not_before_s: when the next one may be tried.
    """

    at_s: float
    offset: int
    learnt: int
    changelog_offset: int
    not_before_s: float = 0.0


class Keeper:
    """Keeps snapshots of a worker's partitions.

    Args:
        shelf: where they lie.
        hand: writes them.
        changelog: what goes on behind a snapshot.
        bounds: the same, asked while work goes on, so that it may not take long.
        origin: says whose memory a partition's is.
        policy: how often.
        cap: bounds what they take meanwhile.
        watch: is told.
        clocks: the time.
    """

    def __init__(  # noqa: PLR0913 (its ports, put together in one place)
        self,
        shelf: Shelf,
        hand: Hand,
        *,
        changelog: Changelog,
        bounds: Bounds,
        origin: Callable[[int], Origin],
        policy: Policy,
        cap: Cap,
        watch: Watch,
        clocks: Clocks,
    ) -> None:
        self._shelf = shelf
        self._hand = hand
        self._archive = Archive(shelf, changelog, watch)
        self._bounds = bounds
        self._origin = origin
        self._policy = policy
        self._cap = cap
        self._watch = watch
        self._clocks = clocks
        self._standings: dict[int, _Standing] = {}
        self._writing: Writing | None = None
        self._looked_s = self._leaving_s = -math.inf

    def recover(
        self, partition: int, *, committed: int | None, fresh: Callable[[], int]
    ) -> PartitionMemory:
        """Return a partition's memory as of the committed offset; raises as `Archive.recover`."""
        began_s = self._clocks.now_s()
        memory, manifest = self._archive.recover(
            self._origin(partition), committed=committed, fresh=fresh
        )
        created_ms = manifest.created_ms if manifest else None
        self._watch.restored(partition, created_ms, self._clocks.now_s() - began_s)
        self._note(partition, memory, manifest)
        return memory

    def opened(self, partition: int, memory: PartitionMemory) -> None:
        """Take note of a partition whose memory begins anew: from now on it is kept."""
        self._note(partition, memory, None)

    def tend(self, memories: Mapping[int, PartitionMemory]) -> None:
        """Take a snapshot one step further, and look now and then whether anything is due."""
        writing, now_s = self._writing, self._clocks.now_s()
        looks = now_s - self._looked_s >= LOOK_EVERY_S
        if looks:
            self._looked_s = now_s
            self._cap.hold()
        if writing is None:
            if looks:
                self._begin(memories, now_s)
        elif writing.is_over:
            self._end(writing)
        elif writing.is_copied:
            return
        elif memories.get(writing.partition) is not writing.memory:
            self._give_up(writing)
        elif writing.is_prepared and self._hand.backlog < MOST_WAITING:
            self._copy(writing, self._policy.shards_a_turn)

    def release(self, partition: int, memory: PartitionMemory) -> None:
        """Write a last snapshot of a partition that is given away, as far as there is time."""
        now_s = self._clocks.now_s()
        if now_s - self._leaving_s > 3 * RELEASE_S:
            self._leaving_s = now_s
        deadline_s = self._leaving_s + RELEASE_S
        writing = self._writing
        if writing is not None and writing.memory is memory and not writing.is_copied:
            self._give_up(writing)
        standing = self._standings.pop(partition, None)
        self._watch.released(partition)
        self._cap.drop(partition)
        if standing is None or standing.offset == memory.next_offset or memory.untouched:
            return
        if memory.is_settled and now_s < deadline_s:
            self._write_at_once(self._prepare(partition, memory, standing), deadline_s)

    def leave(self) -> None:
        """Wait until what is on its way is written, or the time for that is over."""
        self._hand.wait(0, RELEASE_S)

    def _note(self, partition: int, memory: PartitionMemory, manifest: Manifest | None) -> None:
        self._watch.opened(partition, manifest.created_ms if manifest else None)
        self._cap.take(partition, memory)
        # Each partition at another time of the period, or all would be written at once for ever.
        ahead_s = self._policy.seconds * (partition * _GOLDEN % 1) / 2
        at_s = self._clocks.now_s() - ahead_s
        self._standings[partition] = (
            _Standing(at_s, memory.next_offset, memory.learnt, manifest.changelog_offset)
            if manifest
            else _Standing(at_s, NOWHERE, 0, 0)
        )

    def _begin(self, memories: Mapping[int, PartitionMemory], now_s: float) -> None:
        due = [
            (standing.at_s, number)
            for number, memory in memories.items()
            if (standing := self._standings.get(number)) and self._is_due(standing, memory, now_s)
        ]
        if due:
            _, number = min(due)
            self._writing = self._prepare(number, memories[number], self._standings[number])

    def _is_due(self, standing: _Standing, memory: PartitionMemory, now_s: float) -> bool:
        is_new = standing.offset != memory.next_offset and not memory.untouched
        if not is_new or now_s < standing.not_before_s:
            return False
        many = memory.learnt - standing.learnt >= self._policy.ids
        return many or now_s - standing.at_s >= self._policy.seconds

    def _prepare(self, partition: int, memory: PartitionMemory, standing: _Standing) -> Writing:
        def bound() -> int:
            try:
                return self._bounds.end(partition)
            except BrokerError:
                # An older answer is as true, only farther back.
                return standing.changelog_offset

        writing = Writing(memory, self._origin(partition), self._shelf, bound=bound)
        self._hand.do(writing.prepare)
        return writing

    def _copy(self, writing: Writing, most: int) -> None:
        # No commit is open now, so that all that is copied, and every offset, is of what committed.
        if not writing.memory.is_settled:
            return
        copied, extent = writing.copy(most, self._policy.last_shards)
        self._hand.do(partial(writing.write, copied))
        if extent is not None:
            self._hand.do(partial(writing.seal, extent, self._clocks.wall_ms()))

    def _write_at_once(self, writing: Writing, deadline_s: float) -> None:
        backlog = 0
        while not writing.is_copied and not writing.is_over:
            if not self._hand.wait(backlog, deadline_s - self._clocks.now_s()):
                self._hand.do(writing.drop)
                return
            if writing.is_prepared:
                self._copy(writing, self._policy.last_shards)
            backlog = MOST_WAITING
        self._hand.do(partial(self._tell, writing))

    def _end(self, writing: Writing) -> None:
        self._writing = None
        self._tell(writing)
        now_s, standing = self._clocks.now_s(), self._standings.get(writing.partition)
        if standing is None:
            return
        if writing.sealed is None:
            standing.not_before_s = now_s + RETRY_S
            return
        self._standings[writing.partition] = _Standing(
            now_s,
            writing.sealed.extent.end_offset,
            writing.memory.learnt,
            writing.sealed.changelog_offset,
        )

    def _tell(self, writing: Writing) -> None:
        if writing.sealed is not None:
            self._watch.written(writing.partition, writing.size_bytes)
        elif writing.failure is not None:
            self._watch.failed(writing.partition, writing.failure)

    def _give_up(self, writing: Writing) -> None:
        self._hand.do(writing.drop)
        self._writing = None
