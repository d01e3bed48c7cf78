"""What people see while a run goes on."""

import io
from collections import Counter
from dataclasses import replace

from rich.console import Console

from loyaltystream.demo.counting import Seen
from loyaltystream.demo.screen import LINE_EVERY_S, LineScreen, LiveScreen, Snapshot, screen_on
from loyaltystream.verdicts import Verdict

SNAPSHOT = Snapshot(
    events=20_000,
    sent=Counter({Verdict.ACCEPTED: 9_000, Verdict.DUPLICATE: 1_000}),
    seen=Counter({Seen.ACCEPTED: 8_000, Seen.DUPLICATE: 900, Seen.REKEYED: 400}),
    per_second=1_234.5,
    at_s=10.0,
    note="ingest was killed",
)


def _console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=100), text


def test_elsewhere_than_on_a_terminal_there_are_lines() -> None:
    """Without a terminal a line comes every two seconds, and whenever something happens."""
    console, text = _console(terminal=False)
    with screen_on(console) as screen:
        assert isinstance(screen, LineScreen)
        for at_s in (0.0, 0.1, LINE_EVERY_S):
            screen.show(replace(SNAPSHOT, at_s=at_s))
        screen.show(replace(SNAPSHOT, at_s=LINE_EVERY_S, note="ingest is back"))
    lines = text.getvalue().splitlines()
    assert len(lines) == 3
    assert lines[0].strip() == (
        "0.0 s  ingest was killed: 10,000 of 20,000 sent, 8,900 judged, 1,234 a second "
        "(8,000 accepted, 900 duplicate, 400 rekeyed)"
    )
    assert "ingest is back" in lines[2]


def test_on_a_terminal_there_is_a_table() -> None:
    """The table has what was sent beside what it was judged, the rate, and what goes on."""
    console, text = _console(terminal=True)
    with screen_on(console) as screen:
        assert isinstance(screen, LiveScreen)
        screen.show(SNAPSHOT)
    for shown in ("ingest was killed", "9,000", "8,000", "rekeyed", "400", "1,234"):
        assert shown in text.getvalue()
