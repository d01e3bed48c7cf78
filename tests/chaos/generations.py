"""How often a broker began to count a group's generations anew. Does I/O: one reader.

Kafka 4.2.0, killed and started again, has answered from a coordinator that had loaded nothing of
its log ("out of sync with the underlying log"), and had by then written that the group is empty, as
of generation 0. It loads again within seconds, and offsets are told as before; generations go on
from that 0. So an owner's number may fall without any zombie, and the group's own log says where.
"""

import struct
from itertools import pairwise
from typing import Final

from confluent_kafka import Consumer, KafkaError, TopicPartition

_TOPIC: Final = "__consumer_offsets"
_GROUP_METADATA: Final = 2  # the version of a key that holds a group, not an offset
_SHORT: Final = struct.Struct(">h")
_GENERATION: Final = struct.Struct(">i")
_TIMEOUT_S: Final = 10.0


def beginnings(bootstrap: str, group: str) -> int:
    """Return how often a group's generation fell.

    Raises:
        TimeoutError: if the broker falls silent before the end.
    """
    key = _SHORT.pack(_GROUP_METADATA) + _SHORT.pack(len(group.encode())) + group.encode()
    generations = [_generation(value) for value in _values(bootstrap, key)]
    return sum(later < earlier for earlier, later in pairwise(generations))


def _generation(value: bytes) -> int:
    """Return a group's generation: behind the value's version and the protocol's type."""
    (length,) = _SHORT.unpack_from(value, _SHORT.size)
    (generation,) = _GENERATION.unpack_from(value, 2 * _SHORT.size + max(length, 0))
    return int(generation)


def _values(bootstrap: str, key: bytes) -> list[bytes]:
    """Return what was written under a key of the groups' log, in order; no tombstones."""
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "chaos.generations",
            "isolation.level": "read_uncommitted",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "log_level": 0,
        }
    )
    places = [
        TopicPartition(_TOPIC, number, 0)
        for number in reader.list_topics(_TOPIC, _TIMEOUT_S).topics[_TOPIC].partitions
    ]
    reader.assign(places)
    found: list[bytes] = []
    ended = 0
    while ended < len(places):
        messages = reader.consume(5_000, _TIMEOUT_S)
        if not messages:
            raise TimeoutError(f"{_TOPIC} falls silent before its end")
        for message in messages:
            error = message.error()
            if error is not None:
                ended += error.code() == KafkaError._PARTITION_EOF
            elif message.key() == key and (value := message.value()):
                found.append(value)
    reader.close()
    return found
