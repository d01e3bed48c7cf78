"""Shows a run while it goes on: a live table on a terminal, a line now and then elsewhere.

Does I/O: writes to the console that it is given.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from loyaltystream.demo.counting import JUDGED, Seen, judged
from loyaltystream.verdicts import Verdict

LINE_EVERY_S: Final = 2.0
_OTHERS: Final = (Seen.REKEYED, Seen.NOTIFICATION, Seen.UNMAPPED)


@dataclass(frozen=True)
class Snapshot:
    """What there is to show at one moment.

    Attributes:
        events: how many records the story has.
        sent: of those that were sent, how many must get which verdict.
        seen: what the topics show.
        per_second: events that get their verdict in a second, now.
        at_s: seconds since the story began.
        note: what is going on.
    """

    events: int
    sent: Counter[Verdict] = field(default_factory=Counter)
    seen: Counter[Seen] = field(default_factory=Counter)
    per_second: float = 0.0
    at_s: float = 0.0
    note: str = ""


class Screen(Protocol):
    """Where snapshots go."""

    def show(self, snapshot: Snapshot) -> None:
        """Show how things stand."""


class LiveScreen:
    """A table that is drawn anew."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, snapshot: Snapshot) -> None:
        """Draw the table."""
        self._live.update(table(snapshot))


class LineScreen:
    """A line whenever what goes on changes, and every two seconds."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Write a line, if it is time for one."""
        last = self._last
        same = last is not None and last.note == snapshot.note
        if last is None or not same or snapshot.at_s - last.at_s >= LINE_EVERY_S:
            self._console.print(line(snapshot), markup=False, highlight=False, soft_wrap=True)
            self._last = snapshot


@contextmanager
def screen_on(console: Console) -> Iterator[Screen]:
    """Show on `console` what suits it."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=8) as live:
            yield LiveScreen(live)
    else:
        yield LineScreen(console)


def table(snapshot: Snapshot) -> Table:
    """Return the table: what was sent, and what became of it."""
    shown = Table(title=snapshot.note, title_justify="left", box=None, pad_edge=False)
    # As wide as the longest title and caption, which would wrap at the table's width.
    shown.add_column("verdict", min_width=36)
    for column in ("sent", "judged"):
        shown.add_column(column, justify="right", min_width=14)
    for verdict in JUDGED:
        must = snapshot.sent[Verdict(verdict.value)]
        shown.add_row(verdict.value, f"{must:,}", f"{snapshot.seen[verdict]:,}")
    shown.add_section()
    for other in _OTHERS:
        shown.add_row(other.value, "", f"{snapshot.seen[other]:,}")
    shown.caption = f"{_progress(snapshot)}; {snapshot.per_second:,.0f} a second"
    shown.caption_justify = "left"
    return shown


def line(snapshot: Snapshot) -> str:
    """Return the same in one line."""
    counts = ", ".join(
        f"{snapshot.seen[what]:,} {what.value}"
        for what in (*JUDGED, *_OTHERS)
        if snapshot.seen[what]
    )
    return (
        f"{snapshot.at_s:5.1f} s  {snapshot.note}: {_progress(snapshot)}, "
        f"{snapshot.per_second:,.0f} a second" + (f" ({counts})" if counts else "")
    )


def _progress(snapshot: Snapshot) -> str:
    sent, empty = snapshot.sent.total(), snapshot.sent[Verdict.TOMBSTONE]
    done = f"{sent:,} of {snapshot.events:,} sent, {judged(snapshot.seen):,} judged"
    return f"{done}, {empty:,} without a value" if empty else done
