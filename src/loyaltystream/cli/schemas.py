"""`loyaltystream schemas`: what topics are written with, here and there. Does I/O: text out."""

import json
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from loyaltystream.app import asyncapi_of
from loyaltystream.cli.context import Context
from loyaltystream.cli.init import schema_table
from loyaltystream.contracts import releases
from loyaltystream.contracts.registering import Compared, compare_all
from loyaltystream.deployment import Deployment
from loyaltystream.plans import published_schemas

DIFFERENT: Final = 4

app = typer.Typer(
    help="The Avro schemas: their form, their releases, and the registry's versions.",
    no_args_is_help=True,
)

json_option = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@app.command()
def check(as_json: json_option = False) -> None:
    """Check the form of all schemas, and that each goes with every release of itself.

    Asks no registry. Exits with 4 if something is wrong.
    """
    checked = releases.check()
    if as_json:
        told = {"files": checked.files, "releases": checked.releases, "problems": checked.problems}
        typer.echo(json.dumps(told))
    elif checked.problems:
        for problem in checked.problems:
            Console().print(f"[bold red]wrong[/]: {escape(problem)}", soft_wrap=True)
    else:
        count = f"{checked.files} schema files go with {checked.releases} releases"
        Console().print(f"[bold green]valid[/]: {count}")
    if checked.problems:
        raise typer.Exit(DIFFERENT)


@app.command()
def diff(context: typer.Context, as_json: json_option = False) -> None:
    """Show what is different here from what the registry has, and what it would refuse.

    Exits with 4 if anything is.
    """
    deployment = _deployment(context)
    compared = compare_all(deployment.registry, published_schemas(deployment.topics))
    if as_json:
        typer.echo(json.dumps([_to_json(found) for found in compared], indent=2))
    else:
        for line in _lines(compared):
            Console().print(line, soft_wrap=True)
    if any(found.state != "same" for found in compared):
        raise typer.Exit(DIFFERENT)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Made if it is not there.")],
) -> None:
    """Write all schemas that topics are written with into files that stand alone.

    For subscribers who generate code, and for a registry that is filled by other means.
    """
    made = releases.export(folder)
    Console().print(f"{len(made)} schemas in {escape(str(folder))}", soft_wrap=True)


@app.command()
def asyncapi(
    context: typer.Context,
    file: Annotated[
        typer.FileTextWrite,
        typer.Argument(
            metavar="FILE",
            encoding="utf-8",
            default_factory=lambda: "-",
            help="Standard output if it is left out.",
            show_default=False,
        ),
    ],
) -> None:
    """Write the AsyncAPI 3 document of a deployment: topics, keys, headers, messages, examples.

    Brokers and topics are those of the settings; secrets are left out. Asks nobody.
    """
    document = asyncapi_of(_deployment(context))
    file.write(json.dumps(document, indent=1, ensure_ascii=False) + "\n")


@app.command()
def register(context: typer.Context, as_json: json_option = False) -> None:
    """Register all schemas under full transitive compatibility, as `init` does; all or none.

    What does not go with the registry's versions is told, a line each.
    """
    plans = _deployment(context).register_schemas()
    if as_json:
        told = [
            {"topic": plan.topic, "schema": plan.schema["name"], "id": plan.schema_id}
            for plan in plans
        ]
        typer.echo(json.dumps(told, indent=2))
        return
    Console().print(schema_table(plans))


def _deployment(context: typer.Context) -> Deployment:
    return Deployment(context.ensure_object(Context).settings)


def _to_json(found: Compared) -> dict[str, object]:
    return {
        "topic": found.topic,
        "schema": found.schema["name"],
        "state": found.state,
        "differences": found.differences,
    }


def _lines(compared: list[Compared]) -> list[str]:
    lines = []
    for found in compared:
        if found.state != "same":
            subject = f"{found.topic}-{found.schema['name']}"
            parts = found.differences or ["is not registered"]
            lines += [f"[bold]{found.state}[/] {escape(f'{subject}: {part}')}" for part in parts]
    return lines or [f"[bold green]same[/]: {len(compared)} schemas"]
