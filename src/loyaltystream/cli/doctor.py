"""`loyaltystream doctor`: what a deployment gets wrong, with a fix each. Does I/O: text out."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer
from msgspec.structs import replace
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from loyaltystream.cli.context import Context
from loyaltystream.doctor.findings import Finding, Report, Severity
from loyaltystream.examining.run import examine

_COLOURS: Final = {
    Severity.OUTAGE: "bold red",
    Severity.FAULT: "red",
    Severity.WARNING: "yellow",
    Severity.NOTICE: "cyan",
}


def doctor(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Look at everything that a deployment can get wrong, and say how to mend what is.

    Settings, definitions, brokers, topics, copies, transactions, rights, clock, registry, disk,
    memory, producers' keys, groups, dead letters. Writes nothing but one transaction that is thrown
    away; safe beside workers. What can't be looked at is told as well.

    Exits with 0 if nothing is wrong, 4 if something will hurt one day, 2 if workers don't start or
    something is at risk, 3 if broker or registry does not answer.
    """
    shared = context.ensure_object(Context)
    with Console(stderr=True).status("looking ...") as status:
        found = examine(
            lambda: shared.settings, lambda what: status.update(f"looking at {escape(what)} ...")
        )
    if as_json:
        typer.echo(found.to_json())
    else:
        console = Console(highlight=False)
        for part in render(found):
            console.print(part, soft_wrap=isinstance(part, str))
    raise typer.Exit(found.exit_code)


def render(found: Report) -> Iterator[RenderableType]:
    """Yield the findings, their fixes, what was not seen, and the result in one sentence."""
    if found.findings:
        fixes = list(dict.fromkeys(one.fix for one in found.findings))
        # Whole, however narrow the screen: what is copied has no line breaks of ours.
        told = [f"[dim]{number:>2}[/]  {escape(fix)}" for number, fix in enumerate(fixes, 1)]
        yield _table(found, fixes)
        yield from ("", "[bold]to mend it:[/]", *told, "")
    for unseen in found.unseen:
        yield f"[yellow]not looked at:[/] {escape(unseen.what)}: {escape(unseen.why)}"
    yield f"[dim]looked at: {escape(', '.join(found.looked_at))}[/]"
    yield _sentence(found)


def _table(found: Report, fixes: Sequence[str]) -> Table:
    """Return the findings; those that say the same of many places are one row."""
    rows: dict[Finding, list[str]] = {}
    for one in found.findings:
        rows.setdefault(replace(one, place=""), []).append(one.place)
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "finding", "where", "what is so", "fix"):
        table.add_column(column, overflow="fold", no_wrap=column in {"", "finding", "fix"})
    for one, places in rows.items():
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        table.add_row(
            f"[{_COLOURS[one.severity]}]{one.severity.value}[/]",
            one.kind.value,
            escape(places[0]) + more,
            escape(one.what),
            str(fixes.index(one.fix) + 1),
        )
    return table


def _sentence(found: Report) -> str:
    if not found.findings:
        return "[bold green]healthy[/]: nothing is wrong with what was looked at"
    counts = [
        f"{count} {severity.value}{'s' if count > 1 else ''}"
        for severity in Severity
        if (count := sum(one.severity is severity for one in found.findings))
    ]
    return f"[bold]{', '.join(counts)}[/]; code {found.exit_code}"
