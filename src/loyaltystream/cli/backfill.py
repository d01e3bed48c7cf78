"""`loyaltystream backfill`: years of history from files, beside live events.

Does I/O: reads files, text out.
"""

import json
import math
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from itertools import islice
from typing import Annotated, Any, Final, NamedTuple

import typer
from rich.console import Console

from loyaltystream.backfill.beginnings import beginnings
from loyaltystream.backfill.entering import Wish, enter
from loyaltystream.backfill.files import Part, parts_of
from loyaltystream.backfill.importing import Imported, Importer, Writer, left
from loyaltystream.backfill.journal import Journal, journal_of
from loyaltystream.backfill.lane import Gauge, Lane
from loyaltystream.backfill.ledger import read_ledger, to_output
from loyaltystream.backfill.proven import Proven, prove
from loyaltystream.backfill.survey import Outlook, moment_of
from loyaltystream.cli import backfill_screen
from loyaltystream.cli.backfill_options import (
    AgainOption,
    DryOption,
    FileArgument,
    IdOption,
    LagOption,
    NeverOption,
    QuietOption,
    RateOption,
    SampleOption,
    SinceOption,
    UntilOption,
)
from loyaltystream.cli.choices import moment
from loyaltystream.cli.context import Context
from loyaltystream.cli.desk import preview
from loyaltystream.cli.progress import progress_on
from loyaltystream.cli.send import (
    INTERRUPTED,
    TOO_LARGE,
    DialectOption,
    SourceOption,
    reading_headers,
)
from loyaltystream.deployment import Deployment
from loyaltystream.errors import BrokerError
from loyaltystream.events import Import
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.kafka.sending import Sender
from loyaltystream.sending import Keyer, Pace, largest_value
from loyaltystream.topology import Output

RATE: Final = 1_000.0
MAX_LAG: Final = 5_000
SAMPLE: Final = 20_000


class _Work(NamedTuple):
    """What the command has in its hands."""

    deployment: Deployment
    parts: list[Part]
    journal: Journal
    keyer: Keyer
    stderr: Console

    @property
    def writer(self) -> Writer:
        """Makes the records."""
        deployment, claim = self.deployment, self.journal.entry.claim
        return Writer(deployment.topics.ingest, self.keyer, deployment.import_signer, claim)

    @property
    def max_bytes(self) -> int:
        """How long a line may be."""
        return largest_value(self.deployment.rules)


