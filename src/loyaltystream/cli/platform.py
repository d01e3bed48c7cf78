"""`loyaltystream platform ...`: the local Kafka and registry. Does I/O: text out."""

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loyaltystream.cli.context import Context
from loyaltystream.platform import LocalPlatform, ServiceState, report_on
from loyaltystream.platform.tail import Tail
from loyaltystream.settings import Settings, variable

NOT_RUNNING = 3
FOLLOW_S = 0.25

app = typer.Typer(
    name="platform",
    no_args_is_help=True,
    rich_markup_mode="rich",
    # One line a paragraph: typer keeps the line breaks of all but the first.
    help=(
        "Runs a real Kafka and a real schema registry on this machine, without Docker.\n\n"
        "The first start downloads 200 MB (checked, kept in a cache); later ones take seconds and "
        "no network. Both listen on 127.0.0.1 only, outlive this command, and keep their data over "
        "restarts and crashes."
    ),
    epilog=(
        "Settings: [bold]platform.kafka_port[/], [bold]platform.registry_port[/] (0 takes a free "
        "one and keeps it), [bold]platform.directory[/] (data and logs; stop, then delete it to "
        "begin anew), [bold]platform.cache[/]."
    ),
)


class Name(StrEnum):
    """A service of the platform."""

    KAFKA = "kafka"
    REGISTRY = "registry"


@app.command()
def start(context: typer.Context) -> None:
    """Start Kafka and the registry, and wait until both serve clients.

    What already runs is left alone, so a second start only prints the addresses again.
    """
    platform = _platform(context)
    platform.start()
    console = Console()
    console.print(_table(platform.status()))
    for line in _what_next(platform, _settings(context)):
        console.print(line, soft_wrap=True, highlight=False)


@app.command()
def stop(
    context: typer.Context,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing.")] = False,
) -> None:
    """Stop Kafka and the registry of this directory; their data stay."""
    stopped = _platform(context).stop()
    if not quiet:
        typer.echo(f"stopped {' and '.join(stopped)}" if stopped else "nothing was running")


@app.command()
def status(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show what runs, where, and how much memory it takes; exit with 3 unless both run."""
    states = _platform(context).status()
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in states], default=str, indent=2))
    else:
        Console().print(_table(states))
    if not all(state.running for state in states):
        raise typer.Exit(NOT_RUNNING)


@app.command()
def logs(
    context: typer.Context,
    name: Annotated[Name | None, typer.Argument(help="Only this one's.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many at first.")] = 40,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until ^C.")] = False,
) -> None:
    """Show the ends of the logs: warnings, errors, starts."""
    platform = _platform(context)
    tails = {one.name: Tail(one.log) for one in platform.status() if name in {None, one.name}}
    for service, ending in platform.logs(lines=lines).items():
        if service in tails:
            _echo(service, ending)
    with suppress(KeyboardInterrupt):
        while follow:
            for service, tail in tails.items():
                _echo(service, tail.new_lines())
            time.sleep(FOLLOW_S)


def _settings(context: typer.Context) -> Settings:
    return context.ensure_object(Context).settings


def _platform(context: typer.Context) -> LocalPlatform:
    return LocalPlatform(_settings(context).platform, report=report_on(Console(stderr=True)))


def _table(states: Sequence[ServiceState]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("service", "address", "state", "memory"):
        table.add_column(column, overflow="fold")
    for state in states:
        table.add_row(
            state.name,
            escape(state.address or "not chosen yet"),
            f"[green]running[/] (pid {state.pid})" if state.running else "[yellow]stopped[/]",
            f"{state.memory_bytes / 1e6:.0f} MB" if state.running else "",
        )
    return table


def _what_next(platform: LocalPlatform, settings: Settings) -> Iterator[str]:
    yield f"Data and logs are in {escape(str(platform.directory))}."
    named = {
        "kafka.bootstrap_servers": (platform.broker.address, settings.kafka.bootstrap_servers),
        "registry.url": (platform.registry.address, settings.registry.url),
    }
    if elsewhere := {name: here for name, (here, there) in named.items() if here != there}:
        yield "Your settings name other addresses; to work with this platform:"
        yield from (
            f"  [bold]export {variable(name)}={here}[/]" for name, here in elsewhere.items()
        )
    yield "Next: [bold]loyaltystream init[/] makes the topics and registers the schemas."


def _echo(name: str, lines: Sequence[str]) -> None:
    for line in lines:
        typer.echo(f"{name} | {line}")
