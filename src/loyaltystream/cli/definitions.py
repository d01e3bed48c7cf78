"""`loyaltystream definitions`: what events look like, in files and where many share them.

Does I/O: text.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from loyaltystream.cli.context import Context
from loyaltystream.cli.definition_tables import event_table, row_of, tell_steps
from loyaltystream.defining import follows, limits_of
from loyaltystream.definitions.files import disable_file, read_definitions
from loyaltystream.definitions.packing import write_pack
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.places.opening import build_place
from loyaltystream.places.place import Place, last_body

DIFFERENT: Final = 4

app = typer.Typer(
    help="Event definitions: in files, on the topic that workers follow, or behind a service.",
    no_args_is_help=True,
)


class SourceChoice(StrEnum):
    """Where definitions are looked for."""

    FILES = "files"
    TOPIC = "topic"


json_option = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
folder_argument = Annotated[
    Path | None,
    typer.Argument(help="A folder as rules.definitions. [dim]Default: that[/]", show_default=False),
]
source_option = Annotated[
    SourceChoice | None,
    typer.Option("--source", help="Where. [dim]Default: definitions.source[/]", show_default=False),
]
url_option = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Of a running service, instead of the topic; definitions.token is shown to it.",
    ),
]
org_argument = Annotated[int, typer.Argument(metavar="ORG", help="The org's id.")]
event_argument = Annotated[str, typer.Argument(metavar="EVENT", help="The event's name.")]


@app.command()
def validate(
    context: typer.Context, folder: folder_argument = None, as_json: json_option = False
) -> None:
    """Check the definitions in files, and tell all that is wrong with any; asks no broker.

    Exits with 2 if something is.
    """
    deployment = _deployment(context)
    try:
        written = read_definitions(_folder(deployment, folder), limits_of(deployment.settings))
    except ConfigurationError as error:
        if as_json:
            # The first line only counts the others.
            problems = str(error).splitlines()[1:] or [str(error)]
            typer.echo(json.dumps({"valid": False, "problems": problems}))
            raise typer.Exit(error.exit_code) from error
        raise
    if as_json:
        typer.echo(json.dumps({"valid": True, "definitions": len(written)}))
        return
    Console().print(f"[bold green]valid[/]: {len(written)} definitions")


@app.command()
def diff(
    context: typer.Context,
    folder: folder_argument = None,
    url: url_option = None,
    as_json: json_option = False,
) -> None:
    """Show what `apply` would change on the topic, and what it would refuse.

    Exits with 4 if files and topic differ.
    """
    deployment = _deployment(context)
    written = read_definitions(_folder(deployment, folder))
    steps = build_place(deployment, url).preview(written)
    tell_steps(steps, as_json=as_json, done=False)
    if any(step.action != "keep" for step in steps):
        raise typer.Exit(DIFFERENT)


@app.command()
def standard(context: typer.Context, org: org_argument, folder: folder_argument = None) -> None:
    """Write the standard pack as an org's definitions: for every notification, what causes it.

    Asks no broker. Change what is written as you like, then `apply` it. Nothing is overwritten.
    """
    made = write_pack(_folder(_deployment(context), folder), org)
    where = escape(str(made[0].parent))
    Console().print(f"{len(made)} definitions in {where}", soft_wrap=True)


@app.command("apply")
def apply_files(
    context: typer.Context,
    folder: folder_argument = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    url: url_option = None,
    as_json: json_option = False,
) -> None:
    """Write the definitions of files to the topic; what is the same there is left alone.

    A definition that is there gets a next version, which may only add: optional fields, another
    description, other notifications. Running workers judge by it from their next batch on. What is
    on the topic only stays. All is written or nothing.

    Exits with 2 if anything is refused; each reason is told.
    """
    deployment = _deployment(context)
    written = read_definitions(_folder(deployment, folder))
    place = build_place(deployment, url)
    steps = place.preview(written) if dry_run else place.apply(written)
    refused = any(step.action == "refuse" for step in steps)
    tell_steps(steps, as_json=as_json, done=not dry_run and not refused)
    if refused:
        raise typer.Exit(ConfigurationError.exit_code)


@app.command("list")
def list_events(
    context: typer.Context,
    source: source_option = None,
    org: Annotated[int | None, typer.Option("--org", help="Of one org only.")] = None,
    url: url_option = None,
    as_json: json_option = False,
) -> None:
    """List all events: state, version, actions, number of fields."""
    rows = _rows(_deployment(context), source, url)
    rows = [row for row in rows if org in {None, row["orgId"]}]
    if as_json:
        typer.echo(json.dumps(rows))
        return
    Console().print(event_table(rows))


@app.command()
def show(
    context: typer.Context,
    org: org_argument,
    event: event_argument,
    version: Annotated[
        int | None, typer.Option("--version", help="An older one, of the topic.")
    ] = None,
    source: source_option = None,
    url: url_option = None,
    as_json: json_option = False,
) -> None:
    """Show a definition, as the Create Event API takes it; with --json all that is stored of it."""
    deployment = _deployment(context)
    if _is_shared(deployment, source, url):
        stored = _found(build_place(deployment, url), org, event)
        body: Any = msgspec.to_builtins(stored) if as_json else _body(stored, version)
    else:
        body = _body_of_file(deployment, org, event)
        if version is not None:
            raise ConfigurationError("files hold one version: leave --version out")
    typer.echo(json.dumps(body, indent=2, ensure_ascii=False))


@app.command("disable")
def disable_event(
    context: typer.Context,
    org: org_argument,
    event: event_argument,
    yes: Annotated[bool, typer.Option("--yes", help="It is for good: say so.")] = False,
    source: source_option = None,
    url: url_option = None,
    as_json: json_option = False,
) -> None:
    """Reject an event from now on, for good: its name stays taken, and can't be enabled again.

    On the topic running workers do so from their next batch on; in files `"disabled": true` is
    written into the event's file, which workers read when they start.
    """
    deployment = _deployment(context)
    if not yes:
        raise ConfigurationError(f"disabling {event} is for good: say --yes if that is meant")
    if _is_shared(deployment, source, url):
        place = build_place(deployment, url)
        place.disable(org, event)
        where = place.name
    else:
        where = str(disable_file(deployment.settings.rules.definitions, org, event))
    if as_json:
        typer.echo(json.dumps({"orgId": org, "eventName": event, "state": "disabled"}))
    else:
        Console(soft_wrap=True).print(f"disabled {escape(event)} of org {org} in {escape(where)}")


def _deployment(context: typer.Context) -> Deployment:
    return Deployment(context.ensure_object(Context).settings)


def _folder(deployment: Deployment, folder: Path | None) -> Path:
    return folder or deployment.settings.rules.definitions


def _is_shared(deployment: Deployment, source: SourceChoice | None, url: str | None) -> bool:
    if url is not None and source is not None:
        raise ConfigurationError("--url is a source by itself: leave --source out")
    topic = follows(deployment.settings) if source is None else source is SourceChoice.TOPIC
    return url is not None or topic


def _found(place: Place, org: int, event: str) -> StoredEvent:
    stored = place.find(org, event)
    if stored is None:
        raise ConfigurationError(f"{_missing(org, event)} on {place.name}")
    return stored


def _body_of_file(deployment: Deployment, org: int, event: str) -> dict[str, Any]:
    folder = deployment.settings.rules.definitions
    for one in read_definitions(folder):
        if (one.definition.org_id, one.definition.event_name) == (org, event):
            return one.body
    raise ConfigurationError(f"{_missing(org, event)} in {folder}")


def _missing(org: int, event: str) -> str:
    return f"no event {event} of org {org}"


def _body(stored: StoredEvent, version: int | None) -> dict[str, Any]:
    if version is None:
        return last_body(stored)
    found = stored.published(version)
    if found is not None:
        return found.body | {"version": found.version}
    numbers = [one.version for one in stored.versions]
    raise ConfigurationError(f"{stored.event_name} has the versions {numbers}, not {version}")


def _rows(
    deployment: Deployment, source: SourceChoice | None, url: str | None
) -> list[dict[str, Any]]:
    if not _is_shared(deployment, source, url):
        return [
            row_of(
                (one.definition.org_id, one.definition.event_name),
                "disabled" if one.definition.disabled else "published",
                one.definition.version,
                one.body | {"actions": list(one.definition.actions)},
            )
            for one in read_definitions(deployment.settings.rules.definitions)
        ]
    return [
        row_of((one.org_id, one.event_name), one.state, one.version, one.body)
        for one in build_place(deployment, url).listed()
    ]
