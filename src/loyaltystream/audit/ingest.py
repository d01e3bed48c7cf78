"""Stage ingest, one input partition at a time: judged again along the changelog.

Does I/O through the log. The walk goes from one changelog record to the next. Those that begin
before the first retained event only fill the memory; each later one says which records were judged
together, and what they left behind. Where one is missing the records are judged all the same.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Final

from loyaltystream.audit.changelog import Changelog, Entry, Switch, difference
from loyaltystream.audit.findings import Detail, Fault, Notice, PartitionFindings, Place
from loyaltystream.audit.found import FoundRows
from loyaltystream.audit.reading import Read, Reader
from loyaltystream.audit.seen import Entries, entries_of
from loyaltystream.audit.stage import Evidence
from loyaltystream.audit.verify import Verifier
from loyaltystream.events import Record

_CHUNK: Final = 512
_NO_RECORD: Final = "there is no such record"


class IngestPartition:
    """Walks along one partition of the ingest topic.

    Args:
        evidence: what was found.
        partition: which one.
        rows: what its records caused.
        reader: reads them.
        verifier: judges them.
    """

    def __init__(
        self,
        evidence: Evidence,
        partition: int,
        *,
        rows: FoundRows,
        reader: Reader,
        verifier: Verifier,
    ) -> None:
        self._evidence = evidence
        self._ledger = evidence.ledger
        self._partition = partition
        self._span = evidence.spans[partition]
        self._rows = rows
        self._reader = reader
        self._verifier = verifier
        self._records: Iterator[Record] = iter(())
        self._held: Record | None = None
        self._position = self._first = self._span.first
        self._seeded: int | None = None
        self._revision = 0
        self._clock_ms = self._covers_from_ms = self._partitions = 0

    def audit(self, changelog: Changelog) -> PartitionFindings:
        """Report every fault of this partition and return its counts."""
        self._check_loss()
        started, is_cut = False, changelog.is_cut(self._partition)
        self._partitions = changelog.partitions
        for entry in changelog.entries(self._partition):
            if entry.start >= self._span.stop:
                self._check_beyond(entry)
                continue
            self._partitions = entry.partitions
            if isinstance(entry, Entry) and is_cut and not self._verifier.known_since_ms:
                self._verifier.known_since_ms = entry.delta.clock_ms
            if entry.start < self._span.first:
                self._seed(entry)
                continue
            if not started:
                self._start(entry, is_cut=is_cut)
                started = True
            self._walk(entry)
        if not started:
            self._start(None, is_cut=is_cut)
        self._end()
        lag = self._evidence.waiting.get(self._partition, 0)
        return self._verifier.recount.close(self._span, self._first, lag)

    def _seed(self, entry: Entry | Switch) -> None:
        """Learn what was accepted before the first record that can be judged again."""
        if self._seeded is not None and entry.start != self._seeded:
            text = f"a record from {entry.start} on follows one up to {self._seeded}"
            self._ledger.report(Detail(Fault.CHANGELOG_GAP, entry.place, text))
        if isinstance(entry, Switch):
            self._switch(entry)
        else:
            delta, seen = entry.delta, self._verifier.seen
            if entry.is_ours:
                seen.learn(entries_of(delta), delta.clock_ms)
                seen.forget_expired(delta.clock_ms)
            self._clock_ms, self._covers_from_ms = delta.clock_ms, delta.covers_from_ms
        self._seeded = entry.end
        self._position = self._first = max(self._first, entry.end)

    def _switch(self, entry: Switch) -> None:
        """Go on under another layout, with what was moved here."""
        switched = entry.switched
        self._verifier.switch(entry.seen)
        self._clock_ms, self._covers_from_ms = switched.clock_ms, switched.covers_from_ms
        self._partitions = switched.layout.partitions

    def _start(self, entry: Entry | Switch | None, *, is_cut: bool) -> None:
        """Decide from where on there is a proof, and read from there on."""
        start = entry.start if entry else self._span.stop
        if start > self._position and is_cut:
            text = f"not proven before offset {start}: the changelog does not reach there"
            self._report(Fault.UNPROVEN, self._position, text)
            self._position = self._first = start
        for _ in self._rows.before(self._first):
            pass  # what comes from before the range is not audited
        if entry is not None and start > self._position and not self._rows.any_before(start):
            # A group may be told to begin later than the topic does.
            text = f"the group began at offset {start}"
            self._report(Notice.NEVER_READ, self._position, text)
            self._position = self._first = start
        self._records = self._evidence.log.records(
            self._evidence.topic, self._partition, self._position, self._span.stop
        )

    def _walk(self, entry: Entry | Switch) -> None:
        """Judge what one changelog record covers, and hold its content against that."""
        if entry.start > self._position:
            if isinstance(entry, Entry) and entry.delta.covers_from_ms > self._covers_from_ms:
                self._cross_loss(entry.start)
            else:
                self._cross_gap(entry.start)
        elif entry.start < self._position:
            text = f"begins at {entry.start}, which is covered up to {self._position}"
            self._ledger.report(Detail(Fault.CHANGELOG_OVERLAP, entry.place, text))
        if isinstance(entry, Switch):
            self._switch(entry)
        elif entry.end > self._position:
            self._check(entry)

    def _check(self, entry: Entry) -> None:
        delta = entry.delta
        self._covers_from_ms, self._revision = delta.covers_from_ms, entry.revision
        judged, foreign, _ = self._judge(delta.to_offset, covered=True)
        self._position = delta.to_offset
        if entry.is_ours and delta.to_offset <= self._span.stop:
            self._check_content(entry, judged, forgive=bool(foreign))
        self._verifier.seen.forget_expired(self._clock_ms)

    def _check_content(self, entry: Entry, judged: Entries, *, forgive: bool) -> None:
        written, clock_ms = entries_of(entry.delta), entry.delta.clock_ms
        if forgive:
            # Another definition version accepted them: the memory is right to know them.
            surplus = {key: written[key] for key in written.keys() - judged.keys()}
            self._verifier.seen.learn(surplus, clock_ms)
        elif text := difference(judged, written):
            self._ledger.report(Detail(Fault.CHANGELOG_IDS, entry.place, text))
        if clock_ms != self._clock_ms:
            text = f"clock {clock_ms}, and {self._clock_ms} by the log"
            self._ledger.report(Detail(Fault.CHANGELOG_CLOCK, entry.place, text))

    def _cross_loss(self, end: int) -> None:
        """Pass over what was judged before the memory was lost and the loss was accepted."""
        text = f"not proven before offset {end}: the memory was lost and its loss accepted"
        self._report(Fault.UNPROVEN, self._position, text)
        for _ in chain(self._until(end), self._rows.before(end)):
            pass
        self._verifier.seen.clear()
        self._verifier.recount.clear()
        self._position = self._first = end

    def _cross_gap(self, end: int) -> None:
        """Judge records that no changelog record covers; only outputs prove that they were."""
        start = self._position
        before = self._verifier.recount.consumed
        _, _, caused = self._judge(end, covered=False)
        silent = self._verifier.recount.consumed - before - caused
        if caused or not silent:
            text = f"no changelog record covers [{start}, {end})"
            self._report(Fault.CHANGELOG_GAP, start, text)
        if silent:
            text = f"{silent} records of [{start}, {end}) were committed and never judged"
            self._report(Fault.OFFSET_SKIPPED, start, text)
        self._position = end

    def _judge(self, end: int, *, covered: bool) -> tuple[Entries, int, int]:
        """Verify the records before `end`.

        Returns:
            Their keys; how many were judged by another definition; how many have outputs.
        """
        entries: Entries = {}
        foreign = caused = 0
        records = self._until(end)
        while chunk := list(islice(records, _CHUNK)):
            for read in self._said(chunk):
                self._clock_ms = read.clock_ms
                self._report_strays(read.record.offset, _NO_RECORD)
                found = self._rows.take(read.record.offset)
                foreign += any(output.foreign for output in found)
                caused += bool(found)
                entries |= self._verifier.verify(
                    read, found, covers_from_ms=self._covers_from_ms, covered=covered
                )
        return entries, foreign, caused

    def _said(self, records: Sequence[Record]) -> list[Read]:
        """Return what records say, by what was in force when they were judged."""
        return self._reader.read(
            records, self._clock_ms, partitions=self._partitions, revision=self._revision
        )

    def _until(self, end: int) -> Iterator[Record]:
        while (record := self._held or next(self._records, None)) is not None:
            self._held = record if record.offset >= end else None
            if self._held is not None:
                return
            yield record

    def _end(self) -> None:
        stop = self._span.stop
        if self._position < stop:
            self._cross_gap(stop)
        elif self._position > stop:
            text = f"the changelog ends at {self._position}, the group committed {stop}"
            self._report(Fault.CHANGELOG_END, stop, text)
        self._report_strays(stop, _NO_RECORD)
        for _ in self._rows.before(self._span.settled):
            pass  # judged while the audit was looking: the next one's
        self._report_strays(2**63 - 1, "its source lies beyond the committed offset")

    def _check_loss(self) -> None:
        committed, first = self._span.committed, self._span.first
        if committed is not None and committed < first:
            text = f"[{committed}, {first}) was removed by retention before it was judged"
            self._report(Fault.UNPROVEN, committed, text)

    def _check_beyond(self, entry: Entry | Switch) -> None:
        if entry.end > max(self._span.settled, self._span.stop):
            text = f"covers up to {entry.end}, the group committed {self._span.stop}"
            self._ledger.report(Detail(Fault.CHANGELOG_END, entry.place, text))

    def _report_strays(self, end: int, text: str) -> None:
        for stray in self._rows.before(end):
            source = Place(self._evidence.topic, self._partition, stray.source_offset)
            self._ledger.report(Detail(Fault.UNEXPECTED, source, text, stray.place))

    def _report(self, kind: Fault | Notice, offset: int, text: str) -> None:
        place = Place(self._evidence.topic, self._partition, offset)
        self._ledger.report(Detail(kind, place, text))
