"""`loyaltystream demo`: the whole story on a real Kafka. Does I/O: text out."""

from typing import Annotated, Final

import typer
from rich.console import Console

from loyaltystream.auditing import build_audit
from loyaltystream.cli.context import Context
from loyaltystream.demo.run import Options, run
from loyaltystream.story import Recipe

NOT_EXACT: Final = 4


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option("--keep", help="Leave everything running.")] = False,
    events: Annotated[int, typer.Option(min=1_000, help="How many records are sent.")] = 20_000,
    rate: Annotated[int, typer.Option(min=20, help="How many of them a second.")] = 1_000,
    seed: Annotated[int, typer.Option(help="Which story: the same for the same number.")] = 1,
) -> None:
    """Play the whole story on a real Kafka: a shop's events, a SIGKILL, an audit.

    Starts the local platform, unless it runs, and one worker a stage; sends what a shop's careless
    producers send; kills the ingest worker half way and starts it again; at the end an audit judges
    every record again, from the log alone. Exits with 4 if that finds anything lost or doubled.
    """
    settings = context.ensure_object(Context).settings
    options = Options(Recipe(events=events), seed=seed, per_second=rate, keep=keep)
    exact = run(settings, options, Console(), build_audit=lambda ours: build_audit(ours).run)
    if not exact:
        raise typer.Exit(NOT_EXACT)
