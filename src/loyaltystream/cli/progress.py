"""How far a command is: a bar on a terminal, a line now and then elsewhere. Does I/O: text out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

LINE_EVERY_S: Final = 5.0
BAR_EVERY_S: Final = 0.1

Advance = Callable[[int, int], None]
"""Told how many bytes were read and how many records are done; cheap enough for every record."""


@contextmanager
def progress_on(console: Console, doing: str, total_bytes: int | None) -> Iterator[Advance]:
    """Show how far something is.

    Args:
        console: where to; a terminal gets a bar that vanishes at the end.
        doing: what is done.
        total_bytes: how much there is to read; None: nobody knows.
    """
    if not console.is_terminal:
        yield _every(LINE_EVERY_S, _lines(console, doing, total_bytes))
        return
    known = (TaskProgressColumn(), TimeRemainingColumn()) if total_bytes else (TimeElapsedColumn(),)
    counted = TextColumn("{task.fields[records]:,} records")
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), *known, counted)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=total_bytes or None, records=0)
        yield _every(BAR_EVERY_S, lambda read, done: bar.update(task, completed=read, records=done))


def _lines(console: Console, doing: str, total_bytes: int | None) -> Advance:
    def line(read_bytes: int, records: int) -> None:
        share = f", {read_bytes / total_bytes:.0%}" if total_bytes else ""
        console.print(f"{doing}: {records:,} records{share}", highlight=False, markup=False)

    return line


def _every(seconds: float, show: Advance) -> Advance:
    """Return what passes on one call in so many seconds."""
    last_s = time.monotonic()

    def advance(read_bytes: int, records: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= seconds:
            last_s = now_s
            show(read_bytes, records)

    return advance
