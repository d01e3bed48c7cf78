"""What is told at the end of a run, line by line: samples, the audit's verdict, what to do next.

Pure.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from loyaltystream.audit import Findings
from loyaltystream.demo.screen import Snapshot
from loyaltystream.demo.workers import Worker
from loyaltystream.settings import Settings


def told_notifications(notifications: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    """Yield decoded notifications as a subscriber gets them."""
    yield "Notifications, decoded by the registry's schemas as any subscriber does it:"
    for name, value in notifications:
        yield f"  {name} {_json(value)}"
    if not notifications:
        yield "  none: no definition of this run maps its events to any"


def told_letter(letter: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield where a dead letter came from, and every reason for it."""
    if letter is None:
        yield "No dead letter: everything was as it should be."
        return
    where = "/".join(str(letter[f"origin{part}"]) for part in ("Topic", "Partition", "Offset"))
    yield f"A dead letter: {letter['eventName'] or 'an event'} at {where} was {letter['verdict']}:"
    for violation in letter["violations"]:
        path = violation["path"] or "the record"
        yield f"  {violation['code']:<14} {path}: {violation['message']}"


def told_audit(findings: Findings) -> Iterator[str]:
    """Yield the audit's verdict, and what speaks against exactness."""
    consumed = sum(found.consumed for found in findings.partitions if found.stage == "ingest")
    if findings.exact:
        yield (
            f"Audit: EXACT. {consumed:,} records, the re-keyed ones twice, judged again from the "
            "log alone: nothing lost, nothing doubled, every verdict and notification right."
        )
    else:
        yield f"Audit: NOT EXACT, over {consumed:,} records:"
        yield from (f"  {fault.value}: {count}" for fault, count in findings.faults.items())
        yield from (f"  {detail.place}: {detail.text}" for detail in findings.details[:5])
    yield from (f"  notice {notice.value}: {n}" for notice, n in findings.notices.items())


def told_summary(snapshot: Snapshot) -> str:
    """Return the run in one line."""
    return (
        f"{snapshot.events:,} records in {snapshot.at_s:.0f} s, with one worker killed on the way."
    )


def told_next(*, kept: bool) -> Iterator[str]:
    """Yield what to do next."""
    if not kept:
        yield "Next: `make demo DEMO=--keep` leaves everything running, to look around in."
    yield "Events of your own: `loyaltystream platform start`, `init` and `run`; see README.md."


def told_addresses(settings: Settings, file: Path, workers: Sequence[Worker]) -> Iterator[str]:
    """Yield every address of a run that is kept, and how to end it."""
    yield "Everything runs on:"
    yield f"  Kafka     {settings.kafka.bootstrap_servers}, topics {settings.topics.prefix}*"
    yield f"  registry  {settings.registry.url}"
    for worker in workers:
        address = f"http://{settings.telemetry.metrics_host}:{worker.metrics_port}/metrics"
        yield f"  {worker.stage}    {address} (pid {worker.pid}, {worker.log})"
    yield f"  settings  {file}, for `loyaltystream --settings {file} audit` and all others"
    pids = " ".join(str(worker.pid) for worker in workers)
    yield f"To end it: kill {pids}; loyaltystream --settings {file} platform stop"


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)
