"""The laws are worth something: every mistake that is made on purpose breaks one."""

from collections.abc import Callable

import pytest

from tests.simulation.__main__ import main
from tests.simulation.mutants import MUTANTS
from tests.simulation.schedules import processes, replay_command, run
from tests.simulation.tables import fates_of

SCHEDULES = 5_000
"""How many a mutant has to survive to be called a survivor."""


def hunted(number: int) -> tuple[str, str | None, int]:
    """Return a mutant's name, the law that it broke, and in which schedule that was."""
    mutant = MUTANTS[number]
    for seed in range(SCHEDULES):
        if (law := run(seed, parts=mutant.parts).law) is not None:
            return mutant.name, law, seed + 1
    return mutant.name, None, SCHEDULES


@pytest.mark.timeout(300)
def test_every_mutant_is_killed(show: Callable[[str], None]) -> None:
    """Twelve mistakes and more, each killed by a law within a run."""
    with processes() as pool:
        hunts = list(pool.map(hunted, range(len(MUTANTS))))
    show(fates_of(hunts))
    assert [name for name, law, _ in hunts if law is None] == []
    assert len(hunts) >= 12


def test_a_broken_law_is_replayed_by_its_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The command that a failure names prints the schedule again, with the same end."""
    name, law, count = hunted(0)
    command = replay_command(count - 1, "--mutant", name)
    assert command == f"python -m tests.simulation {count - 1} --mutant '{name}'"
    told = []
    for _ in range(2):
        assert main([str(count - 1), "--mutant", name]) == 1
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert told[0].endswith(f"{law}\n")
