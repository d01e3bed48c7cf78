"""The options of `loyaltystream backfill`. Pure."""

from pathlib import Path
from typing import Annotated

import typer

FileArgument = Annotated[
    Path,
    typer.Argument(
        metavar="FILE|DIRECTORY|-",
        help="One JSON event a line, zipped or not; of a directory all files, by name.",
        allow_dash=True,
    ),
]
IdOption = Annotated[
    str, typer.Option("--import-id", help="Names this import; the same to go on with it.")
]
UntilOption = Annotated[
    str,
    typer.Option(
        "--until", metavar="TIME", help="Events that occurred before are history, not late."
    ),
]
RateOption = Annotated[float, typer.Option("--rate", min=0.001, help="Records a second at most.")]
LagOption = Annotated[
    int, typer.Option("--max-lag", min=1, help="Waits while more records are not judged yet.")
]
SinceOption = Annotated[
    str | None,
    typer.Option(
        "--live-since",
        metavar="TIME",
        help="Your word that no event was judged before, where the changelog can't tell.",
        show_default=False,
    ),
]
NeverOption = Annotated[
    bool,
    typer.Option(
        "--never-imported",
        help="Your word that no import brought any of it that is forgotten by now.",
    ),
]
QuietOption = Annotated[
    bool, typer.Option("--no-notify", help="Its events cause no notifications.")
]
AgainOption = Annotated[
    bool, typer.Option("--from-start", help="Send all lines again, not only what is left.")
]
DryOption = Annotated[
    bool, typer.Option("--dry-run", help="Only tell what would come of it, by a sample.")
]
SampleOption = Annotated[
    int, typer.Option("--sample", min=1, help="So many lines are judged by --dry-run.")
]
