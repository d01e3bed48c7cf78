"""`loyaltystream re-emit`: notifications again, for one subscriber. Does I/O: text out."""

import json
import time
from typing import Any, Final

import msgspec
import typer
from rich.console import Console

from loyaltystream.cli.choices import moment
from loyaltystream.cli.context import Context
from loyaltystream.cli.mending import dry_run_option
from loyaltystream.cli.progress import progress_on
from loyaltystream.cli.reemit_options import (
    CreateOption,
    CustomerOption,
    IdOption,
    JsonOption,
    OrgOption,
    RateOption,
    SinceOption,
    ToOption,
    TypeOption,
    UntilOption,
)
from loyaltystream.cli.why import identifier_of
from loyaltystream.deployment import Deployment
from loyaltystream.errors import BrokerError, ConfigurationError, SchemaError
from loyaltystream.reemit.choosing import Choice
from loyaltystream.reemit.customer import Customer
from loyaltystream.reemit.sending import BATCH
from loyaltystream.reemitting import Wish, Work, opened
from loyaltystream.sending import Pace
from loyaltystream.tailing import shown

NAMED: Final = 5
"""So many of the records that can't be read are named."""


def re_emit(
    context: typer.Context,
    to: ToOption,
    reemit_id: IdOption,
    since: SinceOption = None,
    until: UntilOption = None,
    customer: CustomerOption = None,
    org: OrgOption = None,
    type_: TypeOption = None,
    create: CreateOption = False,
    rate: RateOption = None,
    dry_run: dry_run_option = False,
    as_json: JsonOption = False,
) -> None:
    """Send notifications once more, to a topic of one subscriber alone.

    Same ids, keys, headers and bytes, in the same order for each key; three headers more say that
    it is a re-emission. Nobody else reads anything of it.
    Under one --re-emit-id each is sent once, however often this is repeated or killed.
    What retention has removed is told. TIME is ISO 8601 with a zone, or epoch milliseconds.

    For example: [bold]loyaltystream re-emit --to crm-again --create --re-emit-id crm-outage
    --since 2026-01-31T08:00:00Z --until 2026-01-31T12:00:00Z[/]
    or: [bold]loyaltystream re-emit --to crm-again --re-emit-id case-17
    --customer mobile=919812345678 --org 1800[/]

    Exits with 3 if broker or registry failed; the same command goes on.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    choice = Choice(
        since_ms=moment("--since", since),
        until_ms=moment("--until", until),
        types=frozenset(type_ or []),
        org_id=org,
        customer=_customer(deployment, org, customer),
    )
    wish = Wish(reemit_id, to, choice, creates=create)
    stderr = Console(stderr=True, soft_wrap=True)
    with opened(deployment, wish, writes=not dry_run) as work:
        for one in work.course.gone:
            since_text = shown.moment(one.since_ms or -1) or ""
            told = one.told(deployment.topics.notifications, since_text)
            stderr.print(told, highlight=False, markup=False)
        _look(work, stderr) if dry_run else _send(work, stderr, rate)
    _tell(wish, work, dry_run=dry_run, as_json=as_json)


def _customer(deployment: Deployment, org: int | None, named: str | None) -> Customer | None:
    if named is None:
        return None
    if org is None:
        raise ConfigurationError("--customer needs --org: whose customer it is")
    kind, value = identifier_of(deployment, org, named)
    return Customer(org, kind, value, deployment.rules.country_codes.get(org, ""))


def _look(work: Work, stderr: Console) -> None:
    with progress_on(stderr, "looking at", work.course.offsets) as advance:
        for _ in work.reemitter.look(work.course):
            advance(work.told.offsets, work.told.meant)


def _send(work: Work, stderr: Console, rate: float | None) -> None:
    pace = None if rate is None else Pace(rate, clock=time.monotonic, sleep=time.sleep)
    # No more at once than a second brings, so that a slow rate is even.
    at_once = BATCH if rate is None else max(1, min(BATCH, int(rate)))
    try:
        with progress_on(stderr, "re-emitting", work.course.offsets) as advance:
            for found in work.reemitter.send(work.course, work.entry, work.ledger, at_once=at_once):
                if pace is not None and found.is_meant:
                    pace.wait()
                advance(work.told.offsets, work.told.meant)
    except (BrokerError, SchemaError):
        stderr.print("not finished; the same command goes on where this one stopped")
        raise


def _tell(wish: Wish, work: Work, *, dry_run: bool, as_json: bool) -> None:
    sent = 0 if dry_run else work.told.meant
    if as_json:
        typer.echo(json.dumps(_to_table(wish, work, sent)))
        return
    told, before = work.told, work.entry.sent
    console = Console(highlight=False, soft_wrap=True)
    for name, count in told.types.most_common():
        console.print(f"{shown.visible(name)}: {count:,}", markup=False)
    for line in told.unread[:NAMED]:
        console.print(f"can't be read, and was left out: {line}", markup=False)
    if len(told.unread) > NAMED:
        console.print(f"and {len(told.unread) - NAMED:,} more that can't be read")
    if before:
        console.print(f"sent under this name before: {before:,}")
    would = f"nothing was sent: --dry-run; it would be {told.meant:,}"
    said = would if dry_run else f"sent to {wish.topic}: {sent:,}"
    console.print(said, markup=False, style="bold")


def _to_table(wish: Wish, work: Work, sent: int) -> dict[str, Any]:
    return {
        "reEmitId": wish.reemit_id,
        "topic": wish.topic,
        "types": dict(sorted(work.told.types.items())),
        "sent": sent,
        "sentBefore": work.entry.sent,
        "unreadable": work.told.unread,
        "gone": msgspec.to_builtins(work.course.gone),
    }
