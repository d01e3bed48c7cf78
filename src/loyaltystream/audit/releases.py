"""Framed Avro in, whether an older release of its schema wrote it out. Does I/O where it asks.

An audit behind an upgrade derives what this release writes; what the one before it wrote lacks the
fields that came since.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from loyaltystream.audit.stamp import Stamp, checksum
from loyaltystream.avro.schemas import Schema
from loyaltystream.avro.wire import schema_id_of
from loyaltystream.verdicts import Violation

_OLDER: Final = b"an older release"

IsOlder = Callable[[str, bytes | None], bool]
"""Says whether a value of a topic is of an older release."""


def none_is_older(_topic: str, _value: bytes | None) -> bool:
    """Say that everything is of this release."""
    return False


def stamp_older(key: bytes | None) -> Stamp:
    """Return the stamp of an output of an older release: of its content only the key counts."""
    return Stamp(checksum(key), 0, _OLDER)


def is_stamped_older(stamp: Stamp) -> bool:
    """Say whether a stamp is of an output of an older release."""
    return stamp.whole == _OLDER


class Releases:
    """Tells releases by the schemas' ids, and asks for each id once.

    Args:
        written: each topic with a schema that this release writes it with.
        id_of: gives the id of a schema on a topic.
        writer_of: gives the schema of an id.
    """

    def __init__(
        self,
        written: Iterable[tuple[str, Schema]],
        *,
        id_of: Callable[[str, Schema], int | None],
        writer_of: Callable[[int], Mapping[str, Any] | None],
    ) -> None:
        self._ours = {(topic, schema["name"]): schema for topic, schema in written}
        self._topics = {topic for topic, _ in self._ours}
        self._id_of = id_of
        self._writer_of = writer_of
        self._known: dict[tuple[str, int], bool] = {}

    def is_older(self, topic: str, value: bytes | None) -> bool:
        """Say whether a value is of a schema that this release has another version of."""
        if value is None or topic not in self._topics:
            return False
        found = schema_id_of(value)
        if isinstance(found, Violation):
            return False
        known = self._known.get((topic, found))
        if known is None:
            known = self._known[topic, found] = self._look(topic, found)
        return known

    def _look(self, topic: str, schema_id: int) -> bool:
        writer = self._writer_of(schema_id)
        ours = None if writer is None else self._ours.get((topic, writer["name"]))
        return ours is not None and self._id_of(topic, ours) != schema_id
