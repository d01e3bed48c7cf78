"""An open-addressing table of 128-bit ids in plain arrays, looked up a batch at a time.

Does no I/O. Each entry is 21 bytes: id 16, fingerprint 4, generation 1; kept between two thirds and
three quarters full, an id costs about 29 (dedup.md section 2). The table is split into shards of
2^16 slots at most, so that growing never moves more than one shard; a shard that is full and large
splits in two, found through a directory of hash prefixes (extendible hashing). Ids are hashed once
more, since those of UUID form are not random: they count up, or end in a machine's address.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from loyaltystream.memory.column import FIRST_SLOTS, SHARD_SLOTS
from loyaltystream.memory.hashing import (
    HALF,
    LOWER,
    Hashes,
    alike,
    may_have_zero,
    mix,
    nonzero,
)
from loyaltystream.memory.identity import Ids
from loyaltystream.memory.shards import MAX_LOAD, Fingerprints, Generations, Indexes, Shards

FRESH_LOAD: Final = 0.67
"""How full a shard is after it grew or split: filling it anew is cheap (`_fill`), slots are not."""
FIRST_WINDOW: Final = 8
LAST_WINDOW: Final = 512
CODES: Final = 256
"""Generations are kept as their lowest byte."""
SWEEP_SPAN: Final = 64
"""Within so many generations every shard is swept, so that no code comes round unseen."""


class IdTable(Shards):
    """Ids with a fingerprint and a generation each; an id stands in it once."""

    def find(self, ids: Ids) -> tuple[npt.NDArray[np.bool_], Fingerprints, Generations]:
        """Return for each id whether it is there, and its fingerprint and generation."""
        places, found = self._probe(ids, mix(ids))
        fingerprints = self._fingerprints.take(places)
        generations = self._generations.take(places)
        if may_have_zero(ids):
            zero = ~nonzero(ids)
            found[zero] = self._zero is not None
            fingerprints[zero], generations[zero] = self._zero or (0, 0)
        return found, fingerprints, generations

    def put(self, ids: Ids, fingerprints: Fingerprints, generations: Generations) -> None:
        """Enter ids, each at most once in the batch; an id that is there is overwritten."""
        if may_have_zero(ids) and (zero := ~nonzero(ids)).any():
            self._zero = (int(fingerprints[zero][0]), int(generations[zero][0]))
            ids, fingerprints, generations = ids[~zero], fingerprints[~zero], generations[~zero]
        hashes = mix(ids)
        self._make_room(hashes)
        self._enter(ids, hashes, fingerprints, generations)

    def sweep(self, generation: int, keep: int) -> None:
        """Drop expired entries, a shard a call, after each change of the generation.

        More shards where the generation has changed by much. What is put afterwards has to be of
        this generation, or up to `keep` before it.

        Args:
            generation: the current one, never less than the last.
            keep: how many generations an entry outlives its own.
        """
        elapsed = generation - self._generation
        shards = len(self._slots)
        if elapsed:
            self._unswept = shards
        due = min(shards, max(-(-elapsed * shards // SWEEP_SPAN), min(self._unswept, 1)))
        for shard in range(self._next_swept, self._next_swept + due):
            self._sweep(shard % shards, keep - elapsed)
        self._next_swept = (self._next_swept + due) % shards
        self._unswept = max(0, self._unswept - due)
        if self._zero is not None and (self._generation - self._zero[1]) % CODES > keep - elapsed:
            self._zero = None
        self._generation = generation

    def admit(self, shard: int, entries: int, generation: int, *, keep: int) -> None:
        """Count the entries of a shard that was filled, and drop what expired since it was copied.

        Args:
            shard: which one.
            entries: how many it has.
            generation: the table's when it was copied; codes of that time may come round again.
            keep: how many generations an entry outlives its own.
        """
        self._counts[shard] = entries
        now = self._generation
        if generation != now:
            self._generation = generation
            self._sweep(shard, keep - (now - generation))
            self._generation = now

    def ages(self, codes: Generations) -> npt.NDArray[np.int64]:
        """Return how many generations before the last sweep's entries of these codes are from."""
        # In bytes the difference wraps as the codes do.
        return (np.uint8(self._generation % CODES) - codes).astype(np.int64)

    def _sweep(self, shard: int, keep: int) -> None:
        if not self._counts[shard]:
            return
        ids, fingerprints, generations = self._read(shard)
        young = self.ages(generations) <= keep
        if not young.all():
            self._clear(shard)
            self._fill(shard, ids[young], fingerprints[young], generations[young])

    def _probe(self, ids: Ids, hashes: Hashes) -> tuple[Indexes, npt.NDArray[np.bool_]]:
        """Return the place of each id, or of the empty slot where it would stand, and which."""
        bases, slots = self._bounds(hashes)
        # The lower half spreads ids within a shard, the upper one chose the shard.
        offsets = ((hashes & LOWER) * slots) >> HALF
        places = bases + offsets.astype(np.int64)
        stored = self._ids.take(places)
        filled = nonzero(stored)
        if not np.count_nonzero(filled):
            return places, filled
        found = alike(stored, ids)
        taken = (filled > found).nonzero()[0]  # by another id
        if len(slots) == 1:
            bases, slots = np.repeat(bases, len(ids)), np.repeat(slots, len(ids))
        window = FIRST_WINDOW
        # Windows that widen: slot by slot, the last few of a batch cost as much as all the others.
        while len(taken):
            steps, ends_at = offsets[taken, None] + _STEPS[:window], slots[taken, None]
            # A shard has more slots than a window; a division costs ten times this.
            np.subtract(steps, ends_at, out=steps, where=steps >= ends_at)
            looked = bases[taken, None] + steps.astype(np.int64)
            stored = self._ids.take(looked)
            same = (stored[..., 0] == ids[taken, :1]) & (stored[..., 1] == ids[taken, 1:])
            ends = same | ((stored[..., 0] | stored[..., 1]) == 0)
            ended = ends.any(axis=1)
            at = np.arange(len(taken)), np.where(ended, ends.argmax(axis=1), window - 1)
            offsets[taken], places[taken], found[taken] = steps[at], looked[at], same[at]
            taken = taken[~ended]
            window = min(window * 4, LAST_WINDOW)
        return places, found

    def _bounds(self, hashes: Hashes) -> tuple[Indexes, Hashes]:
        """Return where each id's shard begins, and how many slots it has; or once for all."""
        if len(self._slots) == 1:
            return _FIRST_BASE, self._slots
        shards = self._shards(hashes)
        return shards * SHARD_SLOTS, self._slots[shards]

    def _enter(
        self, ids: Ids, hashes: Hashes, fingerprints: Fingerprints, generations: Generations
    ) -> None:
        while len(ids):
            places, found = self._probe(ids, hashes)
            # Two new ids may want one empty slot: the last to write has it, the others look again.
            self._ids.put(places, ids)
            took = alike(self._ids.take(places), ids)
            if np.count_nonzero(took) == len(took):
                self._complete(places, found, fingerprints, generations)
                return
            self._complete(places[took], found[took], fingerprints[took], generations[took])
            left = np.flatnonzero(~took)
            ids, hashes = ids.take(left, axis=0), hashes[left]
            fingerprints, generations = fingerprints[left], generations[left]

    def _complete(
        self,
        places: Indexes,
        found: npt.NDArray[np.bool_],
        fingerprints: Fingerprints,
        generations: Generations,
    ) -> None:
        """Write down what belongs to ids that stand in their places now, some of them before."""
        self._fingerprints.put(places, fingerprints)
        self._generations.put(places, generations)
        if len(self._counts) == 1:
            self._counts[0] += len(found) - np.count_nonzero(found)
        else:
            entered = places[~found] // SHARD_SLOTS
            self._counts += np.bincount(entered, minlength=len(self._counts))

    def _make_room(self, hashes: Hashes) -> None:
        self._room -= len(hashes)
        if self._room < 0:
            self._enlarge_full(hashes)
            self._room = int((self._slots * MAX_LOAD - self._counts).min()) - len(hashes)

    def _enlarge_full(self, hashes: Hashes) -> None:
        while True:
            arriving = np.bincount(self._shards(hashes), minlength=len(self._slots))
            full = np.flatnonzero((self._counts + arriving) > self._slots * MAX_LOAD)
            full = full[arriving[full] > 0]
            if not len(full):
                return
            for shard in full.tolist():
                if self._slots[shard] < _most_slots(shard):
                    self._enlarge(shard, int(arriving[shard]))
                else:
                    self._split(shard)

    def _enlarge(self, shard: int, arriving: int) -> None:
        content = self._take(shard)
        for column in (self._ids, self._fingerprints, self._generations):
            column.spread()
        needed = _slots_for(len(content[0]) + arriving)
        self._slots[shard] = min(needed, _most_slots(shard))
        self._fill(shard, *content)

    def _split(self, shard: int) -> None:
        """Share a full shard's ids between itself and a new one, by one more bit of prefix."""
        ids, fingerprints, generations = self._take(shard)
        depth = int(self._depths[shard])
        if depth == int(self._directory.size).bit_length() - 1:
            self._directory = np.repeat(self._directory, 2)
        new = len(self._slots)
        columns = (self._ids, self._fingerprints, self._generations)
        for column in columns:
            column.grow(new + 1)
        self._slots = np.append(self._slots, np.uint64(0))
        self._counts = np.append(self._counts, 0)
        self._depths[shard] = depth + 1
        self._depths = np.append(self._depths, depth + 1)
        mine = np.flatnonzero(self._directory == shard)
        self._directory[mine[len(mine) // 2 :]] = new
        homes = self._shards(mix(ids))
        for home in (shard, new):
            rows = np.flatnonzero(homes == home)
            self._slots[home] = min(_slots_for(len(rows)), SHARD_SLOTS)
            for column in columns:
                column.give_back(home, int(self._slots[home]))
            self._fill(
                home, ids.take(rows, axis=0), fingerprints.take(rows), generations.take(rows)
            )

    def _fill(
        self, shard: int, ids: Ids, fingerprints: Fingerprints, generations: Generations
    ) -> None:
        """Enter a shard's ids into its empty slots at once, where one by one would put them.

        In order of the slots that they want, each takes that one or the next behind the one before.
        They were read in nearly this order, so that sorting costs little.
        """
        slots = self._slots[shard]
        wanted = (((mix(ids) & LOWER) * slots) >> HALF).astype(np.int64)
        order = np.argsort(wanted, kind="stable")
        steps = np.arange(len(order))
        places = np.maximum.accumulate(wanted[order] - steps) + steps
        fits = places < int(slots)
        rows, places = order[fits], places[fits] + shard * SHARD_SLOTS
        self._ids.put(places, ids.take(rows, axis=0))
        self._fingerprints.put(places, fingerprints.take(rows))
        self._generations.put(places, generations.take(rows))
        self._counts[shard] = len(rows)
        rest = order[~fits]  # behind the last slot comes the first one
        ids = ids.take(rest, axis=0)
        self._enter(ids, mix(ids), fingerprints[rest], generations[rest])


_FIRST_BASE: Final = np.zeros(1, np.int64)
_STEPS: Final = np.arange(1, LAST_WINDOW + 1, dtype=np.uint64)


def _slots_for(entries: int) -> int:
    return max(FIRST_SLOTS, int(entries / FRESH_LOAD))


def _most_slots(shard: int) -> int:
    """Return the slots at which a shard splits: all different, so that never all split at once."""
    return int(SHARD_SLOTS / 2 ** (shard * 0.6180339887 % 1))
