"""What a run came to, as a table for people: on a screen, and as a page. Pure."""

import platform
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Final, NamedTuple

import confluent_kafka
import psutil
from rich.table import Table

from tests.chaos.rounds import Blown, Round
from tests.chaos.schedule import Fault

COLUMNS: Final = (
    *("fault", "injected", "counted from", "median s", "max s"),
    *("lost", "doubled", "out of order"),
)

_HOW: Final = (
    "Written by `make chaos` and `make soak` (tests/chaos). Every fault is made for real workers",
    "under load on one real broker, and healed; then all comes to rest. In the end every record",
    "of every topic is held against what was sent: by an auditor that shares no code with the",
    "program, and by `loyaltystream audit`.",
)
_RECOVERY: Final = (
    "Recovery is counted from the moment that the third column names, until every partition of the "
    "stage has committed an event that was written after it."
)


class Run(NamedTuple):
    """All rounds of a run.

    Attributes:
        paced: with short timeouts.
        usual: with the timeouts that a deployment has by default.
    """

    seed: int
    seconds: float
    timeouts: str
    paced: Sequence[Round]
    usual: Sequence[Round]

    @property
    def rounds(self) -> list[Round]:
        """All of them."""
        return [*self.paced, *self.usual]

    @property
    def exact(self) -> bool:
        """Whether every round was."""
        return all(one.exact for one in self.rounds)

    @property
    def late(self) -> int:
        """How many faults were recovered from later than they should be."""
        return sum(len(one.late) for one in self.rounds)

    @property
    def injected(self) -> int:
        """How many faults were really made."""
        return sum(one.injected for found in self.rounds for one in found.blown)


def table(run: Run) -> Table:
    """Return the table for a screen."""
    shown = Table(title=f"{run.injected} faults injected, seed {run.seed}")
    for number, column in enumerate(COLUMNS):
        shown.add_column(column, justify="left" if number in {0, 2} else "right")
    for cells in rows(run):
        shown.add_row(*cells)
    return shown


def rows(run: Run) -> Iterable[tuple[str, ...]]:
    """Yield the cells of each fault, those with the usual timeouts last."""
    yield from _rows(run.paced, "")
    yield from _rows(run.usual, " (session 15 s, transaction 8 s)")


def page(run: Run) -> str:
    """Return the whole report as Markdown."""
    head = [
        "# Faults on the real broker",
        "",
        *_HOW,
        "",
        *(f"- {line}" for line in facts(run)),
        "",
        _RECOVERY,
        "",
    ]
    lines = [f"| {' | '.join(cells)} |" for cells in (COLUMNS, _rule(), *rows(run))]
    return "\n".join([*head, *lines, *_remarks(run), ""])


def facts(run: Run) -> list[str]:
    """Return what a reader has to know to judge the numbers."""
    sent, effects = (sum(getattr(one, name) for one in run.rounds) for name in ("sent", "effects"))
    verdict = "exact" if run.exact else "**not exact**"
    return [
        (
            f"{verdict}: {run.injected} faults injected in {len(run.rounds)} rounds, "
            f"{run.seconds / 60:.1f} minutes, seed {run.seed}; {run.late or 'none'} of them "
            f"recovered from later than it should be"
        ),
        (
            f"{sent:,} events sent, {effects:,} effects of INGEST and NOTIFY held against them; "
            f"{sum(one.observed for one in run.rounds):,} records seen by a reader that read along"
        ),
        f"2 ingest and 2 notify workers, 6 partitions; {run.timeouts} unless a row says more",
        _machine(),
        *_stalls(run),
    ]


def _stalls(run: Run) -> list[str]:
    stalled = [one for found in run.rounds for one in found.blown if one.stalled_s]
    if not stalled:
        return []
    longest_s = max(one.stalled_s for one in stalled)
    return [
        (
            f"the machine itself stood still during {len(stalled)} of the recoveries, for up to "
            f"{longest_s:.0f} s; these are not timed"
        )
    ]


def _machine() -> str:
    gigabytes = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores for workers, broker, registry and auditor, "
        f"{gigabytes:.0f} GiB, {platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, librdkafka {confluent_kafka.libversion()[0]}, "
        f"Apache Kafka 4.2.0"
    )


def _rows(rounds: Sequence[Round], suffix: str) -> Iterable[tuple[str, ...]]:
    found: dict[Fault, list[Blown]] = {}
    for one in (one for round_ in rounds for one in round_.blown):
        found.setdefault(one.fault, []).append(one)
    for fault, blown in sorted(found.items(), key=lambda entry: entry[0][:2]):
        made = [one for one in blown if one.injected]
        timed = [one for one in made if not one.stalled_s]
        took_s = [one.recovery_s for one in timed if one.recovery_s is not None]
        never = len(took_s) < len(timed)
        yield (
            f"{fault.family}: {fault.name}{suffix}",
            str(len(made)) if len(made) == len(blown) else f"{len(made)} of {len(blown)} tries",
            fault.since,
            f"{median(took_s):.1f}" if took_s else "",
            "never" if never else f"{max(took_s):.1f}" if took_s else "",
            *(str(sum(getattr(one.harm, name) for one in blown)) for name in _HARMS),
        )


_HARMS: Final = ("lost", "doubled", "disordered")


def _rule() -> tuple[str, ...]:
    return tuple("---" if number in {0, 2} else "--:" for number in range(len(COLUMNS)))


def _remarks(run: Run) -> list[str]:
    lines = [
        f"- `{ending.member.client}` ended by itself with code {ending.code} and was started "
        f"again: {ending.last_words[:300]}"
        for found in run.rounds
        for ending in found.endings
    ]
    complaints = [f"- {text}" for found in run.rounds for text in found.complaints]
    late = [f"- {text}" for found in run.rounds for text in found.late]
    told: list[str] = []
    if lines:
        told += ["", "## Workers that ended by themselves", "", *sorted(lines)]
    if complaints:
        told += ["", "## What is not exact", "", *complaints[:200]]
    if late:
        told += ["", "## What took longer than it should", "", *late]
    return told
