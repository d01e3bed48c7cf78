"""What quick records say, and stories of them.

A value is `id content home unique`: an event's id, what it says, the partition of its customer, and
its unique key or a hyphen.
"""

from functools import cache
from hashlib import blake2b
from random import Random
from typing import NamedTuple

from tests.core import TOPICS
from tests.simulation.play import RECORDS, Sent


class Fact(NamedTuple):
    """What a value says."""

    event: bytes
    content: int
    home: int
    unique: bytes | None
    destinations: tuple[str, ...]


@cache
def read(value: bytes | None) -> Fact | None:
    """Return what a value says, or None if that can't be read."""
    parts = (value or b"").split()
    if len(parts) != 4:
        return None
    event, content, home, unique = parts
    both = (TOPICS.emf, TOPICS.ei) if int(event) % 2 else (TOPICS.emf,)
    key = None if unique == b"-" else id_of(unique)
    return Fact(id_of(event), ord(content), int(home), key, both)


@cache
def id_of(text: bytes) -> bytes:
    """Return the 16 bytes that stand for an id, or a unique key."""
    return blake2b(text, digest_size=16).digest()


def tell(random: Random, partitions: int, *, repeats: bool) -> list[Sent]:
    """Return a story of new events, resends, conflicts, same bills, astray and bad records."""
    new: list[tuple[int, bytes]] = []
    story: list[Sent] = []
    for number in range(RECORDS):
        luck = random.random()
        home = random.randrange(partitions)
        if luck < 0.06:
            story.append((home, random.choice([None, b"{", b""]), 0))
        elif luck < 0.22 and repeats and new:
            partition, said = random.choice(new[-12:])
            again = said if luck < 0.18 else said.replace(b" a ", b" b ")
            story.append((partition, again, 0))
        else:
            unique = b"%d" % (1000 + number % 7) if repeats and luck < 0.4 else b"-"
            new.append((home, b"%d a %d %s" % (number, home, unique)))
            astray = 1 if random.random() < 0.08 else 0
            story.append(((home + astray) % partitions, new[-1][1], 0))
    return story
