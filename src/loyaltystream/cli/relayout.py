"""`loyaltystream memory relayout`: more partitions, and nothing forgotten. Does I/O: text out."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loyaltystream.cli.context import Context
from loyaltystream.cli.progress import Advance, progress_on
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.groups import GroupAdmin
from loyaltystream.relayout.building import build_relayout
from loyaltystream.relayout.run import Relayout
from loyaltystream.relayout.survey import Survey
from loyaltystream.relayout.waiting import Waiting

_OVERTIME_S: Final = 5.0


def relayout(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    accept_unjudged: Annotated[
        bool,
        typer.Option(
            "--accept-unjudged",
            help="Go on although events wait; later ones of their customers may overtake them.",
        ),
    ] = False,
) -> None:
    """Give all topics as many partitions as topics.partitions says, and move the memory along.

    Stop all workers first. Adds partitions where they are missing, copies every id that still
    counts into the partition that its customer has then, and switches to the copies in one
    transaction. Whatever interrupts it, run it again: it goes on where it stopped, and the memory
    is the old one until all of the new one is there.

    Exits with 2 while workers run, or events wait that they could still judge; with 3 if the broker
    refuses; with 5 if what is remembered can't be moved.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    console, status = Console(soft_wrap=True), Console(stderr=True)
    moving = build_relayout(deployment)
    growing = moving.growing()
    _await_workers(deployment, status)
    moving.demand_nobody()
    survey, waiting = _look(deployment, moving, status)
    console.print(_plan(deployment, growing, survey, waiting))
    for line in _notes(survey, waiting):
        console.print(line)
    if dry_run:
        return
    # Once topics have grown, no worker can judge under the old count any more.
    untouched = {deployment.topics.changelog, deployment.topics.ingest} <= growing.keys()
    if waiting.total and untouched and survey.before and not accept_unjudged:
        raise ConfigurationError(
            f"{waiting.total} events are not judged: start the workers once more with "
            f"topics.partitions = {survey.before.partitions}, let loyaltystream_lag_records come "
            f"to 0, and stop them; or --accept-unjudged"
        )
    total = sum(survey.due.values()) if not survey.is_done else 0
    with progress_on(status, "moving ids", total) as advance:
        moving.move(survey, advance)
    with _reading(deployment, status, "checking the changelog") as advance:
        moving.switch(survey, advance)
    console.print(_done(survey))


def _await_workers(deployment: Deployment, status: Console) -> None:
    """Wait for stopped workers to be missed by their groups, which takes a session."""
    groups = GroupAdmin(deployment.settings.kafka)
    within_s = deployment.settings.worker.session_timeout_ms / 1000 + _OVERTIME_S
    with status.status("looking for workers ...") as shown:

        def tell(who: str) -> None:
            shown.update(f"waiting for {escape(who)} to leave ...")

        for stage in ("ingest", "notify"):
            groups.await_empty(deployment.group(stage), within_s, tell)


def _look(deployment: Deployment, moving: Relayout, status: Console) -> tuple[Survey, Waiting]:
    with _reading(deployment, status, "reading the changelog") as advance:
        survey = moving.survey(advance)
    return survey, moving.waiting(survey)


def _reading(
    deployment: Deployment, status: Console, doing: str
) -> AbstractContextManager[Advance]:
    bounds = deployment.reader.bounds(deployment.topics.changelog)
    return progress_on(status, doing, sum(end - first for first, end in bounds.values()))


def _plan(
    deployment: Deployment, growing: Mapping[str, int], survey: Survey, waiting: Waiting
) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("what", "is", "is to be"):
        table.add_column(column, justify="left" if column == "what" else "right")
    wanted = deployment.settings.topics.partitions
    for topic, count in growing.items():
        table.add_row(f"partitions of {escape(topic)}", str(count), str(wanted))
    remembered = survey.before.partitions if survey.before else None
    table.add_row("the memory's partitions", str(remembered or "none"), str(wanted))
    if not survey.is_done:
        due, moved = sum(survey.due.values()), sum(survey.moved.values())
        table.add_row("ids moved", f"{moved:,}", f"{due:,}")
        table.add_row("events that wait", f"{waiting.total:,}", "")
    return table


def _notes(survey: Survey, waiting: Waiting) -> Iterator[str]:
    if survey.before is None:
        yield "nothing is remembered yet: only topics are given more partitions"
    elif survey.is_done:
        yield "the memory is as it has to be"
    elif waiting.total:
        yield (
            f"{waiting.total:,} events were not judged under the old count: those whose customer "
            f"moves are put into their new partition first, where later ones may overtake them"
        )
        if waiting.sent_back:
            yield (
                f"{waiting.sent_back:,} of them were put into their partition before and belong "
                f"elsewhere now: they become dead letters (ASTRAY_TWICE); send them again"
            )


def _done(survey: Survey) -> str:
    moved = 0 if survey.is_done else sum(survey.due.values())
    return (
        f"[green]done[/]: {moved:,} ids moved. Next: start the workers with topics.partitions = "
        f"{survey.after.partitions} everywhere, then [bold]loyaltystream audit[/] proves it."
    )
