"""The second stage: what accepted events cause, from `EMFConsumer` to `loyalty-notifications`.

Pure, but for the port that asks for schemas. The runner sends the plan in one transaction with the
input's offsets; the input is unique, so this stage remembers nothing.
"""

from collections.abc import Iterator, Mapping, Sequence

from loyaltystream.avro.compiled import load_encoder
from loyaltystream.avro.event_reader import EventReader, WriterSchemas
from loyaltystream.avro.wire import frame
from loyaltystream.definitions.registry import Definitions
from loyaltystream.errors import ConfigurationError
from loyaltystream.events import IMPORT_HEADER, Header, Record
from loyaltystream.notifications.catalog import SCHEMAS
from loyaltystream.notifications.envelope import cloud_event_headers
from loyaltystream.notifications.program import Notification
from loyaltystream.pipeline import Plan, count_appended, count_reasons
from loyaltystream.rules import Rules
from loyaltystream.steps.notify import Encoded, NotifiedBatch, Notifier
from loyaltystream.steps.route import Letters, Router, trace_of
from loyaltystream.topology import Output, SourceHeaders, Topics
from loyaltystream.tracing.notified import TraceNotified, unnotified
from loyaltystream.verdicts import NotifyOutcome, Tally


class Notify:
    """Turns accepted events into notifications.

    Args:
        topics: where events are read from, and where notifications and letters go.
        letters: encodes dead letters of stage `notify`.
        schema_ids: the registry's id of each of `SCHEMAS`.
        writer_schema: gives the schema that an event was written with.
        rules: how large a record may be.
        trace: traces records.

    Raises:
        ConfigurationError: if a schema's id is missing.
    """

    def __init__(  # noqa: PLR0913 (what mapping depends on, put together in one place)
        self,
        topics: Topics,
        *,
        letters: Letters,
        schema_ids: Mapping[str, int],
        writer_schema: WriterSchemas,
        rules: Rules,
        trace: TraceNotified = unnotified,
    ) -> None:
        if missing := sorted(set(SCHEMAS) - schema_ids.keys()):
            raise ConfigurationError(f"no schema id for {', '.join(missing)}; register them first")
        self._topics = topics
        self._letters = letters
        self._encoders = {name: (frame(schema_ids[name]), load_encoder(name)) for name in SCHEMAS}
        self._reader = EventReader(writer_schema)
        self._rules = rules
        self._trace = trace

    def plan(self, records: Sequence[Record], *, definitions: Definitions, generation: int) -> Plan:
        """Return the plan for records of one partition, in offset order, at least one.

        Args:
            records: of `EMFConsumer`, from the first that is not done on.
            definitions: the view that all of them are mapped by.
            generation: of the consumer group that they were read in.

        Raises:
            SchemaError: if the registry's answer is of no use; whatever the port raises.
        """
        partition = records[0].partition
        notifier = Notifier(
            topic=self._topics.emf,
            definitions=definitions,
            read=self._reader.read,
            encode=self._encode,
            max_record_bytes=self._rules.max_record_bytes,
            resending_of=self._rules.resending_of,
        )
        batch = notifier.notify(records)
        sources = SourceHeaders(self._topics.emf, partition, generation)
        router = Router(self._topics, sources, self._letters, partition)
        return Plan(
            partition=partition,
            next_offset=records[-1].offset + 1,
            outputs=[
                *self._notifications(batch, sources),
                *router.dead_letters(batch.rejected),
            ],
            tally=_count(records, batch),
            traced=self._trace(records, batch, self._reader.read, definitions.by_name),
        )

    def _encode(self, notification: Notification) -> Encoded:
        head, encode = self._encoders[notification.type.schema]
        value = notification.value
        headers = cloud_event_headers(
            event_id=value["eventId"],
            event_name=value["eventName"],
            org_id=value["orgId"],
            created_at_ms=value["createdAt"],
        )
        headers += notification.causes
        return Encoded(notification.key, head + encode(value), headers, notification.type.name)

    def _notifications(self, batch: NotifiedBatch, sources: SourceHeaders) -> Iterator[Output]:
        topic = self._topics.notifications
        for record, notifications in batch.notified:
            for index, made in enumerate(notifications):
                cause = sources.header(record.offset, index)
                headers = [cause, *made.headers, *_import_of(record), *trace_of(record)]
                yield Output(topic, made.key, made.value, None, headers)


def _import_of(record: Record) -> tuple[Header, ...]:
    """Return the header that says which import a cause came by, if it did."""
    if len(record.headers) == 1 or not (import_id := record.header(IMPORT_HEADER)):
        return ()
    return ((IMPORT_HEADER, import_id),)


def _count(records: Sequence[Record], batch: NotifiedBatch) -> Tally:
    tally = Tally(appended=count_appended(records))
    tally.outcomes[NotifyOutcome.NOTIFIED] += len(batch.notified)
    tally.outcomes[NotifyOutcome.SILENT] += len(batch.silent)
    tally.outcomes[NotifyOutcome.UNMAPPED] += len(batch.rejected)
    tally.outcomes[NotifyOutcome.TOMBSTONE] += len(batch.tombstones)
    for _, notifications in batch.notified:
        for made in notifications:
            tally.notifications[made.type] += 1
    for rejected in batch.rejected:
        count_reasons(tally, rejected)
    return tally
