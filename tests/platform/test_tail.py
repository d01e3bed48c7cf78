"""The ends of logs."""

from pathlib import Path

from loyaltystream.platform.tail import Tail, last_lines


def test_the_last_lines_are_the_last(tmp_path: Path) -> None:
    """A log shows its end, whatever bytes are in it, and one that is not there shows nothing."""
    log = tmp_path / "a.log"
    assert last_lines(log, 2) == []
    log.write_bytes(b"one\ntwo\nthr\xff\n")
    assert last_lines(log, 2) == ["two", "thr\ufffd"]


def test_a_tail_sees_what_comes_later(tmp_path: Path) -> None:
    """Only whole lines that came after the beginning are told, each once."""
    log = tmp_path / "a.log"
    log.write_text("old\n")
    tail = Tail(log)
    assert tail.new_lines() == []
    with log.open("a") as sink:
        sink.write("new\nhal")
        sink.flush()
        assert tail.new_lines() == ["new"]
        sink.write("f\n")
        sink.flush()
        assert tail.new_lines() == ["half"]
    assert tail.new_lines() == []


def test_a_tail_goes_on_in_the_next_file(tmp_path: Path) -> None:
    """When a log is put aside, the one that takes its name is read from its first line."""
    log = tmp_path / "a.log"
    tail = Tail(log)
    log.write_text("first\n")
    assert tail.new_lines() == ["first"]
    log.rename(tmp_path / "a.log.1")
    assert tail.new_lines() == []
    log.write_text("second\nthird\n")
    assert tail.new_lines() == ["second", "third"]
