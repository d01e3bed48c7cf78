"""Lines of a file in, records for the ingest topic out: each as its bytes, under its event's key.

Pure but for what it is given: a stream to read, a channel to write to, a clock. A line is sent
whatever it holds, since a bad event has to become a dead letter rather than vanish here.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol

import msgspec

from loyaltystream.definitions.customers import customers_by_kind
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.dialects import canonical, reading
from loyaltystream.dialects.sources import Dialect
from loyaltystream.dialects.strict_json import ANY_SIZE
from loyaltystream.events import Header, Origin, RawEvent, Record
from loyaltystream.keys import event_key, normalise_identifier, partition_key
from loyaltystream.memo import Memo
from loyaltystream.partitioning import PartitionBy
from loyaltystream.rules import Rules
from loyaltystream.steps.stages import HEADER_ALLOWANCE
from loyaltystream.verdicts import Reason, Violation

_PIECE_BYTES: Final = 65_536
_CATCH_UP_S: Final = 0.05
_MAX_KEPT: Final = 256
"""Keys are remembered by what names the customer, so that a long one would cost memory."""

_NOWHERE: Final = Origin("", 0, 0, 0)


class Stream(Protocol):
    """Bytes that come line by line: an open file, or standard input."""

    def readline(self, limit: int = -1, /) -> bytes:
        """Return the next line with its end, at most `limit` bytes of it; b"" after the last."""


class Channel(Protocol):
    """Takes records for one topic, as `kafka.sending.Sender` does."""

    def send(self, value: bytes | None, key: bytes | None, headers: Sequence[Header]) -> None:
        """Take one record."""


class Line(msgspec.Struct, frozen=True):
    """One line of the input.

    Attributes:
        number: its place, from 1.
        size: its bytes in the input, the line's end included.
        value: its bytes without the line's end; None if there were too many to keep.
    """

    number: int
    size: int
    value: bytes | None


class Posted(msgspec.Struct):
    """What became of the lines so far.

    Attributes:
        read_bytes: how much of the input was read.
        sent: records that the broker has.
        without_key: records whose key could not be told; they are among the sent ones.
        too_large: numbers of the lines that no record can hold; they were not sent.
    """

    read_bytes: int = 0
    sent: int = 0
    without_key: int = 0
    too_large: list[int] = msgspec.field(default_factory=list)

    def delivered(self) -> None:
        """Count a record that the broker has."""
        self.sent += 1


class Named(Protocol):
    """One way to name a customer."""

    @property
    def type(self) -> str:
        """Its kind, in any case."""

    @property
    def value(self) -> str:
        """As it was sent."""


class Keyer:
    """Tells the key that the pipeline would give an event.

    Args:
        definitions: which identifier names the customer, by org and event name.
        rules: how large an event may be, each org's country code, and whose events are whose.
        headers: of every record; they may name dialect and source.
    """

    def __init__(
        self, definitions: Iterable[EventDefinition], rules: Rules, headers: Sequence[Header] = ()
    ) -> None:
        self._definitions = {(found.org_id, found.event_name): found for found in definitions}
        self._customers = customers_by_kind()
        self._keys = Memo(self._make_key)
        self._rules = rules
        self._any_size = msgspec.structs.replace(rules, max_event_bytes=ANY_SIZE)
        self.headers = headers

    def key(self, value: bytes, headers: Sequence[Header] | None = None) -> bytes | None:
        """Return `orgId|identifierType|value`, or None if it can't be told.

        Where events are placed by their ids, it is `orgId|eventId`.

        Args:
            value: the event's bytes.
            headers: of its record; None: those that all have.
        """
        record = Record(0, 0, -1, None, value, self.headers if headers is None else headers)
        told = reading.told_dialect(record, self._rules.dialects)
        by_customer = self._rules.partition_by is PartitionBy.CUSTOMER
        usual = by_customer and told in {None, Dialect.CANONICAL}
        event = canonical.read_plain(value) if usual else None
        if event is not None:
            definition = self.find(event.orgId, event.eventName)
            if definition is None:
                return None
            needed = definition.customer.identifier_type
            country_code = self._rules.country_codes.get(event.orgId, "")
            customers = self._customers[event.orgId, needed][country_code]
            if (found := customers[bytes(event.customer)]) is not None:
                return found.key_bytes
        read = reading.read(record, _NOWHERE, find=self.find, rules=self._rules)
        if isinstance(read, Violation) or any(found.path == "orgId" for found in read[1]):
            return None
        return self.key_of(self._named(record, read[0]))

    def key_of(self, event: RawEvent) -> bytes | None:
        """Return the key of an event that was read, or None if it can't be told."""
        return self.key_for(event.org_id, event.event_name, event.event_id, event.identifiers)

    def key_for(
        self, org_id: int, event_name: str, event_id: str, identifiers: Iterable[Named]
    ) -> bytes | None:
        """Return the key of what was read of an event, or None if it can't be told."""
        if self._rules.partition_by is not PartitionBy.CUSTOMER:
            return event_key(org_id, event_id) if event_id else None
        if (definition := self.find(org_id, event_name)) is None:
            return None
        needed = definition.customer.identifier_type
        for known in identifiers:
            if known.value and known.type.lower() == needed.lower():
                named = org_id, needed, known.value
                is_short = len(known.value) <= _MAX_KEPT
                key = self._keys[named] if is_short else self._make_key(named)
                if key is not None:
                    return key
        return None

    def read(self, record: Record) -> RawEvent | None:
        """Return the event in a record, however large, as far as it can be read; or None."""
        read = reading.read(record, _NOWHERE, find=self.find, rules=self._any_size)
        return None if isinstance(read, Violation) else self._named(record, read[0])

    def find(self, org_id: int, event_name: str) -> EventDefinition | None:
        """Return the definition of that name in that org, or None."""
        return self._definitions.get((org_id, event_name))

    def _named(self, record: Record, event: RawEvent) -> RawEvent:
        """Return an event under the id that it goes by: a released one has another than its own."""
        waiver = self._rules.waiver_of(record)
        return event if waiver is None else waiver.named(event)

    def _make_key(self, named: tuple[int, str, str]) -> bytes | None:
        org_id, needed, value = named
        country_code = self._rules.country_codes.get(org_id, "")
        text = normalise_identifier(needed, value, country_code)
        return None if isinstance(text, Reason) else partition_key(org_id, needed, text).encode()


