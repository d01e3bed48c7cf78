"""A round: one deployment, some injections, each healed and rested from; then the judgement.

Does I/O: everything that chaos does.
"""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from tests.chaos.auditor import Harm
from tests.chaos.crew import Ending, Member
from tests.chaos.field import Field
from tests.chaos.ground import Ground
from tests.chaos.schedule import Fault, Injection
from tests.shop import QUICK

CREW: Final = tuple(Member(stage, slot) for stage in ("ingest", "notify") for slot in (0, 1))
RATE: Final = 250
PACE: Final = QUICK | {"worker.batch_records": "200", "memory.snapshot_ids": "1000"}
"""Short timeouts, transactions small enough to be met half way, snapshots every few seconds."""

_WARM_S: Final = 0.5


class Blown(msgspec.Struct):
    """One injection and what it came to.

    Attributes:
        injected: whether the fault was really made.
        recovery_s: until every partition had committed an event from after it; None: not in time.
        stalled_s: how long the machine itself stood still meanwhile.
    """

    fault: Fault
    injected: bool
    recovery_s: float | None
    harm: Harm
    stalled_s: float = 0.0


class Round(msgspec.Struct):
    """What came of a round.

    Attributes:
        judged: whether it came to a judgement at all.
        directory: where its logs are.
        late: what was recovered from, but later than it should be.
    """

    directory: Path
    blown: list[Blown] = []
    sent: int = 0
    effects: int = 0
    observed: int = 0
    judged: bool = False
    complaints: list[str] = []
    late: list[str] = []
    endings: list[Ending] = []

    @property
    def exact(self) -> bool:
        """Whether it was judged, and nothing speaks against exactly once."""
        return self.judged and not self.complaints


def play(
    ground: Ground,
    directory: Path,
    injections: Iterable[Injection],
    *,
    seed: int,
    settings: dict[str, str] = PACE,
    crew: tuple[Member, ...] = CREW,
    told: Callable[[str], None] = lambda _what: None,
) -> Round:
    """Play a round; return what came of it.

    Args:
        ground: the platform, whole.
        directory: must not exist.
        injections: what is done.
        seed: of the story.
        settings: of the workers.
        crew: who works.
        told: told what happens.
    """
    result = Round(directory)
    field = Field(ground, directory, seed, crew, settings, RATE)
    try:
        for injection in injections:
            told(f"{injection.fault.family}: {injection.fault.name}")
            result.blown.append(_blow(field, injection, epoch=len(result.blown)))
        told("judging")
        _judge(field, result)
    except TimeoutError as error:
        result.complaints.append(str(error))
    finally:
        ground.proxy.calm()
        result.endings = field.crew.endings
        field.close()
    return result


def _blow(field: Field, injection: Injection, *, epoch: int) -> Blown:
    fault = injection.fault
    field.load.epoch = epoch
    field.load.go()
    if field.recovery(field.mark()) is None:
        raise TimeoutError(f"not at work before {fault.family}: {fault.name}; {field.state()}")
    time.sleep(_WARM_S)
    mark = fault.blow(field, Random(injection.seed))
    recovery_s = None if mark is None else field.recovery(mark)
    stalled_s = 0.0 if mark is None else field.ground.stalls.since(mark.since_s)
    field.rest()
    return Blown(fault, mark is not None, recovery_s, Harm(), stalled_s)


def _judge(field: Field, result: Round) -> None:
    outcome = field.judge()
    ruling = outcome.ruling
    result.judged = True
    result.sent, result.effects = ruling.sent, ruling.effects
    result.observed = field.observer.sights
    result.complaints += ruling.complaints
    result.complaints += [
        f"{member.client} ended with {code} when asked to"
        for member, code in outcome.codes.items()
        if code
    ]
    for epoch, harm in ruling.harm.items():
        # Without an epoch of its own it is told of the first: the complaint says which record.
        result.blown[max(epoch, 0)].harm = harm
    result.late += [
        f"{one.fault.family}: {one.fault.name}: level after {one.recovery_s:.1f} s, not {bar_s:.0f}"
        for one in result.blown
        if one.recovery_s is not None
        and (bar_s := one.fault.bar_s) is not None
        and not one.stalled_s
        and one.recovery_s > bar_s
    ]
    result.complaints += [
        f"{one.fault.family}: {one.fault.name}: never level"
        for one in result.blown
        if one.injected and one.recovery_s is None and not one.stalled_s
    ]
