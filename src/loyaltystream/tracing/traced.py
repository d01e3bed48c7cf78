"""What is known of a traced record once its batch is planned. Pure."""

from collections.abc import Callable, Container, Mapping, Sequence

import msgspec

from loyaltystream.events import Record
from loyaltystream.steps.stages import Rejected
from loyaltystream.tracing.context import Parent

Sample = Callable[[Sequence[Record]], Mapping[int, Parent]]
"""Returns what the spans of those records belong to that are traced, by offset."""

EventName = tuple[int, str]
Defined = Container[EventName]
"""Org and name of the events in force: what others call themselves may be anything."""


class Caused(msgspec.Struct, frozen=True, gc=False):
    """A notification that a traced event caused."""

    notification_id: str
    type: str


class Traced(msgspec.Struct, frozen=True, gc=False):
    """What becomes of a traced record, if its transaction commits.

    Attributes:
        timestamp_ms: when the broker appended it.
        parent: what its span belongs to.
        outcome: its verdict, or the outcome of NOTIFY.
        reasons: why it was not simply accepted.
        event: org and name of its event, where they are of one in force.
    """

    partition: int
    offset: int
    timestamp_ms: int
    parent: Parent
    outcome: str
    reasons: Sequence[str] = ()
    event: tuple[int, str] | None = None
    caused: Sequence[Caused] = ()


class Sampled:
    """The traced records of one batch.

    Args:
        parents: what their spans belong to, by offset.
        defined: the events in force.

    Attributes:
        parents: likewise.
    """

    def __init__(self, parents: Mapping[int, Parent], defined: Defined) -> None:
        self.parents = parents
        self._defined = defined

    def of(
        self,
        record: Record,
        outcome: str,
        *,
        event: tuple[int | None, str | None] = (None, None),
        reasons: Sequence[str] = (),
        caused: Sequence[Caused] = (),
    ) -> Traced:
        """Return what became of a record that is traced."""
        org_id, name = event
        named = (org_id, name) if org_id is not None and name is not None else None
        return Traced(
            record.partition,
            record.offset,
            record.timestamp_ms,
            self.parents[record.offset],
            outcome,
            reasons,
            named if named in self._defined else None,
            caused,
        )

    def of_rejected(self, rejected: Rejected, outcome: str) -> Traced:
        """Return what became of a record that is a dead letter."""
        return self.of(
            rejected.record,
            outcome,
            event=(rejected.org_id, rejected.event_name),
            reasons=sorted({found.reason.value for found in rejected.violations}),
        )
