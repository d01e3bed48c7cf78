"""How far a command is: a bar on a terminal, a line now and then elsewhere. Does I/O: text out."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
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
"""Told how much was read and how many records are done; cheap enough for every record."""


@contextmanager
def progress_on(console: Console, doing: str, total: int | None) -> Iterator[Advance]:
    """Show how far something is, how quick, and how long it will take.

    Args:
        console: where to; a terminal gets a bar that vanishes at the end.
        doing: what is done.
        total: how much there is to read, in bytes or lines; None: nobody knows.
    """
    if not console.is_terminal:
        yield _every(LINE_EVERY_S, _lines(console, doing, total))
        return
    known = (TaskProgressColumn(), TimeRemainingColumn()) if total else (TimeElapsedColumn(),)
    counted = TextColumn("{task.fields[records]:,} records")
    rate = TextColumn("{task.fields[rate]:,.0f}/s")
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), *known, counted, rate)
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(doing, total=total or None, records=0, rate=0.0)
        rate_of = _rates()
        yield _every(
            BAR_EVERY_S,
            lambda read, done: bar.update(task, completed=read, records=done, rate=rate_of(done)),
        )


def _lines(console: Console, doing: str, total: int | None) -> Advance:
    rate_of, reading_of = _rates(), _rates()

    def line(read: int, records: int) -> None:
        told = f"{doing}: {records:,} records, {rate_of(records):,.0f}/s"
        if total:
            rest_s = (total - read) / max(reading_of(read), 0.001)
            told += f", {read / total:.0%}, {timedelta(seconds=round(rest_s))} left"
        console.print(told, highlight=False, markup=False)

    return line


def _rates() -> Callable[[int], float]:
    """Return what tells how many a second there were since now."""
    began_s = time.monotonic()
    return lambda count: count / max(time.monotonic() - began_s, 0.001)


def _every(seconds: float, show: Advance) -> Advance:
    """Return what passes on one call in so many seconds."""
    last_s = time.monotonic()

    def advance(read: int, records: int) -> None:
        nonlocal last_s
        now_s = time.monotonic()
        if now_s - last_s >= seconds:
            last_s = now_s
            show(read, records)

    return advance
