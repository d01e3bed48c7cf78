"""A subscriber without a broker: notifications in, what their reactions made of them out.

Does no I/O: broker and registry are in memory, and the clock jumps to the next attempt. Records are
encoded and decoded as the real ones are, and the work on them is the subscriber's own.
"""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import uuid4

from loyaltystream.avro import schemas
from loyaltystream.avro.schemas import NOTIFICATION_NAMESPACE, Schema
from loyaltystream.avro.wire import frame
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.events import TYPE_HEADER, Header, Record
from loyaltystream.subscriber.desk import Desk
from loyaltystream.subscriber.lanes import Lanes
from loyaltystream.subscriber.outcomes import Delayed, Tally
from loyaltystream.subscriber.reactions import Calling, Reactions, plainly
from loyaltystream.subscriber.records import TYPES, Notification
from loyaltystream.subscriber.subscription import Subscription
from loyaltystream.subscriber.window import Seen, Window
from loyaltystream.testing import MemoryBroker, MemoryFeed, MemoryLetterbox
from loyaltystream.topology import Output

Kind = TypeVar("Kind", bound=Notification)

SUBSCRIPTION: Final = Subscription(group="rehearsal", dead_letter_topic="rehearsal.dead-letter")
CREATED_AT: Final = datetime(2026, 1, 31, 8, tzinfo=UTC)

_SCHEMA_IDS: Final = {name: 1 + position for position, name in enumerate(TYPES)}
_LIMIT_S: Final = 3_600.0


def example(kind: type[Kind], **fields: Any) -> Kind:  # noqa: ANN401 (the type's own fields)
    """Return a notification of a type: of org 1800, with an id of its own, and these fields."""
    told = {"eventId": str(uuid4()), "orgId": 1800, "createdAt": CREATED_AT, **fields}
    return kind(**told)


def encode(notification: Notification) -> bytes:
    """Return a notification as it lies on the topic, under this room's own schema ids."""
    name = f"{NOTIFICATION_NAMESPACE}.{type(notification).__name__}"
    return frame(_SCHEMA_IDS[name]) + schemas.encode(schemas.load(name), asdict(notification))


class MemoryWriters:
    """A registry that knows the schemas of all notifications.

    Attributes:
        away: raised instead of an answer, as while no registry is there.
        known: the schemas by their ids; empty it, and it is a registry that forgot everything.
    """

    def __init__(self) -> None:
        self.away: LoyaltyStreamError | None = None
        self.known: dict[int, Schema] = {
            number: schemas.load(name) for name, number in _SCHEMA_IDS.items()
        }

    def writer_schema(self, schema_id: int) -> Schema | None:
        """Return the schema of an id, or None."""
        if self.away is not None:
            raise self.away
        return self.known.get(schema_id)

    def forget(self) -> None:
        """Ask anew, as always here."""


class Rehearsal:
    """A topic, a group of one member, and the reactions that are tried.

    Args:
        reactions: the subscriber's own.
        subscription: attempts, pauses and the like; what it says of addresses is not used.
        seen: the subscriber's store of handled ids, if it has one of its own.
        calling: calls one of the functions, as the subscriber's own does.

    Attributes:
        tally: what became of the records since the last start.
        delays: every time that a record had to wait, and why.
        writers: the registry, to be taken away, or emptied.
        letterbox: to be taken away.
    """

    def __init__(
        self,
        reactions: Reactions,
        *,
        subscription: Subscription = SUBSCRIPTION,
        seen: Seen | None = None,
        calling: Calling = plainly,
        partitions: int = 3,
    ) -> None:
        self._subscription, self._reactions, self._seen = subscription, reactions, seen
        self._calling = calling
        letters = subscription.dead_letter_topic
        topics = {subscription.topic: partitions, **({letters: 1} if letters else {})}
        self._broker = MemoryBroker(topics, now_ms=0)
        self.writers = MemoryWriters()
        self.letterbox = MemoryLetterbox(self._broker, letters) if letters else None
        self.delays: list[Delayed] = []
        self._now_s = 0.0
        self._start()

    def send(self, notification: Notification, *, key: bytes = b"1800|50000017") -> None:
        """Put a notification on the topic, as NOTIFY does; equal keys keep their order."""
        name = f"{NOTIFICATION_NAMESPACE}.{notification.eventName}"
        headers = [(TYPE_HEADER, name.encode())]
        self.send_record(encode(notification), key=key, headers=headers)

    def send_record(
        self, value: bytes | None, *, key: bytes | None = None, headers: Sequence[Header] = ()
    ) -> None:
        """Put anything on the topic."""
        record = Output(self._subscription.topic, key, value, None, list(headers))
        self._broker.write(record, None)

    def run(self, limit_s: float = _LIMIT_S) -> Tally:
        """Work until nothing is left, or only what still waits beyond that time; commit; count.

        Raises:
            ReactionError: as the subscriber does, if there is no topic for dead letters.
        """
        deadline_s = self._now_s + limit_s
        try:
            while True:
                self._lanes.take(self._feed.poll(self._lanes.full()))
                while (work := self._lanes.next(self._now_s)) is not None:
                    result = self._desk.treat(work)
                    if isinstance(result, Delayed):
                        self.delays.append(result)
                    self._lanes.settle(work, result, self._now_s)
                    self.tally.note(result)
                due_s = self._lanes.due_s()
                if due_s is None or due_s > deadline_s:
                    return self.tally
                self._now_s = due_s
        finally:
            self._feed.store(self._lanes.unstored())
            self._lanes.note_stored(self._lanes.unstored())

    def restart(self) -> None:
        """Go on as a new process does: it knows what is committed, and the ids that `seen` has."""
        self._feed.close()
        self._start()

    def again(self) -> None:
        """Go on as a new process does that nothing was committed for: every record comes again."""
        self._feed.close()
        self._group.offsets.clear()
        self._start()

    @property
    def committed(self) -> dict[int, int]:
        """The group's offsets, by partition."""
        return dict(self._group.offsets)

    @property
    def letters(self) -> list[Record]:
        """The dead letters."""
        topic = self._subscription.dead_letter_topic
        return [] if topic is None else [*self._broker.records(topic, 0)]

    def _start(self) -> None:
        told = self._subscription
        self._group = self._broker.group(told.group, told.topic)
        self._lanes, self.tally = Lanes(), Tally()
        self._desk = Desk(
            told,
            self._reactions,
            seen=Window() if self._seen is None else self._seen,
            writers=self.writers,
            letterbox=self.letterbox,
            calling=self._calling,
        )
        self._feed = MemoryFeed(
            self._broker, topic=told.topic, group=told.group, member="one", start=told.start
        )
        self._feed.join(self._lanes.unstored)
