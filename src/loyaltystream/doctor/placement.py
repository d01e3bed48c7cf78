"""Where producers put events, judged by a sample of what they wrote. Pure.

Nothing is lost by a wrong place or key: INGEST puts the event right, at the cost of a second pass.
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from loyaltystream.doctor.findings import Finding, Kind
from loyaltystream.keys import murmur2, place

MOSTLY: Final = 0.9
"""Of the keys that murmur2 puts elsewhere, so many have to lie where CRC32 puts them."""

PARTITIONER: Final = '"partitioner": "murmur2_random" in the librdkafka producers\' properties'


class Sample(msgspec.Struct, frozen=True):
    """One record of a producer.

    Attributes:
        key: as it was sent.
        own: the key that its event has; None: that can't be told.
        where: topic/partition/offset.
    """

    partition: int
    key: bytes | None
    own: bytes | None
    where: str


def of_placement(samples: Sequence[Sample], partitions: int, topic: str) -> Iterator[Finding]:
    """Yield what is wrong with the keys of a sample.

    Args:
        samples: records that producers wrote; what we put back ourselves is not among them.
        partitions: how many the topic has.
        topic: its name.
    """
    keyed = [one for one in samples if one.key]
    if absent := [one for one in samples if not one.key and one.own is not None]:
        yield Finding(
            Kind.KEYS_ABSENT,
            topic,
            f"{_told(absent, samples)} have no key: most lie in a wrong partition and are put back",
            f"key = orgId|identifierType|value, as `loyaltystream send` has it; and {PARTITIONER}",
        )
    yield from _of_places(keyed, samples, partitions, topic)
    foreign = [one for one in keyed if one.own is not None and one.key != one.own]
    if foreign:
        yield Finding(
            Kind.KEYS_FOREIGN,
            topic,
            f"{_told(foreign, samples)} have another key than their event's: most lie in a wrong "
            f"partition and are put back",
            "key = orgId|identifierType|value, of the identifier that the definition names, "
            "normalised; `loyaltystream why EVENT_ID` shows the right one",
        )


def _of_places(
    keyed: Sequence[Sample], samples: Sequence[Sample], partitions: int, topic: str
) -> Iterator[Finding]:
    homes = place(murmur2([one.key or b"" for one in keyed]), partitions).tolist()
    astray = [one for one, home in zip(keyed, homes, strict=True) if one.partition != home]
    if not astray:
        return
    by_crc = [one for one in astray if zlib.crc32(one.key or b"") % partitions == one.partition]
    if len(by_crc) >= MOSTLY * len(astray):
        yield Finding(
            Kind.KEYS_BY_CRC32,
            topic,
            f"{_told(by_crc, samples)} lie where CRC32 puts their key, librdkafka's "
            f"consistent_random, not murmur2: each is put back",
            PARTITIONER,
        )
    else:
        yield Finding(
            Kind.KEYS_ELSEWHERE,
            topic,
            f"{_told(astray, samples)} lie where neither murmur2 nor CRC32 puts their key: each is "
            f"put back",
            f"Java's own partitioner, or {PARTITIONER}; name no partition when you send",
        )


def _told(some: Sequence[Sample], samples: Sequence[Sample]) -> str:
    return f"{len(some)} of the last {len(samples)} records (as {some[0].where})"
