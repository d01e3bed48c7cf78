"""Spans to be held against: what is taken, and the records that it is of."""

from collections.abc import Sequence
from typing import Any, Final

from loyaltystream.events import Header
from loyaltystream.tracing.context import Context, Parent, write_traceparent
from loyaltystream.tracing.spans import Span, Work
from tests.core import TOPICS

PRODUCER: Final = Parent(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7)
TRACED: Final[Header] = (
    "traceparent",
    write_traceparent(Context(PRODUCER, is_sampled=True)),
)
UNTRACED: Final[Header] = (
    "traceparent",
    write_traceparent(Context(PRODUCER, is_sampled=False)),
)
INGEST: Final = Work("ingest", TOPICS.ingest, "shop.ingest", TOPICS.notifications)
NOTIFY: Final = Work("notify", TOPICS.emf, "shop.notify", TOPICS.notifications)


class Taken:
    """Keeps spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.closed = 0

    def take(self, spans: Sequence[Span]) -> None:
        """Keep them."""
        self.spans += spans

    def close(self) -> None:
        """Note that it was asked for."""
        self.closed += 1

    def told(self, name: str) -> list[Any]:
        """Return an attribute of each span, in the order in which they came."""
        return [span.attributes.get(name) for span in self.spans]
