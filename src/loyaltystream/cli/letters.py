"""`loyaltystream dead-letters`: what was not accepted. Does I/O: text out."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console

from loyaltystream.cli.choices import choosing
from loyaltystream.cli.context import Context
from loyaltystream.cli.why import NEVER_SEEN, reveal_option
from loyaltystream.deployment import Deployment
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.letters.choosing import Choice, Shelf, place_of
from loyaltystream.letters.counting import count
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.screen import render, render_counts, render_list
from loyaltystream.letters.state import States, Step, read_states
from loyaltystream.letters.telling import to_table, to_whole_table

app = typer.Typer(
    help="What was not accepted: which letters there are, and what is wrong with each.",
    no_args_is_help=True,
)

DEFAULT_COUNT: Final = 20

state_option = Annotated[
    Step | None, typer.Option("--state", help="Of which people did that, or nothing.")
]
json_option = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]


@app.command("list")
@choosing
def list_letters(
    context: typer.Context,
    choice: Choice,
    state: state_option = None,
    last: Annotated[int, typer.Option("-n", min=1, help="How many of the last.")] = DEFAULT_COUNT,
    as_json: json_option = False,
) -> None:
    """Show the last letters, one a line: what was not accepted, and why.

    TIME is ISO 8601 with a zone, or epoch milliseconds.
    """
    with _shelf(context) as shelf:
        letters = shelf.find(choice)
        tell_unreadable(shelf)
        states = _states(context, shelf)
    letters = _in_state(state, letters, states)
    if as_json:
        typer.echo(msgspec.json.encode([to_table(one, states) for one in letters[-last:]]))
    else:
        Console(highlight=False).print(render_list(letters[-last:], states, len(letters)))


@app.command()
@choosing
def stats(
    context: typer.Context,
    choice: Choice,
    state: state_option = None,
    as_json: json_option = False,
) -> None:
    """Count the letters by org, event, stage, verdict and reason, the most frequent first.

    TIME is ISO 8601 with a zone, or epoch milliseconds.
    """
    with _shelf(context) as shelf:
        letters = shelf.find(choice)
        tell_unreadable(shelf)
        if state is not None:
            letters = _in_state(state, letters, _states(context, shelf))
    counts = count(letters)
    if as_json:
        typer.echo(msgspec.json.encode(counts))
    else:
        Console(highlight=False).print(render_counts(counts))


@app.command()
def show(
    context: typer.Context,
    letter: Annotated[str, typer.Argument(metavar="LETTER", help="PARTITION/OFFSET, as listed.")],
    reveal: reveal_option = False,
    as_json: json_option = False,
) -> None:
    """Show a letter: its event, with a mark at each place where something is wrong.

    Whose event it is, and what is potentially sensitive, stays hidden unless --reveal is given.
    Exits with 6 if there is no such letter.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    sensitive = frozenset[str]() if reveal else deployment.sensitive_names
    with _shelf(context) as shelf:
        found = shelf.get(place_of(letter, shelf.topic))
        states = _states(context, shelf)
    if found is None:
        Console(stderr=True).print(f"no letter {letter} is retained", markup=False)
        raise typer.Exit(NEVER_SEEN)
    if as_json:
        typer.echo(msgspec.json.encode(to_whole_table(found, states, sensitive, reveal=reveal)))
    else:
        Console(highlight=False, soft_wrap=True).print(
            render(found, states.of(found.place), sensitive, reveal=reveal)
        )


def _in_state(state: Step | None, letters: Sequence[Letter], states: States) -> list[Letter]:
    """Return the letters with which people did that; None: whatever they did."""
    return [one for one in letters if state in {None, states.of(one.place).state}]


@contextmanager
def _shelf(context: typer.Context) -> Iterator[Shelf]:
    deployment = Deployment(context.ensure_object(Context).settings)
    reader = deployment.letter_reader
    with closing(LogSearcher(deployment.settings.kafka)) as log:
        yield Shelf(log, deployment.topics.dead_letter, reader)


def _states(context: typer.Context, shelf: Shelf) -> States:
    topic = Deployment(context.ensure_object(Context).settings).topics.letter_state
    return read_states(shelf.log, topic, shelf.log.bounds([topic])[topic])


def tell_unreadable(shelf: Shelf) -> None:
    """Say which letters could not be read."""
    for why in shelf.unreadable:
        Console(stderr=True).print(f"can't be read: letter {why}", markup=False, highlight=False)
