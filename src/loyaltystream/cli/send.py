"""`loyaltystream send`: events from a file or a pipe. Does I/O: reads it, text out."""

import json
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, BinaryIO, Final

import typer
from rich.console import Console
from rich.markup import escape

from loyaltystream.cli.context import Context
from loyaltystream.cli.progress import Advance, progress_on
from loyaltystream.deployment import Deployment
from loyaltystream.dialects.envelope import DIALECT_HEADER, SOURCE_HEADER
from loyaltystream.dialects.sources import Dialect
from loyaltystream.errors import BrokerError, ConfigurationError
from loyaltystream.events import Header
from loyaltystream.kafka.sending import Sender
from loyaltystream.sending import Keyer, Pace, Posted, largest_value, lines, post

TOO_LARGE: Final = 2
INTERRUPTED: Final = 130
_NAMED_LINES: Final = 5

DialectOption = Annotated[
    Dialect | None,
    typer.Option("--dialect", help="How the lines are written.", show_default=False),
]
SourceOption = Annotated[
    str | None,
    typer.Option(
        "--source", help="Their webhook, store or project, by its name.", show_default=False
    ),
]


def send(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE|-", help="One JSON event a line; - reads standard input.", allow_dash=True
        ),
    ],
    rate: Annotated[
        float | None,
        typer.Option("--rate", min=0.001, help="Records a second at most.", show_default=False),
    ] = None,
    dialect: DialectOption = None,
    source: SourceOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Send events to the ingest topic, one a line, each under the key of its customer.

    A line is sent as it stands, even a broken one: its dead letter will say what is wrong.
    Sending lines again is harmless: a copy is recognised by its eventId.

    A line looks like this, here in three:
    [dim]{"eventId": "a-1", "eventName": "appOpened", "orgId": 1800, "customer":[/]
    [dim]{"identifiers": [{"type": "mobile", "value": "919812345678"}]},[/]
    [dim]"fields": {"platform": "ios"}}[/]

    For example: [bold]loyaltystream send day.ndjson --rate 500[/]
    or: [bold]zcat day.ndjson.gz | loyaltystream send -[/]

    Exits with 2 if a line was too large for any record; all others are sent.
    Exits with 3 if the broker failed.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    topic, posted, stderr = deployment.topics.ingest, Posted(), Console(stderr=True)
    keyer = Keyer(deployment.event_definitions, deployment.rules, reading_headers(dialect, source))
    deployment.reader.partitions(topic)  # fails at once where there is no such topic
    sender = Sender(deployment.settings.kafka, topic, delivered=posted.delivered)
    interrupted = False
    try:
        with _opened(file) as (stream, total), progress_on(stderr, "sending", total) as advance:
            found = lines(stream, max_bytes=largest_value(deployment.rules))
            passed = _passing(rate, posted, advance)
            try:
                post(found, sender, keyer=keyer, posted=posted, passed=passed)
            except KeyboardInterrupt:
                interrupted = True
            sender.flush()
    except BrokerError:
        stderr.print(f"{posted.sent:,} records were written before this:", highlight=False)
        raise
    if as_json:
        typer.echo(json.dumps(_to_json(topic, posted)))
    else:
        _tell(topic, posted)
    if interrupted or posted.too_large:
        raise typer.Exit(INTERRUPTED if interrupted else TOO_LARGE)


def reading_headers(dialect: Dialect | None, source: str | None) -> list[Header]:
    """Return what tells a worker how to read the lines, where their shape does not."""
    told = {DIALECT_HEADER: dialect, SOURCE_HEADER: source}
    return [(name, text.encode()) for name, text in told.items() if text]


def _passing(rate: float | None, posted: Posted, advance: Advance) -> Callable[[], None]:
    """Return what is called after each line: it shows the progress and keeps the rate."""
    pace = None if rate is None else Pace(rate, clock=time.monotonic, sleep=time.sleep)

    def passed() -> None:
        advance(posted.read_bytes, posted.sent)
        if pace is not None:
            pace.wait()

    return passed


@contextmanager
def _opened(file: Path) -> Iterator[tuple[BinaryIO, int | None]]:
    """Yield the input, and its size in bytes if that can be told."""
    if str(file) == "-":
        yield sys.stdin.buffer, None
        return
    try:
        with file.open("rb") as stream:
            state = os.fstat(stream.fileno())
            yield stream, state.st_size if stat.S_ISREG(state.st_mode) else None
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error


def _to_json(topic: str, posted: Posted) -> dict[str, Any]:
    return {
        "topic": topic,
        "sent": posted.sent,
        "withoutKey": posted.without_key,
        "tooLarge": posted.too_large,
    }


def _tell(topic: str, posted: Posted) -> None:
    console = Console(highlight=False, soft_wrap=True)
    without = f"{posted.without_key:,} of them without a key"
    if posted.without_key:
        without += " (judged all the same: re-keyed if they are right, else dead letters)"
    console.print(f"[bold]sent {posted.sent:,}[/] to {escape(topic)}, {without}")
    if posted.too_large:
        named = ", ".join(f"{number:,}" for number in posted.too_large[:_NAMED_LINES])
        more = ", ..." if len(posted.too_large) > _NAMED_LINES else ""
        console.print(
            f"[bold red]not sent: {len(posted.too_large):,}[/] too large for a record, "
            f"line {named}{more}"
        )
    console.print(
        "Next: while [bold]loyaltystream run[/] works, [bold]loyaltystream tail emf[/] shows what "
        "was accepted, [bold]loyaltystream tail dead-letter[/] what was not, and why."
    )
