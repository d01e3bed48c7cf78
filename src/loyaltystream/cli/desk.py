"""What the commands that deal with letters share. Does I/O: makes clients."""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final, NamedTuple

import typer
from rich.console import Console

from loyaltystream.app import build_notify
from loyaltystream.audit.findings import Place
from loyaltystream.cli.context import Context
from loyaltystream.cli.letters import tell_unreadable
from loyaltystream.cli.why import NEVER_SEEN
from loyaltystream.defining import build_source
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.kafka.writing import TransactionalWriter
from loyaltystream.letters.choosing import Choice, Shelf, place_of
from loyaltystream.letters.desk import Desk, Sorted
from loyaltystream.letters.letter import Letter
from loyaltystream.letters.preview import Forecast, Judges, Preview
from loyaltystream.letters.replaying import Resender
from loyaltystream.letters.state import name_of
from loyaltystream.sending import Keyer

TRANSACTIONS: Final = "dead-letters"
"""What stands for the stage in the transactional id: one person at the desk at a time."""


class Work(NamedTuple):
    """What a command has in its hands."""

    deployment: Deployment
    log: LogSearcher
    shelf: Shelf
    desk: Desk


@contextmanager
def working(context: typer.Context) -> Iterator[Work]:
    """Yield a desk that nobody has sat down at yet, and let go of the broker."""
    deployment = Deployment(context.ensure_object(Context).settings)
    settings, topics = deployment.settings, deployment.topics
    keyer = Keyer(deployment.event_definitions, deployment.rules)
    writer = TransactionalWriter(
        settings.kafka,
        settings.worker,
        transactional_id=f"{settings.worker.group_prefix}.{TRANSACTIONS}",
    )
    with closing(LogSearcher(settings.kafka)) as log, closing(writer):
        shelf = Shelf(log, topics.dead_letter, deployment.letter_reader)
        desk = Desk(
            log,
            topics.letter_state,
            writer=writer,
            resender=Resender(
                topics,
                keyer=keyer,
                signer=deployment.signer,
                imports=deployment.import_signer,
            ),
            now_ms=_now_ms,
        )
        yield Work(deployment, log, shelf, desk)


def _now_ms() -> int:
    return int(time.time() * 1000)


def find(work: Work, named: Sequence[str], choice: Choice, *, everything: bool) -> list[Letter]:
    """Return the letters that are meant, by name or by what they say."""
    if [bool(named), choice != Choice(), everything].count(True) != 1:
        raise ConfigurationError(
            "say which letters are meant: by PARTITION/OFFSET, by options such as --reason, "
            "or --all: one of these ways"
        )
    if not named:
        found = work.shelf.find(choice)
        tell_unreadable(work.shelf)
        return found
    return [_get(work, place_of(text, work.shelf.topic)) for text in dict.fromkeys(named)]


def _get(work: Work, place: Place) -> Letter:
    found = work.shelf.get(place)
    if found is None:
        name = name_of(place)
        Console(stderr=True).print(f"no letter {name} is retained; nothing was done", markup=False)
        raise typer.Exit(NEVER_SEEN)
    return found


def foretell(work: Work, found: Sorted) -> Forecast:
    """Return what would become of letters that are sent again now."""
    return preview(work.deployment, work.log).forecast(found.resent, now_ms=_now_ms())


def preview(deployment: Deployment, log: LogSearcher) -> Preview:
    """Return what judges records without sending them."""
    schema_id = deployment.event_schema_id()
    definitions = build_source(deployment.settings, deployment.topics, schema_id)
    return Preview(
        log,
        deployment.topics,
        layout=deployment.layout,
        judges=Judges(
            deployment.ingest(),
            lambda: build_notify(deployment, deployment.open_letters("notify")),
        ),
        definitions=definitions.view(),
    )
