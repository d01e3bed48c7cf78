"""Replays a schedule: `python -m tests.simulation SEED`, and prints all that happened in it."""

import argparse
import sys
from collections.abc import Sequence

from tests.simulation.mutants import MUTANTS
from tests.simulation.schedules import PLAYS, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a schedule's journal, its faults and the law that it breaks; return 1 if it does."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("seed", type=int)
    parser.add_argument("--play", choices=PLAYS, default="quick", help="what is judged, and how")
    names = [mutant.name for mutant in MUTANTS]
    parser.add_argument("--mutant", choices=names, help="the mistake that the workers make")
    asked = parser.parse_args(arguments)
    parts = {mutant.name: mutant.parts for mutant in MUTANTS}.get(asked.mutant)
    outcome = run(asked.seed, asked.play, parts)
    faults = (f"{kind} at {step} x {count}" for (kind, step), count in outcome.faults.items())
    told = [*outcome.journal.entries, "", *faults, f"journal {outcome.mark}"]
    sys.stdout.write("\n".join([*told, outcome.law or "no law broken"]) + "\n")
    return 1 if outcome.law else 0


if __name__ == "__main__":
    sys.exit(main())
