"""Thousands of bad days: the real runner, stage and memory keep every law on each of them."""

import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.simulation.fates import POSSIBLE
from tests.simulation.schedules import PLAYS, mark_of, processes, run, run_all
from tests.simulation.tables import coverage, summary

SCHEDULES = 20_000
REAL_SCHEDULES = 400
HITS = 50
MARKED = 24
SNAPSHOT_SCHEDULES = 300


@pytest.mark.timeout(900)
def test_no_schedule_breaks_a_law(show: Callable[[str], None]) -> None:
    """Whatever happens at whichever step, with dedup on and off, every effect is there once."""
    began = time.monotonic()
    report = run_all(SCHEDULES)
    show(f"{summary(report, time.monotonic() - began)}\n{coverage(report.faults)}")
    assert report.broken == [], "\n".join(report.broken[:5])
    assert report.schedules == SCHEDULES
    rare = {fault: report.faults[fault] for fault in POSSIBLE if report.faults[fault] < HITS}
    assert rare == {}


@pytest.mark.timeout(300)
def test_the_real_judge_keeps_the_laws_too(show: Callable[[str], None]) -> None:
    """With JSON events and production's judge nothing is different but the pace."""
    began = time.monotonic()
    report = run_all(REAL_SCHEDULES, "real", chunk=100)
    show(f"real events: {summary(report, time.monotonic() - began)}")
    assert report.broken == [], "\n".join(report.broken[:5])


def test_a_schedule_is_what_its_seed_says() -> None:
    """The same seed makes the same journal in any process, and another seed another."""
    seeds, plays = [*range(MARKED)] * len(PLAYS), [play for play in PLAYS for _ in range(MARKED)]
    marks = list(map(mark_of, seeds, plays))
    assert marks == list(map(mark_of, seeds, plays))
    with processes() as pool:  # where text has other hashes
        assert marks == list(pool.map(mark_of, seeds, plays))
    assert len(set(marks)) == len(marks)


def test_schedules_come_back_from_snapshots_too() -> None:
    """Workers are restored from snapshots as well as from the changelog, and find damaged ones."""
    counts = Counter[str]()
    for seed in range(SNAPSHOT_SCHEDULES):
        for entry in run(seed).journal.entries:
            if entry.startswith(("restored ", "refused ")):
                counts[" ".join(entry.split()[2:4]).rstrip("0123456789")] += 1
    damaged = sum(count for what, count in counts.items() if ".snapshot" in what)
    assert counts["from the"] > SNAPSHOT_SCHEDULES
    assert counts["from "] > SNAPSHOT_SCHEDULES // 3
    assert damaged > 0