class Pace:
    """Lets so many records a second pass; after a pause it does not make up for it.

    Args:
        per_second: how many.
        clock: seconds that only grow.
        sleep: waits so many seconds.
    """

    def __init__(
        self, per_second: float, *, clock: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        self._step_s = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._due_s = clock()

    def wait(self) -> None:
        """Wait until the next record is due."""
        now_s = self._clock()
        if self._due_s > now_s:
            self._sleep(self._due_s - now_s)
        # A sleep lasts longer than asked for: so much of it is made up for.
        self._due_s = max(self._due_s, now_s - _CATCH_UP_S) + self._step_s


def lines(stream: Stream, *, max_bytes: int) -> Iterator[Line]:
    """Yield the lines that are not blank, each with at most `max_bytes`; longer ones without."""
    number = 0
    while start := stream.readline(max_bytes + 2):
        number += 1
        end, size = start, len(start)
        while not end.endswith(b"\n") and (end := stream.readline(_PIECE_BYTES)):
            size += len(end)
        value = start.removesuffix(b"\n").removesuffix(b"\r")
        if len(value) > max_bytes or size > len(start):
            yield Line(number, size, None)
        elif value.strip():
            yield Line(number, size, value)


def post(
    found: Iterable[Line],
    channel: Channel,
    *,
    keyer: Keyer,
    posted: Posted,
    passed: Callable[[], None],
) -> None:
    """Send every line that a record can hold, in order, noting in `posted` what became of it.

    Args:
        found: what is to be sent.
        channel: where to; it counts what was delivered.
        keyer: tells each line's key, and the headers of all.
        posted: the counts, changed line by line.
        passed: called after each line.

    Raises:
        BrokerError: if the channel fails.
    """
    for line in found:
        posted.read_bytes += line.size
        if line.value is None:
            posted.too_large.append(line.number)
        else:
            key = keyer.key(line.value)
            channel.send(line.value, key, keyer.headers)
            posted.without_key += key is None
        passed()


def largest_value(rules: Rules) -> int:
    """Return how many bytes a line may have: what the ingest topic takes, less room for a key."""
    return rules.max_record_bytes - HEADER_ALLOWANCE
