"""What every command shares: the settings, read when first asked for. Does I/O: reads settings."""

from functools import cached_property
from pathlib import Path
from typing import Annotated

import typer

from loyaltystream import __version__
from loyaltystream.settings import Settings, load

settings_option = Annotated[
    Path | None,
    typer.Option(
        "--settings",
        "-c",
        help="Settings file (TOML). [dim]Default: $LOYALTYSTREAM_SETTINGS, ./loyaltystream.toml[/]",
        show_default=False,
    ),
]


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"loyaltystream {__version__}")
        raise typer.Exit


version_option = Annotated[
    bool,
    typer.Option(
        "--version", callback=_tell_version, is_eager=True, help="Show the version, and end."
    ),
]


class Context:
    """The root command's options, handed to every command as `typer.Context.obj`."""

    def __init__(self, file: Path | None) -> None:
        self.file = file

    @cached_property
    def settings(self) -> Settings:
        """The settings; reading them late lets `--help` work beside a broken file.

        Raises:
            ConfigurationError: naming every mistake in them.
        """
        return load(self.file)
