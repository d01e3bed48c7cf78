"""What a person sees of a download."""

import io

from rich.console import Console

from loyaltystream.platform.report import Report, Silence, report_on


def _shown(*, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=120)
    _transfer(report_on(console))
    with console.capture() as nothing:
        pass
    assert nothing.get() == ""
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _transfer(report: Report) -> None:
    with report.transfer("downloading", 2_000_000) as count:
        count("a.jar", 1_000_000)
        count("b.jar", 1_000_000)
    report.fact("kafka: [ready]")


def test_a_terminal_shows_a_bar() -> None:
    """A person sees one bar with the bytes and the file at hand."""
    shown = _shown(terminal=True)
    assert "2.0/2.0 MB" in shown
    assert "b.jar" in shown
    assert "kafka: [ready]" in shown


def test_a_build_log_has_one_line_a_fact() -> None:
    """Without a terminal there is no bar, and every line stands by itself."""
    lines = _shown(terminal=False).splitlines()
    assert lines[0] == "downloading: 2 MB ..."
    assert lines[1].startswith("downloading: done in ")
    assert lines[2:] == ["kafka: [ready]"]


def test_silence_says_nothing() -> None:
    """Whoever did not ask is told nothing."""
    _transfer(Silence())
