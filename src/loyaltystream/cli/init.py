"""`loyaltystream init`: topics and schemas as they have to be. Does I/O: text out."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loyaltystream.cli.context import Context
from loyaltystream.deployment import Deployment, SchemaPlan
from loyaltystream.kafka.topics import Change

_DONE = {"create": "created", "alter": "altered", "keep": "as it has to be"}
_TODO = {"create": "to be created", "alter": "to be altered", "keep": "as it has to be"}


def init(
    context: typer.Context,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Make all topics and register all schemas; what is right already is left alone.

    Safe to run again at any time. Schemas are registered under full transitive compatibility;
    `run` only ever looks them up.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    changes = deployment.admin.compare(deployment.topic_plans())
    if dry_run:
        schemas = deployment.schema_plans()
    else:
        deployment.admin.apply(changes)
        schemas = deployment.register_schemas()
    if as_json:
        typer.echo(json.dumps(_to_json(changes, schemas), indent=2))
        return
    console = Console()
    console.print(_topic_table(changes, _TODO if dry_run else _DONE))
    console.print(schema_table(schemas))
    if not dry_run:
        console.print("Next: [bold]loyaltystream run --from earliest[/] judges events.")


def _to_json(changes: list[Change], schemas: list[SchemaPlan]) -> dict[str, object]:
    return {
        "topics": [
            {
                "name": change.plan.name,
                "partitions": change.plan.partitions,
                "action": change.action,
                "differences": dict(change.differences),
            }
            for change in changes
        ],
        "schemas": [
            {"topic": plan.topic, "schema": plan.schema["name"], "id": plan.schema_id}
            for plan in schemas
        ],
    }


def _topic_table(changes: list[Change], words: dict[str, str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("topic", "partitions", "settings", "state"):
        table.add_column(column, overflow="fold")
    for change in changes:
        settings = ", ".join(f"{name}={value}" for name, value in change.plan.settings.items())
        differences = "".join(f"\n{name} {what}" for name, what in change.differences.items())
        table.add_row(
            change.plan.name,
            str(change.plan.partitions),
            f"[dim]{escape(settings)}[/]",
            words[change.action] + escape(differences),
        )
    return table


def schema_table(schemas: list[SchemaPlan]) -> Table:
    """Return schemas by topic, with their ids."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("topic", "schema", "id"):
        table.add_column(column, overflow="fold")
    for plan in schemas:
        known = "not registered" if plan.schema_id is None else str(plan.schema_id)
        table.add_row(plan.topic, str(plan.schema["name"]), known)
    return table
