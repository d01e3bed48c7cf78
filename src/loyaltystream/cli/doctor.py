"""`loyaltystream doctor`: what a deployment gets wrong, with a fix each. Does I/O: text out."""

from collections.abc import Iterator
from typing import Annotated, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from loyaltystream.cli.context import Context
from loyaltystream.doctor.findings import Report, Severity
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
        Console(highlight=False).print(Group(*render(found)))
    raise typer.Exit(found.exit_code)


def render(found: Report) -> Iterator[RenderableType]:
    """Yield the findings with their fixes, what was not seen, and the result in one sentence."""
    if found.findings:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("", "finding", "where", "what is so, and how to mend it"):
            table.add_column(column, overflow="fold")
        for one in found.findings:
            colour = _COLOURS[one.severity]
            table.add_row(
                f"[{colour}]{one.severity.value}[/]",
                one.kind.value,
                escape(one.place),
                f"{escape(one.what)}\n[bold]{escape(one.fix)}[/]",
            )
        yield from (table, "")
    for unseen in found.unseen:
        yield f"[yellow]not looked at:[/] {escape(unseen.what)}: {escape(unseen.why)}"
    yield f"[dim]looked at: {escape(', '.join(found.looked_at))}[/]"
    yield _sentence(found)


def _sentence(found: Report) -> str:
    if not found.findings:
        return "[bold green]healthy[/]: nothing is wrong with what was looked at"
    counts = [
        f"{count} {severity.value}{'s' if count > 1 else ''}"
        for severity in Severity
        if (count := sum(one.severity is severity for one in found.findings))
    ]
    return f"[bold]{', '.join(counts)}[/]; code {found.exit_code}"
