"""`loyaltystream memory`: what is remembered, on this disk and in its log. Does I/O: text out."""

import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loyaltystream.cli.audit import NOT_EXACT
from loyaltystream.cli.context import Context
from loyaltystream.cli.progress import progress_on
from loyaltystream.cli.relayout import relayout
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.keeping import build_verification, origins, snapshots_directory
from loyaltystream.snapshots.files import Files
from loyaltystream.snapshots.inspecting import SnapshotFacts, UnitFacts, inspect
from loyaltystream.snapshots.verifying import Verified

STAGE: Final = "ingest"

app = typer.Typer(
    help="What is remembered of seen events: in worker.state_dir, and in its log.",
    no_args_is_help=True,
)

app.command()(relayout)

json_option = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@app.command("inspect")
def inspect_snapshots(context: typer.Context, as_json: json_option = False) -> None:
    """Show what the newest snapshot of each partition holds: ids, bytes, window, age, offsets.

    Reads the files of worker.state_dir to their last byte and asks no broker; workers may go on
    meanwhile. What was learnt since a snapshot is in the changelog, and not told.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    files = _files(deployment)
    try:
        sizes = sum(files.size_bytes(partition) for partition in files.partitions())
        with progress_on(Console(stderr=True), "reading snapshots", sizes) as advance:
            facts = list(inspect(files, advance))
    except OSError as error:
        raise _unusable(error) from error
    if as_json:
        typer.echo(msgspec.json.encode(facts))
        return
    Console(soft_wrap=True).print(
        _inspected(facts, int(time.time() * 1000)) if facts else _nothing(deployment)
    )


@app.command()
def verify(context: typer.Context, as_json: json_option = False) -> None:
    """Hold every snapshot against the changelog: does a restart from it know the same?

    Reads the whole changelog of each partition that has snapshots, and its end once more for each
    of them; workers may go on meanwhile. Exits with 4 if a snapshot is damaged or knows anything
    else than the changelog says, which a restart would find as well and pass over; with 5 if the
    changelog itself is wrong.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    results = _verify(deployment)
    if as_json:
        typer.echo(msgspec.json.encode(results))
    else:
        Console(soft_wrap=True).print(_verified(results) if results else _nothing(deployment))
    if any(result.why for result in results):
        raise typer.Exit(NOT_EXACT)


def _verify(deployment: Deployment) -> list[Verified]:
    files, reader, group = _files(deployment), deployment.reader, deployment.group(STAGE)
    topics = deployment.topics
    try:
        names = {partition: files.names(partition) for partition in files.partitions()}
    except OSError as error:
        raise _unusable(error) from error
    committed = reader.committed(group, topics.ingest)
    bounds = reader.bounds(topics.changelog)
    # The whole of it, and its end for each snapshot: no more than twice the whole, as a rule.
    offsets = sum(bounds[number][1] - bounds[number][0] for number in names if number in bounds)
    with progress_on(Console(stderr=True), "reading the changelog", offsets * 2) as advance:
        verification = build_verification(
            deployment.settings,
            reader,
            topics.changelog,
            group=group,
            origin=origins(reader, topics, group=group, layout=deployment.layout),
            done=lambda count: advance(count, count),
        )
        return [
            result
            for partition, listed in names.items()
            if partition in committed
            for result in verification.verify(partition, listed, committed[partition])
        ]


def _files(deployment: Deployment) -> Files:
    return Files(snapshots_directory(deployment.settings, deployment.group(STAGE)))


def _unusable(error: OSError) -> ConfigurationError:
    return ConfigurationError(f"worker.state_dir can't be read: {error}")


def _nothing(deployment: Deployment) -> str:
    place = snapshots_directory(deployment.settings, deployment.group(STAGE))
    return f"no snapshots in {escape(str(place))}: no worker of this machine has written one yet"


def _inspected(facts: Iterable[SnapshotFacts], now_ms: int) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "offsets", "age", "kind", "ids", "MB", "generations", "window", "state"):
        table.add_column(column, justify="left" if column in {"kind", "state"} else "right")
    for found in facts:
        if found.why is not None:
            state = f"[red]{escape(found.why)}[/]"
            table.add_row(str(found.partition), *[""] * 7, state)
            continue
        age = _span(now_ms - (found.created_ms or now_ms))
        head = [str(found.partition), f"{found.start_offset}..{found.end_offset}", age]
        units: list[UnitFacts | None] = [*found.units]
        for unit in units or [None]:
            table.add_row(*head, *_row(unit), "[green]whole[/]" if head[0] else "")
            head = [""] * 3
    return table


def _row(unit: UnitFacts | None) -> list[str]:
    if unit is None:
        return ["nothing yet", "0", "", "", ""]
    return [
        f"{unit.kind} {unit.window_days} d",
        f"{unit.ids:,}",
        f"{unit.bytes / 1e6:,.1f}",
        str(unit.generations),
        _span(unit.effective_window_seconds * 1000),
    ]


def _verified(results: Iterable[Verified]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "snapshot", "ids", "state"):
        table.add_column(column, justify="right" if column in {"", "ids"} else "left")
    for result in results:
        state = "[green]as the changelog says[/]" if result.why is None else _wrong(result.why)
        table.add_row(str(result.partition), result.name, f"{result.ids:,}", state)
    return table


def _wrong(why: str) -> str:
    return f"[red]{escape(why)}[/]"


def _span(milliseconds: int) -> str:
    """Return a time span as people say it: 41 s, 3:05:00, 30 d."""
    span = timedelta(seconds=max(milliseconds, 0) // 1000)
    if span < timedelta(minutes=2):
        return f"{span.seconds} s"
    return f"{span.days} d" if span.days > 1 else str(span)
