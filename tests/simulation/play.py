"""What a schedule plays: producers' records in order, what judges them, and what should come of it.

Two plays. The quick one has records of a few bytes, judged by a few lines on the real memory; its
truth is a fold over plain dicts. The real one has JSON events and the real judge; its truth is the
same judge, told one record at a time.
"""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple, Protocol

from loyaltystream.definitions.registry import Definitions
from loyaltystream.events import Record
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.units import Unit
from loyaltystream.pipeline import Memory, Plan
from loyaltystream.verdicts import Verdict

Said = bytes | Callable[[int], bytes] | None
"""A value, or what makes it at the broker's time at which it arrives."""

Sent = tuple[int, Said, int]
"""A partition, what is said, and how many milliseconds pass before it is sent."""

Content = dict[Unit, tuple[int, int]]
"""What is remembered of each unit: how many ids, and a sum over all that is known of them."""

RECORDS: Final = 40


Origin = tuple[int, int, int]
"""A record's partition and offset, and which output of it something is."""

Effect = tuple[str, bytes | None, Origin]
"""Topic and value of one output, wherever it was judged and in whichever generation."""


class Judged(NamedTuple):
    """What has to become of one record."""

    verdict: Verdict
    effects: Sequence[tuple[str, bytes | None]]
    """Topic and value of each output, in the order in which they are numbered."""


class Model(Protocol):
    """The truth about one partition: takes its records in order."""

    def judge(self, record: Record) -> Judged:
        """Return what has to become of the next record."""

    @property
    def ids(self) -> int:
        """How many ids are to be remembered now."""

    def content(self) -> Content:
        """Return what is to be remembered now."""


class Judge(Protocol):
    """The pure judge, as a stage asks it."""

    def judge(
        self,
        records: Sequence[Record],
        *,
        memory: Memory,
        definitions: Definitions,
        generation: int,
    ) -> Plan:
        """Return the plan for records of one partition."""


class Play(NamedTuple):
    """Everything about a schedule but what goes wrong in it.

    Attributes:
        blind: whether the stage asks no memory; dedup would hide that an offset is wrong.
        lasting_ids: whether a restart keeps its transactional id, and fences what was before it;
            else it has a new one, and what was before it expires.
    """

    partitions: int
    story: Sequence[Sent]
    judge: Judge
    layout: Layout
    model: Callable[[int], Model]
    blind: bool
    lasting_ids: bool


def dice(seed: int, what: str) -> Random:
    """Return a source of randomness for one purpose of one schedule."""
    return Random(f"{seed} {what}")