def backfill(
    context: typer.Context,
    file: FileArgument,
    import_id: IdOption,
    until: UntilOption,
    rate: RateOption = RATE,
    max_lag: LagOption = MAX_LAG,
    live_since: SinceOption = None,
    never_imported: NeverOption = False,
    dialect: DialectOption = None,
    source: SourceOption = None,
    no_notify: QuietOption = False,
    from_start: AgainOption = False,
    dry_run: DryOption = False,
    sample: SampleOption = SAMPLE,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Bring years of history from files, in a lane of their own beside live events.

    What occurred before --until is not late, however old; all else is judged as ever: an event
    that was accepted live is a duplicate, and so is a line that is sent again. Refused where
    nobody can prove that an event was not accepted and forgotten. Killed, it goes on where it was.

    For example:
    [bold]loyaltystream backfill history/ --import-id tills --until 2026-01-31T00:00:00Z[/]

    Exits with 2 if a line was too large for any record; all others are sent.
    Exits with 3 if the broker failed; the same command goes on.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    now_ms, parts = int(time.time() * 1000), parts_of(file)
    until_ms = moment("--until", until) or 0
    wish = Wish(import_id, until_ms, now_ms, quiet=no_notify, never_imported=never_imported)
    claim = _claim(deployment, wish, moment("--live-since", live_since))
    journal = _journal(deployment, claim)
    if from_start:
        journal.forget()
    keyer = Keyer(deployment.event_definitions, deployment.rules, reading_headers(dialect, source))
    work = _Work(deployment, parts, journal, keyer, Console(stderr=True))
    outlook = _look(work)
    telling = _Telling(backfill_screen.to_json(journal.entry, outlook), as_json)
    telling.people(backfill_screen.forecast(journal.entry, outlook, rate=rate, now_ms=now_ms))
    if dry_run:
        _judge(work, outlook, sample, telling)
        return
    lane = _lane(work, Pace(rate, clock=time.monotonic, sleep=time.sleep), max_lag)
    _finish(_send(work, outlook, lane), telling, deployment.topics.ingest)


class _Telling(NamedTuple):
    """What a program is told, if it is one that asks."""

    told: dict[str, Any]
    as_json: bool

    def people(self, lines: Iterator[str]) -> None:
        """Tell people."""
        console = Console(highlight=False, soft_wrap=True)
        for line in () if self.as_json else lines:
            console.print(line)

    def program(self, more: Mapping[str, Any]) -> None:
        """Tell a program everything."""
        if self.as_json:
            typer.echo(json.dumps({**self.told, **more}))


def _finish(imported: Imported, telling: _Telling, topic: str) -> None:
    telling.people(backfill_screen.outcome(topic, imported))
    telling.program(imported.to_json())
    if imported.interrupted or imported.too_large:
        raise typer.Exit(INTERRUPTED if imported.interrupted else TOO_LARGE)


def _claim(deployment: Deployment, wish: Wish, live_since_ms: int | None) -> Import:
    topics, reader = deployment.topics, deployment.reader
    window_days = deployment.rules.window_days

    def proven() -> Proven | None:
        found = beginnings(reader, topics, window_days=window_days)
        return prove(
            found, window_days=window_days, now_ms=wish.now_ms, live_since_ms=live_since_ms
        )

    return enter(wish, read_ledger(reader, topics.letter_state), proven)


def _journal(deployment: Deployment, claim: Import) -> Journal:
    topic_id = deployment.reader.topic_id(deployment.topics.ingest)
    return journal_of(deployment.settings.worker.state_dir, claim, topic_id)


def _write_down(deployment: Deployment, claim: Import) -> None:
    """Have the import known for good before the first of its records is there."""
    topic = deployment.topics.letter_state
    written = to_output(topic, claim)
    ledger = Sender(deployment.settings.kafka, topic)
    ledger.send(written.value, written.key)
    ledger.flush()


def _look(work: _Work) -> Outlook | None:
    """Return what is left of the history; standard input can't be read twice."""
    if work.parts[0].path is None:
        return None
    outlook, until_ms = Outlook(), work.journal.entry.claim.until_ms
    with progress_on(work.stderr, "looking at", None) as advance:
        for piece in left(work.parts, work.journal):
            for line in piece.lines(work.max_bytes):
                outlook.take(moment_of(line.value, work.keyer), until_ms)
                advance(outlook.lines, outlook.lines)
    return outlook


def _lane(work: _Work, pace: Pace, max_lag: int) -> Lane:
    return Lane(
        pace,
        Gauge(work.deployment.ingest_lag, max_lag),
        clock=time.monotonic,
        sleep=time.sleep,
        held=lambda waiting: work.stderr.print(_held(waiting), highlight=False),
    )


def _send(work: _Work, outlook: Outlook | None, lane: Lane) -> Imported:
    deployment, imported = work.deployment, Imported()
    writer = work.writer
    _write_down(deployment, work.journal.entry.claim)
    kafka, topic = deployment.settings.kafka, deployment.topics.ingest
    sender = Sender(kafka, topic, delivered=imported.delivered)
    total = outlook.lines if outlook else None
    with progress_on(work.stderr, "importing", total) as advance:

        def admit() -> None:
            lane.wait()
            imported.lines += 1
            advance(imported.lines, imported.sent)

        importer = Importer(sender, writer, journal=work.journal, imported=imported, admit=admit)
        try:
            importer.send(work.parts, max_bytes=work.max_bytes)
        except KeyboardInterrupt:
            imported.interrupted = True
            sender.flush()
        except BrokerError:
            work.stderr.print(f"{imported.sent:,} records were written before this:")
            raise
    return imported


def _judge(work: _Work, outlook: Outlook | None, sample: int, telling: _Telling) -> None:
    """Tell what the judge makes of some lines, spread over all."""
    every = math.ceil(outlook.lines / sample) if outlook and outlook.lines else 1
    chosen = list(islice(islice(_outputs(work), 0, None, every), sample))
    with closing(LogSearcher(work.deployment.settings.kafka)) as log:
        judge = preview(work.deployment, log)
        outcomes, reasons = judge.foresee(chosen, now_ms=int(time.time() * 1000))
    verdicts = Counter(one or "tombstone" for one in outcomes)
    total = outlook.lines if outlook else None
    telling.people(backfill_screen.judged(verdicts, reasons, total))
    told = {"lines": len(chosen), "verdicts": verdicts, "reasons": reasons}
    telling.program({"dryRun": told})


def _outputs(work: _Work) -> Iterator[Output]:
    writer = work.writer
    for piece in left(work.parts, work.journal):
        for line in piece.lines(work.max_bytes):
            if line.value is not None:
                yield writer.output(line.value)


def _held(waiting: int | None) -> str:
    if waiting is None:
        return "waiting: the broker does not tell how many records are not judged yet"
    return f"waiting: {waiting:,} records are not judged yet"
