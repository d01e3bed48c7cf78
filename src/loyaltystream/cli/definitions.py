"""`loyaltystream definitions`: what events look like, in files and on the topic. Does I/O: text."""

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from loyaltystream.app import Deployment
from loyaltystream.cli.context import Context
from loyaltystream.cli.definition_tables import event_table, row_of, tell_steps
from loyaltystream.defining import follows, limits_of
from loyaltystream.definitions.applying import Applied, apply
from loyaltystream.definitions.changing import Changed, Mark, disable
from loyaltystream.definitions.files import disable_file, read_definitions
from loyaltystream.definitions.history import Name
from loyaltystream.definitions.packing import write_pack
from loyaltystream.definitions.stored import StoredEvent
from loyaltystream.errors import ConfigurationError

DIFFERENT: Final = 4

app = typer.Typer(
    help="Event definitions: in files, and on the topic that workers follow.",
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
    context: typer.Context, folder: folder_argument = None, as_json: json_option = False
) -> None:
    """Show what `apply` would change on the topic, and what it would refuse.

    Exits with 4 if files and topic differ.
    """
    deployment = _deployment(context)
    events = deployment.desk.read().events
    applied = _applied(deployment, folder)(events, Mark(1, 0, ""))
    tell_steps(applied.steps, as_json=as_json, done=False)
    if any(step.action != "keep" for step in applied.steps):
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
    as_json: json_option = False,
) -> None:
    """Write the definitions of files to the topic; what is the same there is left alone.

    A definition that is there gets a next version, which may only add: optional fields, another
    description, other notifications. Running workers judge by it from their next batch on. What is
    on the topic only stays. All is written or nothing.

    Exits with 2 if anything is refused; each reason is told.
    """
    deployment = _deployment(context)
    decide = _applied(deployment, folder)
    if dry_run:
        applied = decide(deployment.desk.read().events, Mark(1, 0, ""))
    else:
        applied = Applied([], [])

        def change(events: Any, mark: Mark) -> Sequence[StoredEvent]:  # noqa: ANN401 (of the desk)
            nonlocal applied
            applied = decide(events, mark)
            return [] if applied.refused else applied.stored

        deployment.desk.change(_who(deployment), change)
    tell_steps(applied.steps, as_json=as_json, done=not dry_run and not applied.refused)
    if applied.refused:
        raise typer.Exit(ConfigurationError.exit_code)


@app.command("list")
def list_events(
    context: typer.Context,
    source: source_option = None,
    org: Annotated[int | None, typer.Option("--org", help="Of one org only.")] = None,
    as_json: json_option = False,
) -> None:
    """List all events: state, version, actions, number of fields."""
    rows = [row for row in _rows(_deployment(context), source) if org in {None, row["orgId"]}]
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
    as_json: json_option = False,
) -> None:
    """Show a definition, as the Create Event API takes it; with --json all that is stored of it."""
    deployment = _deployment(context)
    if _is_topic(deployment, source):
        stored = _found(deployment, org, event)
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
    as_json: json_option = False,
) -> None:
    """Reject an event from now on, for good: its name stays taken, and can't be enabled again.

    On the topic running workers do so from their next batch on; in files `"disabled": true` is
    written into the event's file, which workers read when they start.
    """
    deployment = _deployment(context)
    if not yes:
        raise ConfigurationError(f"disabling {event} is for good: say --yes if that is meant")
    if _is_topic(deployment, source):
        _disable_on_topic(deployment, org, event)
        where = deployment.topics.definitions
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


def _is_topic(deployment: Deployment, source: SourceChoice | None) -> bool:
    return follows(deployment.settings) if source is None else source is SourceChoice.TOPIC


def _who(deployment: Deployment) -> str:
    return f"command line on {deployment.settings.worker.instance}"


def _applied(deployment: Deployment, folder: Path | None) -> Callable[[Any, Mark], Applied]:
    """Return what says what files change; the files are read once."""
    written = read_definitions(_folder(deployment, folder))
    limits = limits_of(deployment.settings)
    return lambda events, mark: apply(events, written, mark=mark, limits=limits)


def _disable_on_topic(deployment: Deployment, org: int, event: str) -> None:
    def change(events: Mapping[Name, StoredEvent], mark: Mark) -> Changed:
        return disable(events.get((org, event)), event, mark=mark)

    made = deployment.desk.change_one(_who(deployment), change)
    if isinstance(made, list):
        raise ConfigurationError(made[0].message)


def _found(deployment: Deployment, org: int, event: str) -> StoredEvent:
    stored = deployment.desk.read().events.get((org, event))
    if stored is None:
        raise ConfigurationError(f"{_missing(org, event)} on {deployment.topics.definitions}")
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
    numbers = [one.version for one in stored.versions]
    if version is None and not numbers and stored.draft is not None:
        return stored.draft.body
    wanted = stored.version if version is None else version
    found = stored.published(wanted)
    if found is not None:
        return found.body | {"version": found.version}
    raise ConfigurationError(f"{stored.event_name} has the versions {numbers}, not {wanted}")


def _rows(deployment: Deployment, source: SourceChoice | None) -> list[dict[str, Any]]:
    if not _is_topic(deployment, source):
        return [
            row_of(
                (one.definition.org_id, one.definition.event_name),
                "disabled" if one.definition.disabled else "published",
                one.definition.version,
                one.body | {"actions": list(one.definition.actions)},
            )
            for one in read_definitions(deployment.settings.rules.definitions)
        ]
    events = deployment.desk.read().events
    return [
        row_of(name, stored.state, stored.version, _body(stored, None))
        for name, stored in sorted(events.items())
    ]
