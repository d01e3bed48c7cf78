"""A consumer group in memory: static members, cooperative rebalances. Does no I/O.

A partition changes hands in two steps, as with Kafka's cooperative protocol: its holder lets go of
it in one poll, whoever is to have it takes it in a later one. Only an evicted member loses its
partitions without being asked.
"""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any, Final, NamedTuple

import msgspec

from loyaltystream.errors import FatalBrokerError


class MemberMetadata(NamedTuple):
    """What a transaction has to tell of the member whose offsets it commits.

    A member of None is what a client tells that names only the group: the broker checks nothing.
    """

    group: "MemoryGroup"
    member: str | None
    incarnation: int
    generation: int


class Change(NamedTuple):
    """What a member has to do about its partitions."""

    lost: bool
    revoked: list[int]
    assigned: list[int]


_NOTHING: Final = Change(lost=False, revoked=[], assigned=[])


class _Member(msgspec.Struct):
    incarnation: int
    generation: int
    held: set[int] = msgspec.field(default_factory=set)
    """What nobody else may take."""
    meant: frozenset[int] | None = None
    """What it is to have in its generation, once it has asked."""


class MemoryGroup:
    """One group on one topic.

    Args:
        name: the group's.
        partitions: how many the topic has.
    """

    def __init__(self, name: str, partitions: int) -> None:
        self.name = name
        self.offsets: dict[int, int] = {}
        self.generation = 0
        self._partitions = partitions
        self._members: dict[str, _Member] = {}
        self._incarnations: dict[str, int] = {}

    def join(self, name: str) -> int:
        """Join under a static name; return which incarnation this is. It fences the earlier ones.

        One that comes back before it was missed has its partitions still.
        """
        incarnation = self._incarnations[name] = self._incarnations.get(name, 0) + 1
        known = name in self._members
        # What was held under its name is to be taken anew, by this process.
        self._members[name] = _Member(incarnation, self.generation)
        if not known:
            self.rebalance()
        return incarnation

    def evict(self, name: str) -> bool:
        """Go on without a member that was not heard of for too long; return whether it was one."""
        if self._members.pop(name, None) is None:
            return False
        self.rebalance()
        return True

    def rebalance(self) -> None:
        """Begin a generation; who is to have what changes with it."""
        self.generation += 1

    def sync(self, name: str, incarnation: int, has: AbstractSet[int]) -> Change:
        """Tell a member what changed since it last asked; what it shall take is its own from now.

        Args:
            name: the member's.
            incarnation: which of the processes that joined under this name it is.
            has: the partitions that it has taken; the others of its own it is told of again.

        Raises:
            FatalBrokerError: if another process has joined under its name.
        """
        if incarnation != self._incarnations[name]:
            raise FatalBrokerError(f"another worker joined as {name}")
        member = self._members.get(name)
        if member is None:
            return Change(lost=True, revoked=[], assigned=[])
        if member.meant is None or member.generation != self.generation:
            member.generation = self.generation
            member.meant = self._meant_for(name)
        meant, held = member.meant, member.held
        if held == has == meant:
            return _NOTHING
        held &= meant | has
        others = [known.held for known in self._members.values() if known is not member]
        assigned = (meant - has).difference(*others)
        held |= assigned
        return Change(lost=False, revoked=sorted(has - meant), assigned=sorted(assigned))

    def release(self, name: str, incarnation: int, partitions: Iterable[int]) -> None:
        """Note that a member has let go of these partitions."""
        if self._is_here(name, incarnation):
            self._members[name].held.difference_update(partitions)

    def metadata(self, name: str, incarnation: int) -> MemberMetadata:
        """Return what a member's transaction has to tell, as of its last poll."""
        member = self._members.get(name)
        generation = member.generation if member else -1
        return MemberMetadata(self, name, incarnation, generation)

    def knows(self, metadata: Any) -> bool:  # noqa: ANN401 (opaque to the runner)
        """Say whether offsets may be committed in a member's name."""
        if metadata.member is None:
            return True
        return self.has(metadata) and bool(metadata.generation == self.generation)

    def has(self, metadata: Any) -> bool:  # noqa: ANN401 (as above)
        """Say whether a member is still one, in whichever generation it believes itself."""
        return self._is_here(metadata.member, metadata.incarnation)

    def _is_here(self, name: str, incarnation: int) -> bool:
        member = self._members.get(name)
        return member is not None and member.incarnation == incarnation

    def _meant_for(self, name: str) -> frozenset[int]:
        names = sorted(self._members)
        turn = names.index(name)
        return frozenset(
            partition
            for partition in range(self._partitions)
            if (partition + self.generation) % len(names) == turn
        )
