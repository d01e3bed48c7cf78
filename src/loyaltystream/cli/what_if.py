"""`loyaltystream definitions what-if`: would another definition do better? Does I/O: text out."""

import json
import time
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loyaltystream.cli.context import Context
from loyaltystream.definitions.files import read_definition
from loyaltystream.deployment import Deployment
from loyaltystream.foresight import HOUR_MS, Bounds
from loyaltystream.whatif import Effect, Outlook

_PACE_RECORDS: Final = 100_000


def what_if(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The definition: ORG/EVENT.json, in any folder.")],
    hours: Annotated[
        float, typer.Option("--hours", min=0.01, help="How far back events are looked at.")
    ] = 24.0,
    rate: Annotated[
        float, typer.Option("--rate", min=1, help="Records a second at most.")
    ] = _PACE_RECORDS,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Tell what a definition would have done to the last hours' events, and to older dead letters.

    Every event of its name is read by the definition in force and by this one: how many this one
    fixes, newly rejects, or would route elsewhere, with samples. Nothing is written. Whether an
    event was seen before is not asked, so a resend counts as often as it came.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    other = read_definition(file)
    current = next(
        (
            one
            for one in deployment.event_definitions
            if (one.org_id, one.event_name) == (other.org_id, other.event_name)
        ),
        None,
    )
    since_ms = int(time.time() * 1000 - hours * HOUR_MS)
    topics = deployment.topics.ingest, deployment.topics.dead_letter
    with Console(stderr=True).status(f"looking at {escape(' and '.join(topics))} ..."):
        looked = deployment.foresight.look(other, current, since_ms=since_ms, bounds=Bounds(rate))
    outlooks = dict(zip(topics, looked, strict=True))
    for why, count in looked[1].unopened.items():
        Console(stderr=True).print(f"{count:,} letters not looked at: {why}", markup=False)
    if as_json:
        told = {topic: outlook.to_json() for topic, outlook in outlooks.items()}
        typer.echo(json.dumps(told))
        return
    for topic, outlook in outlooks.items():
        _tell(topic, outlook)


def _tell(topic: str, outlook: Outlook) -> None:
    console = Console(highlight=False, soft_wrap=True)
    counts = ", ".join(f"{effect.value} {outlook.effects[effect]:,}" for effect in Effect)
    console.print(f"[bold]{escape(topic)}[/]: {outlook.records:,} records looked at; {counts}")
    if not outlook.cases:
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("", "record", "eventId", "why"):
        table.add_column(column, overflow="fold")
    for case in outlook.cases:
        told = "\n".join(case.told)
        table.add_row(
            case.effect.value, escape(case.place), escape(case.event_id or ""), escape(told)
        )
    console.print(table)
