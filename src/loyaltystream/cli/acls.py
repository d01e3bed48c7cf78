"""`loyaltystream acls`: who needs which rights at the brokers. Does I/O: text out."""

import json
from collections.abc import Mapping, Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loyaltystream.access import (
    GROUP_STAND_IN,
    PURPOSE,
    TOPIC_STAND_IN,
    Grant,
    Names,
    Role,
    command,
    grants,
)
from loyaltystream.cli.context import Context
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.granting import allow
from loyaltystream.settings import Settings


def acls(
    context: typer.Context,
    role: Annotated[Role | None, typer.Argument(help="Whose; without it all roles.")] = None,
    *,
    principal: Annotated[
        str | None, typer.Option("--principal", help="Who has the role, as User:NAME.")
    ] = None,
    group: Annotated[
        str | None, typer.Option("--group", help="A subscriber's consumer group.")
    ] = None,
    topic: Annotated[
        str | None, typer.Option("--topic", help="A subscriber's topic that re-emit writes.")
    ] = None,
    is_meant: Annotated[
        bool, typer.Option("--apply", help="Give these rights to --principal.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show the least rights that each role needs at brokers with an authorizer.

    With --principal as lines for Kafka's own kafka-acls.sh; with --apply they are given, and none
    is taken. Asks no broker otherwise.
    """
    settings = context.ensure_object(Context).settings
    names = _names(settings, group, topic)
    found = {one: grants(one, names) for one in ([role] if role else Role)}
    if is_meant:
        if role is None or principal is None:
            raise ConfigurationError("--apply needs a role and --principal User:NAME")
        _demand_named(found[role])
        allow(settings.kafka, principal, found[role])
    if as_json:
        typer.echo(json.dumps(_to_json(found), indent=2))
    elif principal is not None:
        for grant in dict.fromkeys(grant for each in found.values() for grant in each):
            typer.echo(command(grant, principal))
    else:
        Console(highlight=False).print(_table(found))


def _names(settings: Settings, group: str | None, topic: str | None) -> Names:
    told = {"group": group, "topic": topic}
    return Names(
        topics=Deployment(settings).topics,
        group_prefix=settings.worker.group_prefix,
        **{name: value for name, value in told.items() if value is not None},
    )


def _demand_named(found: Sequence[Grant]) -> None:
    """Refuse to give rights to a name that only stands for one."""
    options = {GROUP_STAND_IN: "--group", TOPIC_STAND_IN: "--topic"}
    for grant in found:
        if grant.name in options:
            raise ConfigurationError(f"--apply of this role needs {options[grant.name]} NAME")


def _to_json(found: Mapping[Role, list[Grant]]) -> list[dict[str, object]]:
    return [
        {
            "role": role.value,
            "resource": grant.resource.value,
            "name": grant.name,
            "pattern": "prefixed" if grant.prefixed else "literal",
            "operations": [one.value for one in grant.operations],
        }
        for role, each in found.items()
        for grant in each
    ]


def _table(found: Mapping[Role, list[Grant]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("role", "resource", "name", "operations"):
        table.add_column(column, overflow="fold")
    for role, each in found.items():
        table.add_section()
        table.add_row(f"[bold]{role.value}[/]", "", f"[dim]{escape(PURPOSE[role])}[/]", "")
        for grant in each:
            name = escape(grant.name) + ("[dim]...[/]" if grant.prefixed else "")
            operations = ", ".join(one.value for one in grant.operations)
            table.add_row("", grant.resource.value, name, operations)
    return table
