"""Looks at what goes on: memory, producers' keys, groups, transactions, letters. Does I/O: reads.

Only the last records of a topic are read, however many it has.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from typing import Final

from loyaltystream.app import STAGES
from loyaltystream.doctor import groups, letters, memory, placement
from loyaltystream.doctor.findings import Unseen
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import IMPORT_HEADER, ORIGIN_HEADER, SOURCE_HEADER
from loyaltystream.examining.look import Check, Findings, Look
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.signing import LETTER_HEADER
from loyaltystream.letters.state import DONE, States, read_states
from loyaltystream.relayout.guard import newest_entry
from loyaltystream.sealing.ring import Locked
from loyaltystream.sending import Keyer

_OURS: Final = (ORIGIN_HEADER, SOURCE_HEADER, IMPORT_HEADER, LETTER_HEADER)
_MARGIN_S: Final = 12.0
"""Behind its timeout a broker ends a transaction within its cleaning interval, 10 s by default."""
_GLANCES: Final = 3
_GLANCE_S: Final = 0.4

Ends = Mapping[tuple[str, int], tuple[int, int]]


class Traffic:
    """Looks at records, and at who reads them."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._deployment = look.deployment

    def checks(self) -> Iterator[Check]:
        """Yield what is read of a broker that answers."""
        yield "memory", self._of_memory
        yield "producers' keys", self._of_placement
        for stage in STAGES:
            yield f"group of {stage}", partial(self._of_group, stage)
        yield "open transactions", self._of_held
        yield "dead letters", self._of_letters

    def _of_memory(self) -> Findings:
        if self._look.settings.memory.hash_key is None:
            raise ConfigurationError("without memory.hash_key there is nothing to compare with")
        deployment = self._deployment
        last = newest_entry(deployment.reader, deployment.topics.changelog)
        yield from memory.of_changelog(last, deployment.layout)

    def _of_placement(self) -> Findings:
        topic, keyer = self._deployment.topics.ingest, self._keyer()
        samples = [
            placement.Sample(
                record.partition,
                record.key,
                None if keyer is None else keyer.key(record.value, record.headers),
                f"{topic}/{record.partition}/{record.offset}",
            )
            for record in self._look.last_records(topic)
            if record.value is not None and not any(map(record.header, _OURS))
        ]
        partitions = self._deployment.reader.partitions(topic)
        yield from placement.of_placement(samples, partitions, topic)

    def _keyer(self) -> Keyer | None:
        try:
            return Keyer(self._deployment.event_definitions, self._deployment.rules)
        except ConfigurationError as error:
            self._look.unseen.append(Unseen("whether keys are their events' own", str(error)))
            return None

    def _of_group(self, stage: str) -> Findings:
        deployment, name = self._deployment, self._deployment.group(stage)
        topic = deployment.topics.ingest if stage == STAGES[0] else deployment.topics.emf
        found = self._look.examiner.group(name, topic)
        partitions = range(deployment.reader.partitions(topic))
        # Whoever works tells how far it is by its metrics.
        waits = not found.members and found.may_read
        yield from groups.of_group(
            groups.GroupFacts(
                name,
                stage,
                topic,
                settled=found.settled,
                members=found.members,
                unowned=[number for number in partitions if number not in found.owned],
                waiting=self._waiting(name, topic) if waits else 0,
                may_read=found.may_read,
            )
        )

    def _waiting(self, group: str, topic: str) -> int:
        """Return how many offsets wait in partitions where a record does, not only markers."""
        reader = self._deployment.reader
        committed = reader.committed(group, topic)
        waiting = 0
        for number, (first, end) in reader.bounds(topic).items():
            start = max(committed.get(number, first), first)
            if any(True for _ in reader.records(topic, number, start, end)):
                waiting += end - start
        return waiting

    def _of_held(self) -> Findings:
        topics = self._look.topics
        known = {name: one.partitions for name, one in topics.items() if one.partitions}
        before = self._held(known)
        for _ in range(_GLANCES):
            if not before:
                return
            # Whoever works commits many times a second, and our own markers are on their way.
            time.sleep(_GLANCE_S)
            before = _unmoved(before, self._held(known))
        patience_s = self._look.settings.worker.transaction_timeout_ms / 1000 + _MARGIN_S
        self._look.doing(f"open transactions: {patience_s:.0f} s tell whether they end")
        time.sleep(patience_s)
        after = _unmoved(before, self._held(known))
        yield from groups.of_held(
            [groups.Held(*slot, *offsets, patience_s) for slot, offsets in after.items()]
        )

    def _held(self, known: Mapping[str, int]) -> Ends:
        """Return the partitions of which something is not stable."""
        ends = self._look.examiner.ends(known)
        return {slot: (stable, end) for slot, (stable, end) in ends.items() if stable < end}

    def _of_letters(self) -> Findings:
        deployment, topic = self._deployment, self._deployment.topics.dead_letter
        reader = deployment.letter_reader
        read = (reader.read(topic, record) for record in self._look.last_records(topic))
        found, states = [one for one in read if isinstance(one, Letter)], self._states()
        waiting = [one for one in found if states.of(one.place).state not in DONE]
        locked = (one.original for one in waiting if one.original.locked is Locked.NO_KEY)
        yield from letters.of_letters(
            letters.LetterFacts(
                topic,
                open=len(waiting),
                seen=len(found),
                all_seen=self._look.is_short(topic),
                unopened=Counter(one.key_id or "?" for one in locked),
            )
        )

    def _states(self) -> States:
        topic = self._deployment.topics.letter_state
        with closing(LogSearcher(self._look.settings.kafka)) as log:
            return read_states(log, topic, log.bounds([topic])[topic])


def _unmoved(before: Ends, after: Ends) -> Ends:
    """Return those that stand where they stood."""
    return {
        slot: offsets
        for slot, offsets in after.items()
        if slot in before and before[slot][0] == offsets[0]
    }
