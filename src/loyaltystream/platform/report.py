"""Tells a person what the platform does: on a terminal, in a build log, or not at all.

Does I/O: writes to the console that it is given.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TransferSpeedColumn,
)
from rich.table import Column

Count = Callable[[str, int], None]
"""Told the file at hand, and how many bytes of it were done since the last call."""


class Report(Protocol):
    """Where the platform tells what it does."""

    def fact(self, line: str) -> None:
        """Tell one thing that happened."""
        ...

    def transfer(self, title: str, total_bytes: int) -> AbstractContextManager[Count]:
        """Tell how far a transfer of many files is, from any thread."""
        ...


class Silence:
    """Tells nothing; what tests want."""

    def fact(self, line: str) -> None:
        """Tell nothing."""

    @contextmanager
    def transfer(self, title: str, total_bytes: int) -> Iterator[Count]:  # noqa: ARG002 (the port's)
        """Tell nothing."""
        yield lambda _file, _bytes: None


class Lines:
    """Tells one line a fact: for pipes and build logs."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def fact(self, line: str) -> None:
        """Write the line."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def transfer(self, title: str, total_bytes: int) -> Iterator[Count]:
        """Write a line before and a line after."""
        began = time.monotonic()
        self.fact(f"{title}: {total_bytes / 1e6:.0f} MB ...")
        yield lambda _file, _bytes: None
        self.fact(f"{title}: done in {time.monotonic() - began:.1f} s")


class Bar:
    """Tells transfers as one bar with bytes, speed and the file at hand: for a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def fact(self, line: str) -> None:
        """Write the line, above a bar if there is one."""
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

    @contextmanager
    def transfer(self, title: str, total_bytes: int) -> Iterator[Count]:
        """Show the bar until the transfer ends."""
        columns = (
            TextColumn("{task.description}", table_column=Column(no_wrap=True)),
            BarColumn(bar_width=16),
            DownloadColumn(table_column=Column(no_wrap=True)),
            TransferSpeedColumn(table_column=Column(no_wrap=True)),
            # What is left of the line, and no more.
            TextColumn(
                "[dim]{task.fields[file]}",
                table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1),
            ),
        )
        with Progress(*columns, console=self._console, transient=True, expand=True) as progress:
            task = progress.add_task(title, total=total_bytes, file="")
            yield lambda file, some: progress.update(task, advance=some, file=file)
        self.fact(f"{title}: {total_bytes / 1e6:.0f} MB, done")


def report_on(console: Console) -> Report:
    """Return the report that suits `console`."""
    return Bar(console) if console.is_terminal else Lines(console)
