"""What one audit has in its hands: how the deployment judges, and what was found. Pure."""

from collections import Counter
from collections.abc import Callable, Mapping

import msgspec

from loyaltystream.audit.findings import Ledger
from loyaltystream.audit.found import FoundOutputs, Head
from loyaltystream.audit.log import Log
from loyaltystream.audit.releases import IsOlder, none_is_older
from loyaltystream.definitions.registry import Definitions
from loyaltystream.memory.changelog import Layout
from loyaltystream.memory.identity import Identity
from loyaltystream.rules import Rules
from loyaltystream.sealing.ring import NO_KEYS, KeyRing
from loyaltystream.steps.route import Letters
from loyaltystream.topology import Topics

Progress = Callable[[str, int], None]
"""Told what is being read, and how many records of it there may be."""


class Deployment(msgspec.Struct, frozen=True):
    """How events were judged, as the settings say.

    Attributes:
        topics: names of all topics.
        definitions: the ones in force.
        views: gives those of an earlier revision; None: there is none, they are of files.
        rules: what a valid event is.
        identity: makes the memory's ids.
        layout: what these depend on, the partition count among it.
        letters: encodes the dead letters of stage ingest, and seals none.
        ring: opens those that were sealed.
        is_older: tells outputs of an older release.
        catch_up: called once it is known how far the audit goes: definitions that came later than
            those are of no interest, and all earlier ones are.
    """

    topics: Topics
    definitions: Definitions
    rules: Rules
    identity: Identity
    layout: Layout
    letters: Letters
    ring: KeyRing = NO_KEYS
    views: Callable[[int], Definitions] | None = None
    is_older: IsOlder = none_is_older
    catch_up: Callable[[], object] = lambda: None


class Span(msgspec.Struct, frozen=True):
    """One input partition at the time of the audit.

    Attributes:
        first: the first retained offset.
        committed: where the group stood before the outputs were read; None: it never committed.
        settled: where it stood after; what lies between may have outputs or not.
    """

    first: int
    committed: int | None
    settled: int

    @property
    def stop(self) -> int:
        """The offset after the last record that is audited."""
        return self.first if self.committed is None else max(self.committed, self.first)


class Versions:
    """From where to where events of a name were judged by another definition version."""

    def __init__(self) -> None:
        self._last_foreign: dict[tuple[int, int, str], int] = {}
        self._first_current: dict[tuple[int, int, str], int] = {}

    def note(self, partition: int, offset: int, name: tuple[int, str], *, foreign: bool) -> None:
        """Note an output's source, the org and name of its event, and by what it was judged."""
        slot = partition, *name
        if foreign:
            self._last_foreign[slot] = max(self._last_foreign.get(slot, offset), offset)
        else:
            self._first_current[slot] = min(self._first_current.get(slot, offset), offset)

    def may_be_foreign(self, partition: int, offset: int, name: tuple[int, str]) -> bool:
        """Say whether a record whose outputs tell no version may have been judged by another."""
        slot = partition, *name
        if slot not in self._last_foreign:
            return False
        first_current = self._first_current.get(slot)
        return offset <= self._last_foreign[slot] or first_current is None or offset < first_current


class Evidence(msgspec.Struct, frozen=True):
    """What was found of one stage.

    Attributes:
        topic: that it reads.
        spans: per input partition.
        outputs: what its records caused.
        heads: the first retained record of each output partition that lost some; None: it is empty.
        versions: by which definition versions each event name was judged, per input partition.
        waiting: how many records of each input partition are not judged yet.
    """

    log: Log
    topic: str
    spans: Mapping[int, Span]
    outputs: FoundOutputs
    heads: dict[tuple[str, int], Head | None]
    versions: Versions
    waiting: Counter[int]
    ledger: Ledger
    progress: Progress
