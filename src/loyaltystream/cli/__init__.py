"""The command line: one file a command group, no logic. Does I/O: arguments in, text out.

Exit codes: 0 done; 1 a fault of ours; 2 a setting or argument is wrong; 3 broker, registry or
platform failed; 4 the audit, or a snapshot, is not exact, definitions differ, or the doctor warns;
5 the memory does not fit the log; 6 no topic knows of what was asked for.
"""

import sys

import typer
from rich.console import Console
from rich.markup import escape

from loyaltystream.cli import definitions, letters, memory, mending, platform, schemas, serve
from loyaltystream.cli.acls import acls
from loyaltystream.cli.audit import audit
from loyaltystream.cli.backfill import backfill
from loyaltystream.cli.context import Context, settings_option, version_option
from loyaltystream.cli.demo import demo
from loyaltystream.cli.doctor import doctor
from loyaltystream.cli.init import init
from loyaltystream.cli.reemit import re_emit
from loyaltystream.cli.run import run
from loyaltystream.cli.send import send
from loyaltystream.cli.tail import tail
from loyaltystream.cli.what_if import what_if
from loyaltystream.cli.why import why
from loyaltystream.errors import LoyaltyStreamError, RetryableBrokerError
from loyaltystream.telemetry.logs import quiet

app = typer.Typer(
    name="loyaltystream",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Judges every behavioral event exactly once and emits Avro loyalty notifications.",
)
app.add_typer(platform.app, name="platform")
app.add_typer(memory.app, name="memory")
definitions.app.command("what-if")(what_if)
app.add_typer(definitions.app, name="definitions")
app.add_typer(schemas.app, name="schemas")
app.add_typer(serve.app, name="serve")
letters.app.command()(mending.repair)
letters.app.command()(mending.replay)
letters.app.command()(mending.release)
letters.app.command()(mending.discard)
app.add_typer(letters.app, name="dead-letters")
app.command()(init)
app.command()(doctor)
app.command()(acls)
app.command()(run)
app.command()(send)
app.command()(backfill)
app.command()(tail)
app.command()(re_emit)
app.command()(why)
app.command()(audit)
app.command()(demo)


@app.callback()
def _read_settings(
    context: typer.Context,
    settings: settings_option = None,
    version: version_option = False,  # noqa: ARG001 (its callback ends the command)
) -> None:
    quiet()
    context.obj = Context(settings)


def main() -> None:
    """Run the command line; what goes wrong outside an event is one line, without a trace."""
    try:
        app()
    except LoyaltyStreamError as error:
        console = Console(stderr=True)
        console.print(f"[bold red]error:[/] {escape(str(error))}", soft_wrap=True)
        if isinstance(error, RetryableBrokerError):
            # The client knows more, such as that a password is wrong, and does not say it here.
            console.print("[dim]`loyaltystream doctor` looks into it[/]", soft_wrap=True)
        sys.exit(error.exit_code)
