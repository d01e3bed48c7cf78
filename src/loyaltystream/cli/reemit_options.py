"""The options of `loyaltystream re-emit`. Pure."""

from typing import Annotated

import typer

ToOption = Annotated[str, typer.Option("--to", metavar="TOPIC", help="The subscriber's own topic.")]
IdOption = Annotated[
    str, typer.Option("--re-emit-id", help="Names this; the same to go on with it.")
]
SinceOption = Annotated[
    str | None, typer.Option("--since", metavar="TIME", help="Written then or later.")
]
UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help="Written before that.")
]
CustomerOption = Annotated[
    str | None,
    typer.Option("--customer", metavar="TYPE=VALUE", help="Of a customer of --org."),
]
OrgOption = Annotated[int | None, typer.Option("--org", help="Of this org.")]
TypeOption = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="NAME", help="Of this type; may be repeated."),
]
CreateOption = Annotated[bool, typer.Option("--create", help="Make the topic, if it is not there.")]
RateOption = Annotated[
    float | None, typer.Option("--rate", min=0.001, help="Notifications a second at most.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
