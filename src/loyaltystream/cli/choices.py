"""The options that say which letters are meant, for every command that takes letters. Pure."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated

import typer

from loyaltystream.errors import ConfigurationError
from loyaltystream.letters.choosing import Choice
from loyaltystream.times import occurred_at_ms
from loyaltystream.verdicts import DEAD_VERDICTS, Reason


def chosen(
    reason: Annotated[
        list[str] | None,
        typer.Option(
            "--reason", metavar="CODE", help="With this reason; of several, one at least."
        ),
    ] = None,
    event: Annotated[
        str | None, typer.Option("--event", metavar="NAME", help="Of this event.")
    ] = None,
    event_id: Annotated[
        str | None, typer.Option("--id", metavar="EVENT_ID", help="Of this eventId.")
    ] = None,
    org: Annotated[int | None, typer.Option("--org", help="Of this org.")] = None,
    stage: Annotated[
        str | None, typer.Option("--stage", help="Written by this stage.", metavar="ingest|notify")
    ] = None,
    verdict: Annotated[
        str | None,
        typer.Option("--verdict", metavar="rejected|conflict|late", help="Of this verdict."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Written then or later.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Written before that.")
    ] = None,
) -> Choice:
    """Return the choice that the options make.

    Raises:
        ConfigurationError: if one of them is no reason, stage, verdict or time.
    """
    return Choice(
        reasons=frozenset(_known("--reason", one.upper(), [*Reason]) for one in reason or []),
        event_name=event,
        event_id=event_id,
        org_id=org,
        stage=None if stage is None else _known("--stage", stage, ["ingest", "notify"]),
        verdict=None if verdict is None else _known("--verdict", verdict, sorted(DEAD_VERDICTS)),
        since_ms=moment("--since", since),
        until_ms=moment("--until", until),
    )


def choosing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `chosen`, where it takes a `choice`."""
    options = inspect.signature(chosen).parameters

    @wraps(command)
    def run(**given: object) -> None:
        values = {name: given.pop(name) for name in options}
        command(choice=chosen(**values), **given)  # type: ignore[arg-type]  # as typer read them

    own = inspect.signature(command)
    parameters = [
        one
        for name, parameter in own.parameters.items()
        for one in (options.values() if name == "choice" else [parameter])
    ]
    shown = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in parameters]
    # What typer reads instead of the command's own.
    run.__signature__ = own.replace(parameters=shown)  # type: ignore[attr-defined]  # of functions
    run.__annotations__ = {one.name: one.annotation for one in parameters}
    return run


def _known(option: str, value: str, known: list[str]) -> str:
    if value in known:
        return value
    raise ConfigurationError(f"{option} {value}: not one of {', '.join(known)}")


def moment(option: str, text: str | None) -> int | None:
    """Return the epoch milliseconds that an option names, if it was given.

    Raises:
        ConfigurationError: if it is no moment.
    """
    if text is None:
        return None
    moment_ms = occurred_at_ms(int(text) if text.isdecimal() else text)
    if isinstance(moment_ms, int):
        return moment_ms
    raise ConfigurationError(f"{option} {text}: not a moment such as 2026-01-31T08:00:00Z")
