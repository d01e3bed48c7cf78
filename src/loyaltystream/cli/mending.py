"""`loyaltystream dead-letters repair|replay|release|discard`: letters that come back.

Does I/O: text out.
"""

import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console

from loyaltystream.cli.choices import choosing
from loyaltystream.cli.desk import Work, find, foretell, working
from loyaltystream.cli.letters import json_option
from loyaltystream.cli.progress import progress_on
from loyaltystream.errors import ConfigurationError
from loyaltystream.letters.choosing import Choice
from loyaltystream.letters.desk import BATCH, Desk, Sorted
from loyaltystream.letters.preview import Forecast
from loyaltystream.letters.repairing import read_patch
from loyaltystream.letters.replaying import Resent
from loyaltystream.letters.screen import render_forecast
from loyaltystream.letters.state import name_of
from loyaltystream.sending import Pace


class Send(Protocol):
    """Sends letters again, as the desk does; yields each before it is sent."""

    def __call__(self, resent: Sequence[Resent], *, at_once: int) -> Iterator[Resent]:
        """Send them, so many in a transaction at most."""


letters_argument = Annotated[
    list[str] | None, typer.Argument(metavar="[LETTER]...", help="PARTITION/OFFSET, as listed.")
]
all_option = Annotated[bool, typer.Option("--all", help="All letters there are.")]
because_option = Annotated[
    str, typer.Option("--because", help="Why: kept with the letter.", metavar="TEXT")
]
rate_option = Annotated[
    float | None, typer.Option("--rate", min=0.001, help="Letters a second at most.")
]
dry_run_option = Annotated[bool, typer.Option("--dry-run", help="Only tell what would come of it.")]


@choosing
def replay(
    context: typer.Context,
    *,
    letter: letters_argument = None,
    choice: Choice,
    everything: all_option = False,
    rate: rate_option = None,
    dry_run: dry_run_option = False,
    as_json: json_option = False,
) -> None:
    """Send the events of letters again, mended if they were repaired.

    First it is told what the judge makes of them. Workers may go on meanwhile.
    Each letter is sent once, however often this is repeated or killed.
    An event comes back 5 times at most.
    A letter of stage notify goes back there: mend its definition first.

    For example: [bold]loyaltystream dead-letters replay 3/1042[/]
    or: [bold]loyaltystream dead-letters replay --reason UNKNOWN_EVENT --dry-run[/]

    Exits with 6 if a letter that was named is not there.
    """
    with working(context) as work:
        letters = find(work, letter or [], choice, everything=everything)
        found = _sit_down(work, dry_run=dry_run).sort(letters)
        forecast = _foresee(work, found, as_json=as_json)
        sent = 0 if dry_run else _send(found, work.desk.replay, "replaying", rate)
    _tell(found, forecast, sent, "sent again", as_json=as_json, dry_run=dry_run)


@choosing
def release(
    context: typer.Context,
    *,
    letter: letters_argument = None,
    because: because_option = "",
    choice: Choice,
    everything: all_option = False,
    rate: rate_option = None,
    dry_run: dry_run_option = False,
    as_json: json_option = False,
) -> None:
    """Accept what is held as a conflict or as late, by your word and with a reason.

    The event comes back under a new id, made of the letter's place.
    The one check that held it is not asked; all others are.
    First it is told what the judge makes of the letters. Workers may go on meanwhile.
    Each letter is released once, however often this is repeated or killed.

    For example:
    [bold]loyaltystream dead-letters release 3/1042 --because "the till sent two bills as one"[/]
    or: [bold]loyaltystream dead-letters release --verdict late --because "till was offline"[/]

    Exits with 6 if a letter that was named is not there.
    """
    reason = _reason(because)
    with working(context) as work:
        letters = find(work, letter or [], choice, everything=everything)
        found = _sit_down(work, dry_run=dry_run).sort_held(letters)
        forecast = _foresee(work, found, as_json=as_json)
        send = partial(work.desk.release, reason=reason)
        sent = 0 if dry_run else _send(found, send, "releasing", rate)
    _tell(found, forecast, sent, "released", as_json=as_json, dry_run=dry_run)


