"""`loyaltystream serve`: the HTTP side. Does I/O: HTTP, a file of tokens, text out."""

from enum import StrEnum
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.markup import escape

from loyaltystream.cli.context import Context
from loyaltystream.defining import follows, limits_of
from loyaltystream.deployment import Deployment
from loyaltystream.errors import ConfigurationError
from loyaltystream.telemetry import logs
from loyaltystream.telemetry.gateway import GatewayTelemetry
from loyaltystream.telemetry.serving import serve_registry
from loyaltystream.web.tokens import Tokens, add_token, load_tokens, mint
from loyaltystream.working import tune_allocator, tune_interpreter

app = typer.Typer(help="The HTTP side: services, and who may ask them.", no_args_is_help=True)


METRICS: Final = 128
"""The gateway's metrics are served so far above the first worker's."""

LEAVE_S: Final = 4
"""Longer than events may wait for Kafka, what was begun is waited for by so much."""


class RoleChoice(StrEnum):
    """What a token allows."""

    VIEWER = "viewer"
    EDITOR = "editor"
    PRODUCER = "producer"


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
        from loyaltystream.web.book import Book  # noqa: PLC0415 (likewise)
        from loyaltystream.web.probing import Probing  # noqa: PLC0415 (likewise)
    except ImportError as error:
        raise _not_installed(error) from error
    deployment.reader.partitions(deployment.topics.definitions)
    # What is wrong with the topic is told now, and whoever asks first does not wait for it.
    deployment.desk.read()
    logs.configure(settings.telemetry, "definitions", settings.worker.instance)
    built = build_application(
        Book(deployment.desk, limits_of(settings)),
        tokens,
        foresight=deployment.foresight,
    )
    probed = Probing(built, lambda: deployment.reader.partitions(deployment.topics.definitions))
    serve(probed, settings.http.host, settings.http.port)


@app.command()
def gateway(context: typer.Context) -> None:
    """Take events over HTTP, for producers without Kafka; each is acknowledged once Kafka has it.

    In four dialects, each under its vendor's path, single and in batches; GET /events/ID tells what
    became of one, and /docs shows all routes. Every call needs a token of its org with role
    producer (see `serve token`). Any number of these can run.
    """
    deployment = Deployment(context.ensure_object(Context).settings)
    settings = deployment.settings
    tokens = Tokens(load_tokens(settings.http.tokens))
    try:
        from loyaltystream.web.application import serve  # noqa: PLC0415 (as above)
        from loyaltystream.web.probing import Probing  # noqa: PLC0415 (as above)
    except ImportError as error:
        raise _not_installed(error) from error
    from loyaltystream.taking import build, traced  # noqa: PLC0415 (it needs the same)

    tune_allocator()
    deployment.reader.partitions(deployment.topics.ingest)
    logs.configure(settings.telemetry, "gateway", settings.worker.instance)
    logs.hide_requests()
    telemetry = GatewayTelemetry()
    built, close = traced(build(deployment, tokens, telemetry), settings)
    port = settings.telemetry.metrics_port
    serve_registry(telemetry.registry, settings.telemetry.metrics_host, port and port + METRICS)
    tune_interpreter()
    try:
        serve(
            Probing(built, lambda: deployment.reader.partitions(deployment.topics.ingest)),
            settings.gateway.host,
            settings.gateway.port,
            grace_s=settings.gateway.message_timeout_ms // 1000 + LEAVE_S,
            connections=settings.gateway.connections,
        )
    finally:
        close()


@app.command()
def token(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Whose it is; stands beside each change.")],
    org: Annotated[int, typer.Option("--org", help="Whose definitions or events it is for.")],
    role: Annotated[
        RoleChoice, typer.Option("--role", help="Look only, change as well, or only send events.")
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


def _not_installed(error: ImportError) -> ConfigurationError:
    return ConfigurationError(
        f"{error.name} is not installed: `pip install 'loyaltystream[service]'`"
    )
