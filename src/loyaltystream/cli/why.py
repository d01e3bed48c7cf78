"""`loyaltystream why`: what became of an event. Does I/O: text out."""

from collections.abc import Sequence
from contextlib import closing
from typing import Annotated, Final, NamedTuple

import typer
from rich.console import Console

from loyaltystream.asking import build_why
from loyaltystream.audit.findings import Place
from loyaltystream.cli.context import Context
from loyaltystream.definitions.model import IDENTIFIER_TYPES, EventDefinition
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.kafka.searching import LogSearcher
from loyaltystream.keys import normalise_identifier, partition_key
from loyaltystream.masking import mask_key
from loyaltystream.verdicts import Reason
from loyaltystream.why.arrivals import reveal_key
from loyaltystream.why.asking import Why
from loyaltystream.why.screen import render, render_list
from loyaltystream.why.story import Answer

NEVER_SEEN: Final = 6
_WAYS: Final = "an EVENT_ID, --source, --unique-key or --customer"

reveal_option = Annotated[
    bool, typer.Option("--reveal", help="Show customers' identifiers, which are *** otherwise.")
]


event_argument = Annotated[
    str | None, typer.Argument(metavar="[EVENT_ID]", help="The event's id.", show_default=False)
]
org_option = Annotated[
    int | None, typer.Option("--org", help="Whose event. [dim]Default: any org's[/]")
]
source_option = Annotated[
    str | None,
    typer.Option("--source", metavar="TOPIC/PARTITION/OFFSET", help="By a record, any of ours."),
]
unique_key_option = Annotated[
    str | None,
    typer.Option("--unique-key", metavar="EVENT_NAME", help="By the unique key; see --value."),
]
value_option = Annotated[
    list[str] | None,
    typer.Option("--value", help="A value of the unique key, in the definition's order."),
]
customer_option = Annotated[
    str | None,
    typer.Option("--customer", metavar="TYPE=VALUE", help="A customer; alone: all her events."),
]


class Asked(NamedTuple):
    """What is looked for, by exactly one way."""

    event_id: str | None
    org: int | None
    source: str | None
    unique_key: str | None
    values: Sequence[str]
    customer: str | None


def why(
    context: typer.Context,
    event_id: event_argument = None,
    org: org_option = None,
    source: source_option = None,
    unique_key: unique_key_option = None,
    value: value_option = None,
    customer: customer_option = None,
    reveal: reveal_option = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Tell everything that became of an event, in order, from the topics alone.

    Where and when it was received, its verdict and every reason,
    where it was routed, which notifications it caused, what people did with its letter.
    For a duplicate or a conflict: what was accepted before.

    For example: [bold]loyaltystream why 0b6f3c1e-8d1f-4b52-9f6e-2d0c6f1f4a11[/]
    or: [bold]loyaltystream why --source behavioral-events/3/1042[/]
    or: [bold]loyaltystream why --customer mobile=919812345678 --org 1800[/]
    or the same with [bold]--unique-key orderPaid --value A-1001[/]

    Exits with 6 if no topic knows of it, and says how far back they reach.
    """
    ways = [event_id, source, unique_key or customer]
    if sum(way is not None for way in ways) != 1:
        raise ConfigurationError(f"say what is looked for by {_WAYS}: one of them")
    asked = Asked(event_id, org, source, unique_key, value or [], customer)
    deployment = Deployment(context.ensure_object(Context).settings)
    with closing(LogSearcher(deployment.settings.kafka)) as log:
        shown_key = reveal_key if reveal else mask_key
        definitions = deployment.event_definitions
        asker = build_why(deployment, log, definitions=definitions, show_key=shown_key)
        answer = _answer(deployment, asker, asked)
    if as_json:
        typer.echo(answer.to_json())
    else:
        shown = render_list if customer and unique_key is None else render
        Console(highlight=False).print(shown(answer))
    if not answer.found:
        raise typer.Exit(NEVER_SEEN)


def _answer(deployment: Deployment, asker: Why, asked: Asked) -> Answer:
    if asked.event_id is not None:
        return asker.of_id(asked.event_id, asked.org)
    if asked.source is not None:
        return asker.of_place(_place(asked.source))
    if asked.customer is None or asked.org is None:
        raise ConfigurationError("--unique-key and --customer need --customer TYPE=VALUE and --org")
    key = _partition_key(deployment, asked.org, asked.customer)
    if asked.unique_key is None:
        return asker.of_customer(key)
    definition = _definition(deployment, asked.org, asked.unique_key)
    fields = [field.name for field in definition.unique_fields]
    if len(fields) != len(asked.values):
        named = ", ".join(fields) or "nothing: it has no unique key"
        raise ConfigurationError(f"{asked.unique_key} needs a --value for each of: {named}")
    return asker.of_unique_key(definition, key, dict(zip(fields, asked.values, strict=True)))


def _definition(deployment: Deployment, org: int, name: str) -> EventDefinition:
    for definition in deployment.event_definitions:
        if (definition.org_id, definition.event_name) == (org, name):
            return definition
    raise ConfigurationError(f"org {org} has no definition of {name}")


def _partition_key(deployment: Deployment, org: int, customer: str) -> bytes:
    return partition_key(org, *identifier_of(deployment, org, customer)).encode()


def identifier_of(deployment: Deployment, org: int, customer: str) -> tuple[str, str]:
    """Return type and value of the identifier that names a customer, normalised.

    Raises:
        ConfigurationError: if it names nobody.
    """
    kind, found, value = customer.partition("=")
    types = {name.lower(): name for name in IDENTIFIER_TYPES}
    if not found or kind.lower() not in types:
        raise ConfigurationError(f"--customer is TYPE=VALUE; TYPE is one of {', '.join(types)}")
    country_code = deployment.rules.country_codes.get(org, "")
    text = normalise_identifier(types[kind.lower()], value, country_code)
    if isinstance(text, Reason):
        raise ConfigurationError(f"--customer: that is no usable {kind} ({text.value})")
    return types[kind.lower()], text


def _place(text: str) -> Place:
    try:
        topic, partition, offset = text.rsplit("/", 2)
        return Place(topic, int(partition), int(offset))
    except ValueError as error:
        raise ConfigurationError(f"--source is TOPIC/PARTITION/OFFSET, not {text}") from error
