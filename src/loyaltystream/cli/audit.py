"""`loyaltystream audit`: is every event judged exactly once? Does I/O: text out."""

from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from loyaltystream.audit import Detail, Findings, PartitionFindings
from loyaltystream.audit.findings import EXPLANATIONS
from loyaltystream.auditing import build_audit
from loyaltystream.cli.context import Context
from loyaltystream.verdicts import Verdict

NOT_EXACT: Final = 4


def audit(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Judge all retained events again and prove from the records alone that nothing is wrong.

    Reads every topic up to what is committed; workers may go on meanwhile. Names every missing,
    repeated, misrouted or wrongly judged output, and every eventId that was accepted twice. Exits
    with 4 unless the log is exact.
    """
    settings = context.ensure_object(Context).settings
    with Console(stderr=True).status("looking at all topics ...") as status:

        def show(doing: str, offsets: int) -> None:
            status.update(f"{escape(doing)}: {offsets:,} offsets ...")

        findings = build_audit(settings, show).run()
    if as_json:
        typer.echo(findings.to_json())
    else:
        Console().print(render(findings))
    if not findings.exact:
        raise typer.Exit(NOT_EXACT)


def render(findings: Findings) -> RenderableType:
    """Return the recount of each partition, the result in one sentence, and every finding."""
    parts: list[RenderableType] = [
        table for stage in ("ingest", "notify") if (table := _recount(stage, findings)) is not None
    ]
    return Group(*parts, "", sentence(findings), *_tell_findings(findings))


def sentence(findings: Findings) -> str:
    """Return the result, as markup."""
    consumed = sum(found.consumed for found in findings.partitions if found.stage == "ingest")
    if findings.exact:
        return f"[bold green]exact[/]: {consumed:,} records, each with one verdict and its outputs"
    count = sum(findings.faults.values())
    return f"[bold red]not exact[/]: {count:,} faults in {consumed:,} records"


def _recount(stage: str, findings: Findings) -> Table | None:
    partitions = [found for found in findings.partitions if found.stage == stage]
    if not partitions:
        return None
    known = [verdict.value for verdict in Verdict] if stage == "ingest" else []
    # What nowhere occurs is left out: all columns do not fit into a terminal.
    occurring = {name for found in partitions for name, count in found.found.items() if count}
    names = [name for name in [*known, *_others(partitions, known)] if name in occurring]
    # Letters that people sent again are among the consumed, and few.
    again = ["sent again"] if any(found.replayed for found in partitions) else []
    table = Table(box=None, pad_edge=False, header_style="dim", title=stage, title_justify="left")
    for column in ("", "offsets", "consumed", *again, *names, "adds up", "lag"):
        table.add_column(column, justify="left" if column == "offsets" else "right")
    for found in partitions:
        table.add_row(
            str(found.partition),
            f"{found.first}..{found.committed}",
            f"{found.consumed:,}",
            *(f"{found.replayed:,}" for _ in again),
            *(f"{found.found.get(name, 0):,}" for name in names),
            "[green]yes[/]" if found.adds_up else "[red]no[/]",
            f"{found.lag:,}",
        )
    return table


def _others(partitions: list[PartitionFindings], known: list[str]) -> list[str]:
    return sorted({name for found in partitions for name in found.found} - {*known})


def _tell_findings(findings: Findings) -> Iterator[RenderableType]:
    if not findings.faults and not findings.notices:
        return
    summary = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("found", "times", "which means"):
        summary.add_column(column, overflow="fold")
    for fault, count in findings.faults.items():
        summary.add_row(f"[red]{fault.value}[/]", f"{count:,}", EXPLANATIONS[fault])
    for notice, count in findings.notices.items():
        summary.add_row(f"[yellow]{notice.value}[/]", f"{count:,}", EXPLANATIONS[notice])
    details = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("what", "record", "eventId", "output", "why"):
        details.add_column(column, overflow="fold")
    for detail in findings.details:
        details.add_row(*_row(detail))
    yield from ("", summary, "", details)


def _row(detail: Detail) -> Iterator[str]:
    yield detail.kind.value
    yield escape(str(detail.place))
    yield escape(detail.event_id or "")
    yield escape(str(detail.output or ""))
    yield escape(detail.text)
