"""Verdicts in, records to be written out: every event to exactly the topics it is due. Pure."""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from loyaltystream.definitions.model import Action
from loyaltystream.events import (
    IMPORT_HEADER,
    QUIET_HEADER,
    TRACE_HEADER,
    Header,
    Record,
    ValidEvent,
    Waiver,
)
from loyaltystream.memo import Memo
from loyaltystream.steps.stages import Deduped, Duplicate, Rejected, Rekeyed
from loyaltystream.topology import Output, SourceHeaders, Topics
from loyaltystream.verdicts import Verdict

_LONGEST_TRACE: Final = 256
"""W3C's trace context has 55 bytes; what is far longer is none, and might not fit."""

_LATE: Final = ("late", b"true")


class Letters(Protocol):
    """Encodes dead letters."""

    def encode(self, rejected: Rejected) -> bytes:
        """Return the value of the dead letter."""

    def key(self, record: Record) -> bytes | None:
        """Return the key of the letter about a record."""


class Router:
    """Writes the records of one partition's verdicts.

    Args:
        topics: where each verdict goes.
        sources: makes the `src` header.
        letters: encodes what is rejected.
        partition: the input partition; its events and letters keep it, since every topic that is
            keyed alike has as many partitions as the ingest topic.
    """

    def __init__(
        self, topics: Topics, sources: SourceHeaders, letters: Letters, partition: int
    ) -> None:
        self._topics = topics
        of_action = {Action.EMF: topics.emf, Action.EI: topics.ei}
        self._due: Memo[tuple[Action, ...], list[str]] = Memo(
            lambda actions: [of_action[action] for action in actions]
        )
        self._sources = sources
        self._letters = letters
        self._partition = partition

    def outputs(self, deduped: Deduped, dead: Sequence[Rejected], rekeyed: Rekeyed) -> list[Output]:
        """Return the records of all verdicts; `dead` has every rejection, the dedup step's too."""
        return [
            *self.accepted(deduped.accepted, deduped.late),
            *self.duplicates(deduped.duplicates),
            *self.dead_letters(dead),
            *self.astray(rekeyed),
        ]

    def accepted(self, events: Sequence[ValidEvent], late: set[int]) -> list[Output]:
        """Return each event's records: its Avro value, to every topic among its actions.

        Args:
            events: never seen before.
            late: offsets of those that are older than the memory.
        """
        partition, outputs = self._partition, list[Output]()
        start, end = self._sources.start, self._sources.end
        for event in events:
            record, key, value = event.record, event.key, event.value
            offset = record.offset
            for index, topic in enumerate(self._due[event.definition.actions]):
                # As `SourceHeaders.header` has it, without a call for each record.
                headers = [("src", f"{start}{offset}/{index}{end}".encode())]
                if late and offset in late:
                    headers.append(_LATE)
                if record.headers:
                    headers += [*_import_of(event.waiver), *trace_of(record)]
                outputs.append(Output(topic, key, value, partition, headers))
        return outputs

    def duplicates(self, events: Sequence[Duplicate]) -> Iterator[Output]:
        """Yield each resend as it came, with the key that tells in its headers."""
        for duplicate in events:
            record = duplicate.event.record
            headers = [
                self._sources.header(record.offset, 0),
                ("verdict", Verdict.DUPLICATE.encode()),
                ("reason", duplicate.reason.encode()),
                ("key-kind", duplicate.key_kind.encode()),
                ("key", duplicate.key_text.encode()),
                *trace_of(record),
            ]
            yield self._as_it_came(self._topics.duplicates, record, headers)

    def dead_letters(self, records: Sequence[Rejected]) -> Iterator[Output]:
        """Yield a letter for each rejected record."""
        for rejected in records:
            record = rejected.record
            headers = [
                self._sources.header(record.offset, 0),
                ("verdict", rejected.verdict.encode()),
                ("reason", rejected.violations[0].reason.encode()),
                *trace_of(record),
            ]
            key, letter = self._letters.key(record), self._letters.encode(rejected)
            yield Output(self._topics.dead_letter, key, letter, self._partition, headers)

    def astray(self, rekeyed: Rekeyed) -> Iterator[Output]:
        """Yield each astray event under its own key, its first arrival kept in a header."""
        for event, home in rekeyed.astray:
            record = event.record
            ours = [self._sources.header(record.offset, 0), event.origin.to_header()]
            named = {name for name, _ in ours}
            theirs = [header for header in record.headers if header[0] not in named]
            yield Output(self._topics.ingest, event.key, record.value, home, [*ours, *theirs])

    def _as_it_came(self, topic: str, record: Record, headers: list[Header]) -> Output:
        return Output(topic, record.key, record.value, self._partition, headers)


def _import_of(waiver: Waiver | None) -> Iterator[Header]:
    """Yield the headers that say which import an event came by, and whether it shall be quiet."""
    if waiver is not None and (claim := waiver.imported) is not None:
        yield IMPORT_HEADER, claim.import_id.encode()
        if claim.quiet:
            yield QUIET_HEADER, b"true"


def trace_of(record: Record) -> tuple[Header, ...]:
    """Return the header that passes a record's trace on, if it has one."""
    if not record.headers or not (trace := record.header(TRACE_HEADER)):
        return ()
    return ((TRACE_HEADER, trace),) if len(trace) <= _LONGEST_TRACE else ()
