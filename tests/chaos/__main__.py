"""`make chaos` and `make soak`: faults on the real broker until there were enough."""

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.chaos import report
from tests.chaos.ground import Ground, laid
from tests.chaos.mistakes import MISTAKE, MISTAKES
from tests.chaos.rounds import PACE, Round, play
from tests.chaos.schedule import FAULTS, WITH_USUAL_TIMEOUTS, Fault, Injection, schedule

console = Console()


def main() -> int:
    """Run, tell, write; return 0 if everything is exact and came back in time, else 4."""
    chosen = _arguments()
    if chosen.mistake is not None:
        os.environ[MISTAKE] = chosen.mistake  # workers inherit it
    # So that whoever ends us leaves no broker behind, and gets a report of the rounds before.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    started_s = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="chaos-"))
    usual: list[Round] = []
    paced: list[Round] = []
    with (
        suppress(KeyboardInterrupt, SystemExit),
        laid(scratch / "platform", Random(chosen.seed)) as ground,
        _progress() as progress,
    ):
        chaos = _Chaos(ground, scratch, progress, chosen)
        if chosen.usual:
            usual.append(chaos.play(_usual(chosen.seed, chosen.usual), {}))
        paced.extend(chaos.rounds(started_s))
    run = report.Run(chosen.seed, time.monotonic() - started_s, _timeouts(), paced, usual)
    if not any(found.directory.exists() for found in run.rounds):
        shutil.rmtree(scratch)
    _tell(run)
    if chosen.markdown is not None:
        chosen.markdown.write_text(report.page(run))
    return 0 if run.exact and not run.late else 4


def _tell(run: report.Run) -> None:
    console.print(report.table(run))
    for fact in report.facts(run):
        console.print(fact, markup=False)
    for found in run.rounds:
        if found.directory.exists():
            console.print(f"kept: {found.directory}", markup=False)


class _Chaos:
    """Plays rounds on one ground, and shows how far it is."""

    def __init__(
        self, ground: Ground, scratch: Path, progress: Progress, chosen: argparse.Namespace
    ) -> None:
        self._ground = ground
        self._scratch = scratch
        self._progress = progress
        self._chosen = chosen
        self._bar = progress.add_task("starting", total=chosen.injections + 2 * chosen.usual)
        self._count = 0

    def rounds(self, started_s: float) -> Iterator[Round]:
        """Yield rounds until there were enough faults and enough minutes."""
        chosen, injected = self._chosen, 0
        faults = [fault for fault in FAULTS if chosen.only in f"{fault.family}: {fault.name}"]
        injections = schedule(chosen.seed, faults)
        while injected < chosen.injections or time.monotonic() - started_s < chosen.minutes * 60:
            found = self.play(list(islice(injections, chosen.round)), PACE)
            injected += sum(one.injected for one in found.blown)
            yield found
            if not any(one.injected for one in found.blown):
                return  # a ground that nothing can be made on

    def play(self, injections: list[Injection], settings: dict[str, str]) -> Round:
        """Play one round."""
        self._count += 1
        number = self._count
        found = play(
            self._ground,
            self._scratch / f"round{number}",
            self._watched(injections),
            seed=self._chosen.seed * 1_000 + number,
            settings=settings,
            told=lambda what: self._progress.update(
                self._bar, description=f"round {number}: {what[:60]:60}"
            ),
        )
        for complaint in (*found.complaints[:20], *found.late):
            self._progress.console.print(f"round {number}: {complaint}", style="red", markup=False)
        if found.exact and not self._chosen.keep:
            shutil.rmtree(found.directory)
        return found

    def _watched(self, injections: list[Injection]) -> Iterator[Injection]:
        for injection in injections:
            yield injection
            self._progress.advance(self._bar)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--injections", type=int, default=120, help="at least so many faults")
    parser.add_argument("--minutes", type=float, default=0, help="and at least so long")
    parser.add_argument("--round", type=int, default=12, help="faults for one deployment")
    parser.add_argument("--usual", type=int, default=3, help="kills with the usual timeouts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="only faults with this text in their name")
    parser.add_argument(
        "--mistake", choices=MISTAKES, help="make workers wrong: it has to be found"
    )
    parser.add_argument("--keep", action="store_true", help="keep the logs of exact rounds too")
    parser.add_argument("--markdown", type=Path, help="write the report to this file as well")
    return parser.parse_args()


def _usual(seed: int, times: int) -> list[Injection]:
    random = Random(seed)
    chosen: list[Fault] = [fault for fault in WITH_USUAL_TIMEOUTS for _ in range(times)]
    return [Injection(fault, random.getrandbits(32)) for fault in chosen]


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )


def _timeouts() -> str:
    names = ("session", "transaction", "message")
    seconds = (int(PACE[f"worker.{name}_timeout_ms"]) / 1000 for name in names)
    told = ", ".join(f"{name} {value:.0f} s" for name, value in zip(names, seconds, strict=True))
    return f"timeouts lowered for pace: {told}"


if __name__ == "__main__":
    sys.exit(main())
