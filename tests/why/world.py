"""The audit's small deployment with both stages, and what `why` says of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from loyaltystream.avro import schemas
from loyaltystream.avro.dead_letter import LetterEncoder
from loyaltystream.avro.event_reader import EventReader
from loyaltystream.avro.schemas import Schema
from loyaltystream.backfill.claim import ImportSigner, either
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.keys import murmur2, place
from loyaltystream.letters.letter import LetterReader
from loyaltystream.letters.signing import Signer
from loyaltystream.masking import mask_key
from loyaltystream.notifications.catalog import SCHEMAS
from loyaltystream.notify import Notify
from loyaltystream.rules import Rules
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.sending import Keyer
from loyaltystream.topology import Output
from loyaltystream.why.arrivals import ShowKey
from loyaltystream.why.asking import Why
from loyaltystream.why.sightings import Searched
from tests.audit.world import PARTITIONS, MemoryLog, World, fill, viewed
from tests.core import (
    CUSTOMER,
    EVENT_SCHEMA_ID,
    IDENTITY,
    LETTER_SCHEMA_ID,
    SHOP,
    TOPICS,
    define,
    field,
    layout,
)

SCHEMA_IDS: Final = {name: 20 + position for position, name in enumerate(SCHEMAS)}
SIGNER: Final = Signer("a secret of sixteen or more")
IMPORTS: Final = ImportSigner("a secret of sixteen or more")
BOUGHT: Final = define(
    {
        "eventName": "basketBought",
        "actions": ["EMFConsumer"],
        "fields": [CUSTOMER, field("amount", "double"), field("basket", "json")],
        "notifications": [
            {
                "type": "transactionAdded",
                "data": {
                    "transactionId": {"const": 7},
                    "billNumber": "eventId",
                    "amount": "fields.amount",
                    "billType": {"const": "REGULAR"},
                    "lineItemCount": "nested.basket.count",
                },
            }
        ],
    }
)
DEFINED: Final = (*SHOP, BOUGHT)


def writer_schema(schema_id: int) -> Schema | None:
    """Answer as a registry that knows the schemas of events and of letters."""
    names = {EVENT_SCHEMA_ID: schemas.BEHAVIORAL_EVENT, LETTER_SCHEMA_ID: schemas.DEAD_LETTER}
    return schemas.load(names[schema_id]) if schema_id in names else None


class SearchedLog:
    """A log in memory, as a searcher reads it."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.reads = 0

    def bounds(self, topics: Sequence[str]) -> dict[str, dict[int, tuple[int, int]]]:
        return {topic: dict(self._log.settled_bounds(topic)) for topic in topics}

    def scan(
        self, spans: Sequence[tuple[str, int, int, int]], wants: Callable[[str, bytes], bool]
    ) -> Iterator[tuple[str, Record]]:
        for topic, partition, start, end in spans:
            for record in self._log.records(topic, partition, start, end):
                if wants(topic, record.value or b""):
                    yield topic, record

    def records(self, topic: str, partition: int, start: int, end: int) -> Iterator[Record]:
        for record in self._log.records(topic, partition, start, end):
            self.reads += 1
            yield record


class Town(World):
    """A world whose second stage works as well."""

    def __init__(self) -> None:
        rules = Rules(
            waiver_of=either(SIGNER.waiver_of, IMPORTS.waiver_of),
            resending_of=SIGNER.resending_of,
        )
        super().__init__(rules, Definitions(DEFINED, EVENT_SCHEMA_ID))
        self.notifier = self._notifier(self.ring)

    def seal(self, ring: KeyRing) -> None:
        super().seal(ring)
        self.notifier = self._notifier(ring)

    def derive(self, records: Sequence[Record]) -> list[Output]:
        """Return what NOTIFY makes of records, nothing of it sealed: for audits."""
        notify = self._notifier(NO_KEYS)
        return notify.plan(records, definitions=self.definitions, generation=0).outputs

    def _notifier(self, ring: KeyRing) -> Notify:
        limit = self.rules.max_record_bytes
        return Notify(
            TOPICS,
            letters=LetterEncoder("notify", LETTER_SCHEMA_ID, limit, ring=ring),
            schema_ids=SCHEMA_IDS,
            writer_schema=writer_schema,
            rules=self.rules,
        )

    def notify(self) -> None:
        """Let NOTIFY do all that is there."""
        done = self.log.offsets.setdefault(("notify", TOPICS.emf), {})
        for partition in range(PARTITIONS):
            records = list(self.log.records(TOPICS.emf, partition, done.get(partition, 0), 2**62))
            if not records:
                continue
            plan = self.notifier.plan(records, definitions=self.definitions, generation=2)
            for output in plan.outputs:
                keyed = int(place(murmur2([output.key or b""]), PARTITIONS)[0])
                where = keyed if output.partition is None else output.partition
                self.now_ms += 1
                written = Record(
                    where, 0, self.now_ms, output.key, output.value, list(output.headers)
                )
                self.log.append(output.topic, written)
            done[partition] = plan.next_offset

    def why(
        self,
        definitions: Sequence[EventDefinition] = DEFINED,
        log: SearchedLog | None = None,
        show_key: ShowKey = mask_key,
    ) -> Why:
        """Return what answers questions about this world."""
        return Why(
            Searched(
                log=log or SearchedLog(self.log),
                topics=TOPICS,
                layout=layout(self.partitions),
                identity=IDENTITY,
                letters=LetterReader(writer_schema, self.ring),
                definitions={(found.org_id, found.event_name): found for found in definitions},
                keyer=Keyer(definitions, self.rules),
                signer=SIGNER,
                imports=IMPORTS,
            ),
            reader=EventReader(writer_schema),
            notified_to=lambda: self.committed("notify", TOPICS.emf),
            show_key=show_key,
        )

    def committed(self, group: str, topic: str) -> Mapping[int, int]:
        return self.log.committed(group, topic)


def lively() -> Town:
    """Return a town in which every verdict has been given, and every outcome of NOTIFY."""
    return fill(Town())


def bought(number: int, **fields: Any) -> dict[str, Any]:
    """Return an event that causes a notification."""
    return viewed(number, eventName=BOUGHT.event_name, fields={"amount": 5} | fields)
