"""`loyaltystream tail`: what lies in a topic, decoded. Does I/O: text out."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import Annotated, Final

import typer
from rich.console import Console

from loyaltystream.cli.context import Context
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError, FatalBrokerError
from loyaltystream.events import Record
from loyaltystream.rendering.shapes import Rendering
from loyaltystream.tailing.decoding import reader_of
from loyaltystream.tailing.formats import Format, choose, to_rendered
from loyaltystream.tailing.hiding import UNSEEN, hide
from loyaltystream.tailing.reading import Tail
from loyaltystream.tailing.screen import render
from loyaltystream.tailing.shown import Shown, to_line
from loyaltystream.tailing.topics import ROLES, Asked, resolve, unknown

FOLLOW_S: Final = 0.5
DEFAULT_COUNT: Final = 10


count_option = Annotated[
    int | None,
    typer.Option(
        "-n", min=0, help="How many of the last records. [dim]Default: 10[/]", metavar="N"
    ),
]
reveal_option = Annotated[
    bool, typer.Option("--reveal", help="Show potentially sensitive values, *** otherwise.")
]


def tail(
    context: typer.Context,
    topic: Annotated[
        str, typer.Argument(help=f"A full topic name, or a role: {', '.join(ROLES)}.")
    ],
    count: count_option = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until ^C.")] = False,
    from_start: Annotated[
        bool, typer.Option("--from-start", help="All records that are retained.")
    ] = False,
    reveal: reveal_option = False,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="The last three, the vendor's JSON: only notifications."),
    ] = None,
) -> None:
    """Show the records of a topic, decoded: only committed ones, as every subscriber sees them.

    Avro is decoded by the schema that it was written with, from the registry.
    A dead letter shows every violation and the value as it arrived.
    What can't be decoded is shown with the reason.
    Values of fields that a definition marks with isPsiData are *** unless --reveal is given.

    For example: [bold]loyaltystream tail dead-letter -f[/]
    or: [bold]loyaltystream tail emf --from-start --json | jq .value.eventName[/]
    or: [bold]loyaltystream tail notifications --format flat[/]
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    if from_start and count is not None:
        raise ConfigurationError("--from-start shows all records, -n the last ones: choose one")
    asked = resolve(topic, deployment.topics, prefix=deployment.settings.topics.prefix)
    chosen = choose(asked, form, Format.JSON if as_json else None)
    _demand(deployment, asked)
    read = reader_of(asked.role, deployment.registry.writer_schema, deployment.ring)
    shows_all = reveal or asked.role in UNSEEN
    names = frozenset[str]() if shows_all else deployment.sensitive_names
    tell, log = _teller(chosen), Tail(deployment.reader, asked.topic)

    def show(records: Iterable[Record]) -> int:
        shown = 0
        for shown, record in enumerate(records, 1):  # noqa: B007 (how many there were)
            tell(Shown(asked.topic, record, hide(read(record.value), names)))
        return shown

    with suppress(KeyboardInterrupt):
        last = DEFAULT_COUNT if count is None else count
        if not show(log.every() if from_start else log.last(last)) and last:
            Console(stderr=True).print(f"{asked.topic} holds no record yet", markup=False)
        while follow:
            time.sleep(FOLLOW_S)
            show(log.new())


def _teller(chosen: Format) -> Callable[[Shown], None]:
    match chosen:
        case Format.TABLE:
            console = Console(highlight=False, soft_wrap=True)
            return lambda shown: console.print(render(shown))
        case Format.JSON:
            return lambda shown: typer.echo(to_line(shown))
        case _:
            return partial(_tell_rendered, rendering=Rendering(chosen))


def _tell_rendered(shown: Shown, rendering: Rendering) -> None:
    line = to_rendered(shown, rendering)
    if line.text is not None:
        typer.echo(line.text)
    if line.problem is not None:
        typer.echo(line.problem, err=True)


def _demand(deployment: Deployment, asked: Asked) -> None:
    """Refuse a topic that is not there; one of the deployment's own is told by the reader."""
    try:
        deployment.reader.partitions(asked.topic)
    except FatalBrokerError as error:
        if asked.role is not None:
            raise
        raise unknown(f"no topic {asked.topic}", deployment.topics) from error
