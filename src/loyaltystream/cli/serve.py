"""`loyaltystream serve`: the HTTP side. Does I/O: HTTP, a file of tokens, text out."""

from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from loyaltystream.app import Deployment
from loyaltystream.cli.context import Context
from loyaltystream.defining import follows, limits_of
from loyaltystream.errors import ConfigurationError
from loyaltystream.telemetry import logs
from loyaltystream.web.tokens import Tokens, add_token, load_tokens, mint

app = typer.Typer(help="The HTTP side: services, and who may ask them.", no_args_is_help=True)


class RoleChoice(StrEnum):
    """What a token allows."""

    VIEWER = "viewer"
    EDITOR = "editor"


@app.command()
def definitions(context: typer.Context) -> None:
    """Serve the definitions of events: the vendor's Create Event API, dry runs, samples.

    Everything is stored on the topic that workers follow; /docs shows all routes. Every call needs
    a token of its org (see `serve token`). Any number of these can run.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    settings = deployment.settings
    if not follows(settings):
        raise ConfigurationError(
            'definitions.source is "files": no worker would hear of what is changed here; '
            'set it to "topic", and fill that by `loyaltystream definitions apply`'
        )
    tokens = Tokens(load_tokens(settings.http.tokens))
    try:
        # Half a second that no other command needs, of an extra that may not be there.
        from loyaltystream.web.application import build_application, serve  # noqa: PLC0415
    except ImportError as error:
        raise ConfigurationError(
            f"{error.name} is not installed: `pip install 'loyaltystream[service]'`"
        ) from error
    deployment.reader.partitions(deployment.topics.definitions)
    logs.configure(settings.telemetry)
    built = build_application(
        deployment.desk, tokens, limits=limits_of(settings), rules=deployment.rules
    )
    serve(built, settings.http.host, settings.http.port)


@app.command()
def token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose it is; stands beside each change.")],
    org: Annotated[int, typer.Option("--org", help="Whose definitions it is for.")],
    role: Annotated[
        RoleChoice, typer.Option("--role", help="Look only, or change as well.")
    ] = RoleChoice.VIEWER,
) -> None:
    """Make a token for an org, and show it this once; http.tokens keeps a salted hash of it.

    A running service reads the file when it starts. To take a token back, take its lines out.
    """
    file = context.ensure_object(Context).settings.http.tokens
    text, kept = mint(name, org, role.value)
    add_token(file, kept)
    Console(stderr=True, soft_wrap=True).print(
        f"token of org {org}, {role.value}, kept as a hash in {escape(str(file))}:"
    )
    typer.echo(text)
