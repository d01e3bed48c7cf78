"""A few minutes of chaos on the real broker: each family of faults, and every effect exactly once.

`make chaos` does the same for half an hour, `make soak` for hours.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Final

import pytest

from tests.chaos.ground import Ground, laid
from tests.chaos.mistakes import MISTAKE
from tests.chaos.rounds import Round, play
from tests.chaos.schedule import FAULTS, Injection

pytestmark = [pytest.mark.broker, pytest.mark.timeout(400)]

SEED: Final = 4
CUT: Final = (
    "after the k-th produce",
    "after commit, before remembering",
    "commit done, answer unseen",
    "before seek on rewind",
    "inside assigned",
    "SIGSTOP past its session (zombie)",
    "kill -9, started again",
    "SIGSTOP, 6 to 10 s (past the transaction's timeout)",
    "transaction hangs on the ingest topic",
    "RST of open connections",
    "silence of 4 to 9 s behind a commit",
    "disk runs full, 3 s",
)
"""One at least of every family that fits into the time."""


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """Return a platform behind a proxy."""
    with laid(tmp_path_factory.mktemp("ground"), Random(SEED)) as made:
        yield made


def test_a_cut_of_chaos_is_exact(
    ground: Ground, tmp_path: Path, show: Callable[[str], None]
) -> None:
    """Whatever is done to workers, broker and network, nothing is lost, doubled or out of order."""
    random = Random(SEED)
    faults = {fault.name: fault for fault in FAULTS}
    injections = [Injection(faults[name], random.getrandbits(32)) for name in CUT]
    done = play(ground, tmp_path / "round", injections, seed=SEED)
    if not done.judged:
        # Nothing was held against anything: what asks the broker failed, or the work stood still,
        # which it then does again.
        done = play(ground, tmp_path / "again", injections, seed=SEED + 1)
    show(shown(done))
    assert done.exact, "\n".join(done.complaints)
    missed = [one.fault.name for one in done.blown if not one.injected]
    assert missed == []


def test_a_mistake_is_found(
    ground: Ground, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers that write past their transaction double what a kill interrupts, and that is told."""
    monkeypatch.setenv(MISTAKE, "a second producer")
    [fault] = [fault for fault in FAULTS if fault.name == "after the last produce"]
    done = play(ground, tmp_path / "round", [Injection(fault, SEED)] * 3, seed=SEED)
    assert not done.exact
    assert sum(one.harm.doubled for one in done.blown) > 0


def shown(done: Round) -> str:
    """Return a line on what was done."""
    longest_s = max(one.recovery_s or 0.0 for one in done.blown)
    return (
        f"{len(done.blown)} faults, {done.sent} events, {done.effects} effects; "
        f"level again within {longest_s:.1f} s"
    )
