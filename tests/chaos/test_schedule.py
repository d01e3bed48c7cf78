"""What a seed makes is always the same; and a worker dies where, and only where, it is told to."""

import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path

from tests.chaos.crew import ROOT
from tests.chaos.failpoints import POINTS, Order, Trap, Way, deaths
from tests.chaos.schedule import FAULTS, schedule

DIE = """
import sys
from pathlib import Path
from tests.chaos.failpoints import Trap
order, ledger = map(Path, sys.argv[1:])
trap = Trap(order, ledger)
trap.listen()
for turn in range(5):
    print(turn, flush=True)
    trap.reached("elsewhere")
    trap.reached("here")
"""


def test_a_seed_makes_a_schedule() -> None:
    """The same seed gives the same faults with the same particulars, another one others."""
    one, same, other = (list(islice(schedule(seed), 60)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_every_fault_has_its_turn() -> None:
    """No fault comes a second time before all have come once."""
    names = [injection.fault.name for injection in islice(schedule(7), 2 * len(FAULTS))]
    assert set(Counter(names[: len(FAULTS)]).values()) == {1}
    assert set(Counter(names).values()) == {2}


def test_there_are_enough_points() -> None:
    """A working worker is killed at twelve named points of its transaction at least."""
    assert sum(point.way is Way.WORKING for point in POINTS) >= 12
    assert len({point.name for point in POINTS}) == len(POINTS)


def test_a_trap_kills_at_the_ordered_passing(tmp_path: Path) -> None:
    """At its third passing of the point, and no other, the process is killed by SIGKILL."""
    order, ledger = tmp_path / "order", tmp_path / "deaths"
    order.write_bytes(b'{"point": "here", "passing": 3}')
    done = subprocess.run(
        [sys.executable, "-c", DIE, str(order), str(ledger)],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert done.returncode == -9, done.stderr
    assert done.stdout.split() == [b"0", b"1", b"2"]
    assert [death.point for death in deaths(ledger)] == ["here"]


def test_a_lie_is_told_once(tmp_path: Path) -> None:
    """What a worker is made to believe it is made to believe one time."""
    trap = Trap(tmp_path / "order", tmp_path / "deaths")
    assert not trap.provokes(Way.ABORTING)
    trap.obey(Order("nowhere", provoke=Way.ABORTING))
    assert not trap.provokes(Way.UNKNOWN)
    assert trap.provokes(Way.ABORTING)
    assert not trap.provokes(Way.ABORTING)
