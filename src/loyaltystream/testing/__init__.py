"""A broker in memory, and the runner's ports on it: what a simulation drives and orders at will.

Does no I/O; one thread, no clock of its own, no randomness but what a caller's fates bring. It says
nothing about Kafka: it passes the contract suite that the real source and sink pass, and claims
about exactly-once are made on the real broker only.
"""

from loyaltystream.testing.broker import MemoryBroker
from loyaltystream.testing.fates import (
    CALM,
    Commit,
    Ending,
    Fates,
    KilledError,
    Lag,
    ScriptedFates,
    Step,
)
from loyaltystream.testing.feed import MemoryFeed, MemoryLetterbox
from loyaltystream.testing.group import MemberMetadata, MemoryGroup
from loyaltystream.testing.journal import Journal, JournalledStage, MemoryTelemetry
from loyaltystream.testing.producer import MemoryProducer
from loyaltystream.testing.shelf import ImmediateHand, MemoryDisk, MemoryDraft, MemoryShelf
from loyaltystream.testing.sink import MemorySink
from loyaltystream.testing.source import MemoryChangelog, MemorySource

__all__ = [
    "CALM",
    "Commit",
    "Ending",
    "Fates",
    "ImmediateHand",
    "Journal",
    "JournalledStage",
    "KilledError",
    "Lag",
    "MemberMetadata",
    "MemoryBroker",
    "MemoryChangelog",
    "MemoryDisk",
    "MemoryDraft",
    "MemoryFeed",
    "MemoryGroup",
    "MemoryLetterbox",
    "MemoryProducer",
    "MemoryShelf",
    "MemorySink",
    "MemorySource",
    "MemoryTelemetry",
    "ScriptedFates",
    "Step",
]