@choosing
def repair(
    context: typer.Context,
    *,
    letter: letters_argument = None,
    patch: Annotated[
        str,
        typer.Option(
            "--patch", metavar="JSON|@FILE", help="A JSON patch (RFC 6902), or a file with it."
        ),
    ] = "",
    choice: Choice,
    everything: all_option = False,
    dry_run: dry_run_option = False,
    as_json: json_option = False,
) -> None:
    """Keep a JSON patch for letters; their replay will send them mended.

    First it is told what the judge makes of them. The letters stay as they are.
    A second patch takes the place of the first. A patch looks like this:
    [{"op": "replace", "path": "/fields/amount", "value": 12.5}]

    For example: [bold]loyaltystream dead-letters repair 3/1042 --patch @patch.json[/]

    Exits with 6 if a letter that was named is not there.
    """
    operations = read_patch(_text(patch))
    with working(context) as work:
        letters = find(work, letter or [], choice, everything=everything)
        found = _sit_down(work, dry_run=dry_run).sort(letters, operations)
        forecast = _foresee(work, found, as_json=as_json)
        if not dry_run:
            work.desk.repair(found.resent, operations)
    kept = 0 if dry_run else len(found.resent)
    _tell(found, forecast, kept, "repaired", as_json=as_json, dry_run=dry_run)


@choosing
def discard(
    context: typer.Context,
    *,
    letter: letters_argument = None,
    because: because_option = "",
    choice: Choice,
    everything: all_option = False,
    as_json: json_option = False,
) -> None:
    """Put letters away for good, with a reason: no replay takes them any more.

    They stay where they are, until retention removes them.
    Exits with 6 if a letter that was named is not there.
    """
    reason = _reason(because)
    with working(context) as work:
        letters = find(work, letter or [], choice, everything=everything)
        work.desk.open()
        put_away = work.desk.discard(letters, reason)
    if as_json:
        named = [name_of(one.place) for one in put_away]
        typer.echo(json.dumps({"discarded": named, "before": len(letters) - len(put_away)}))
        return
    _console().print(f"[bold]discarded {len(put_away):,}[/] of {len(letters):,} letters")


def _sit_down(work: Work, *, dry_run: bool) -> Desk:
    """Return the desk: taken over, or only looked at."""
    work.desk.look() if dry_run else work.desk.open()
    return work.desk


def _foresee(work: Work, found: Sorted, *, as_json: bool) -> Forecast:
    """Tell what the judge would make of the letters."""
    forecast = foretell(work, found)
    if not as_json:
        _console().print(render_forecast(forecast, found))
    return forecast


def _send(found: Sorted, send: Send, doing: str, rate: float | None) -> int:
    """Send letters again and show how far that is; return how many."""
    pace = None if rate is None else Pace(rate, clock=time.monotonic, sleep=time.sleep)
    # No more at once than a second brings, so that a slow rate is even.
    at_once = BATCH if rate is None else max(1, min(BATCH, int(rate)))
    total = sum(len(one.value) for one in found.resent)
    sent = read_bytes = 0
    with progress_on(Console(stderr=True), doing, total) as advance:
        for one in send(found.resent, at_once=at_once):
            if pace is not None:
                pace.wait()
            sent, read_bytes = sent + 1, read_bytes + len(one.value)
            advance(read_bytes, sent)
    return sent


def _tell(
    found: Sorted, forecast: Forecast, done: int, doing: str, *, as_json: bool, dry_run: bool
) -> None:
    if not as_json:
        said = "nothing was done: --dry-run" if dry_run else f"{doing}: {done:,}"
        _console().print(f"[bold]{said}[/]")
        return
    staying = {
        stay.name.lower(): [name_of(one.place) for one in letters]
        for stay, letters in found.staying.items()
    }
    table: dict[str, Any] = {
        "done": done,
        "forecast": {
            "verdicts": forecast.verdicts,
            "reasons": forecast.reasons,
            "letters": forecast.letters,
        },
        "staying": staying,
    }
    typer.echo(json.dumps(table))


def _reason(because: str) -> str:
    if not because.strip():
        raise ConfigurationError("--because says why: whoever looks for the letter will see it")
    return because.strip()


def _text(patch: str) -> str:
    if not patch:
        raise ConfigurationError("--patch says what to change: a JSON patch, or @FILE with one")
    if not patch.startswith("@"):
        return patch
    try:
        return Path(patch[1:]).read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"--patch {patch}: {error}") from error


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
