"""Workers with one mistake each, by the name of the mistake."""

from typing import Final, NamedTuple

from tests.simulation.mistakes import (
    AbortedIsCommitted,
    AsksForUnstableOffsets,
    BeginsBeforeTheOutcome,
    CopiesWhileOpen,
    CountsBeforeTheCommit,
    CountsWhereNobodyLooks,
    GoesBackToItsOwnOffset,
    KeepsItsFirstGroup,
    KeepsItsProducer,
    KeepsTheOverlay,
    LettersBesideTheTransaction,
    NamesOnlyTheGroup,
    NoRewind,
    ReadsPastOpenTransactions,
    RemembersBeforeTheCommit,
    RestoresIdsAlone,
    RestoresShort,
    RewindsOnePartition,
    SkipsOnRevoke,
    StartsEmpty,
    SwallowsDeliveryErrors,
    TakesCopiesForOne,
    TellsWhatItLost,
    TendsWhileOpen,
    UnknownIsAborted,
    UnknownIsCommitted,
    WithoutPlusOne,
)
from tests.simulation.worker import Parts


class Mutant(NamedTuple):
    """A mistake, and what a worker is made of that makes it."""

    name: str
    parts: Parts


MUTANTS: Final = (
    Mutant("no rewind after an abort", Parts(runner=NoRewind)),
    Mutant("only one partition rewound", Parts(runner=RewindsOnePartition)),
    Mutant("offset without +1", Parts(sink=WithoutPlusOne)),
    Mutant("remembered before the commit", Parts(runner=RemembersBeforeTheCommit)),
    Mutant("counted before the commit", Parts(runner=CountsBeforeTheCommit)),
    Mutant("committed and not counted", Parts(runner=CountsWhereNobodyLooks)),
    Mutant("dead letters outside the transaction", Parts(sink=LettersBesideTheTransaction)),
    Mutant("stale group metadata", Parts(source=KeepsItsFirstGroup)),
    Mutant("no group metadata, the name only", Parts(source=NamesOnlyTheGroup)),
    Mutant("producer used again after a timeout", Parts(runner=KeepsItsProducer)),
    Mutant("open transaction skipped on revoke", Parts(runner=SkipsOnRevoke)),
    Mutant("restored short of the committed offset", Parts(keeper=RestoresShort)),
    Mutant("restored without what was said", Parts(keeper=RestoresIdsAlone)),
    Mutant("restored up to an open transaction", Parts(changelog=ReadsPastOpenTransactions)),
    Mutant("started empty in silence", Parts(stage=StartsEmpty)),
    Mutant("begin before the last outcome", Parts(runner=BeginsBeforeTheOutcome)),
    Mutant("overlay kept after an abort", Parts(stage=KeepsTheOverlay)),
    Mutant("swallowed delivery error", Parts(sink=SwallowsDeliveryErrors)),
    Mutant("unknown outcome taken as committed", Parts(sink=UnknownIsCommitted)),
    Mutant("unknown outcome taken as aborted", Parts(sink=UnknownIsAborted)),
    Mutant("unknown outcome: done again", Parts(runner=GoesBackToItsOwnOffset)),
    Mutant("abort taken as committed", Parts(sink=AbortedIsCommitted)),
    Mutant(
        "open transactions not waited for",
        Parts(source=AsksForUnstableOffsets, changelog=ReadsPastOpenTransactions),
    ),
    Mutant("records of a lost partition told", Parts(source=TellsWhatItLost)),
    Mutant("snapshot during an open commit", Parts(runner=TendsWhileOpen, keeper=CopiesWhileOpen)),
    Mutant("snapshot taken for one of its end", Parts(keeper=TakesCopiesForOne)),
)
