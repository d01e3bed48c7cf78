"""What a run prints: how often each fault was at each step, and what became of each mutant."""

import os
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from tests.simulation.fates import ENDINGS, LAGS, POSSIBLE, STEPS, Fault
from tests.simulation.schedules import Report, profile

KINDS: Final = list(dict.fromkeys(kind for kind, step in POSSIBLE if step in STEPS))
WIDTH: Final = 16


def summary(report: Report, seconds: float) -> str:
    """Return a run's numbers in one paragraph."""
    pace = report.schedules / report.cpu_s
    return (
        f"{report.schedules} schedules in {seconds:.0f} s in {os.cpu_count()} processes, "
        f"{pace:.0f} a second on one core; "
        f"{report.faults.total()} faults, {report.faults.total() / report.schedules:.1f} each; "
        f"{len(report.broken)} broke a law; {report.doubled} batches were counted a second time "
        f"by workers that the group had gone on without"
    )


def coverage(faults: Counter[Fault]) -> str:
    """Return how often each fault happened at each step; a dot where it can't."""
    at_steps = [[step, *(_count(faults, kind, step) for kind in KINDS)] for step in STEPS]
    endings = [
        [commit.value, *(_count(faults, commit.value, lag) for lag in LAGS.values())]
        for commit in ENDINGS
    ]
    rarest = min(POSSIBLE, key=faults.__getitem__)
    least = f"{len(POSSIBLE)} pairs of fault and step, each {faults[rarest]} times or more"
    return "\n".join(
        [
            f"{least}; the rarest: {' at '.join(rarest)}",
            _table(["fault at step", *KINDS], at_steps),
            "",
            _table(["commit, the broker", *LAGS.values()], endings),
        ]
    )


def fates_of(mutants: Iterable[tuple[str, str | None, int]]) -> str:
    """Return which law killed each mutant, after how many schedules, and what the last was like."""
    rows = [
        f"{name:<42}{law or 'SURVIVED':<38}{count:>6}  {profile(count - 1)}"
        for name, law, count in mutants
    ]
    head = f"{'mutant':<42}{'killed by the law':<38}{'after':>6}  in a schedule with"
    return "\n".join([head, *rows])


def _count(faults: Counter[Fault], kind: str, step: str) -> str:
    return str(faults[kind, step]) if (kind, step) in POSSIBLE else "."


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(
        f"{row[0]:<22}" + "".join(f"{cell:>{WIDTH}}" for cell in row[1:]) for row in [head, *rows]
    )
