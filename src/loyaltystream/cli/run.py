"""`loyaltystream run`: one worker in this process, or several in their own. Does I/O: processes."""

from enum import StrEnum
from typing import Annotated

import typer

from loyaltystream.cli.context import Context
from loyaltystream.errors import ConfigurationError
from loyaltystream.times import occurred_at_ms
from loyaltystream.working import Order, supervise, work


class StageChoice(StrEnum):
    """What to run."""

    INGEST = "ingest"
    NOTIFY = "notify"
    BOTH = "both"


def run(
    context: typer.Context,
    stage: Annotated[
        StageChoice, typer.Option("--stage", help="Judge events, derive notifications, or both.")
    ] = StageChoice.BOTH,
    workers: Annotated[
        int, typer.Option("--workers", min=1, max=64, help="Processes for each stage.")
    ] = 1,
    start: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="earliest|latest|TIME",
            help="Where a group begins that never read before; later starts go on where it was.",
            show_default=False,
        ),
    ] = None,
    accept_memory_loss: Annotated[
        bool,
        typer.Option(
            "--accept-memory-loss",
            help="Start with an empty memory where its log is lost; older events are held as late.",
        ),
    ] = False,
    slot: Annotated[int | None, typer.Option("--slot", hidden=True)] = None,
    parent: Annotated[int | None, typer.Option("--parent", hidden=True)] = None,
) -> None:
    """Judge behavioral events and derive notifications, exactly once, until told to stop.

    SIGTERM or ^C finishes or aborts the open transaction and leaves. A broker that is away is
    waited for. More workers than partitions stand by.

    Exits with 0 when told to stop, 2 if a setting is wrong or a name is taken, 3 if the broker
    refuses, 5 if the memory does not fit the log.
    """
    shared = context.ensure_object(Context)
    stages = ("ingest", "notify") if stage is StageChoice.BOTH else (stage.value,)
    beginning = _beginning(start)
    if slot is not None or (workers == 1 and len(stages) == 1):
        order = Order(stages[0], slot or 0, beginning, accept_memory_loss, parent)
        work(shared.settings, order)
        return
    shared.settings  # noqa: B018 (mistakes in them are told once, before any process starts)
    arguments = ["--from", start] if start is not None else []
    arguments += ["--accept-memory-loss"] if accept_memory_loss else []
    code = supervise(
        [
            [
                *(["--settings", str(shared.file)] if shared.file else []),
                *("run", "--stage", name, "--slot", str(number), *arguments),
            ]
            for name in stages
            for number in range(workers)
        ]
    )
    raise typer.Exit(code)


def _beginning(start: str | None) -> str | int | None:
    if start is None or start in {"earliest", "latest"}:
        return start
    moment = occurred_at_ms(int(start) if start.isdecimal() else start)
    if isinstance(moment, int):
        return moment
    raise ConfigurationError(
        f"--from {start}: neither earliest, latest, nor a moment such as 2026-01-31T08:00:00Z"
    )
