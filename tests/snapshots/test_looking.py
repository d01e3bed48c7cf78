"""What people and programs are told of snapshots, from their files and from the changelog."""

import json
import os
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from loyaltystream.cli import app
from loyaltystream.errors import StateError
from loyaltystream.settings import ENVIRONMENT_PREFIX, variable
from loyaltystream.snapshots.files import Files
from loyaltystream.snapshots.inspecting import inspect
from loyaltystream.snapshots.verifying import Verification
from loyaltystream.times import DAY_MS
from tests.core import NOW_MS
from tests.memory.making import DAY, MONTH
from tests.snapshots.making import ORIGIN, History, accepted, snapshot

GROUP = Path("snapshots") / "loyaltystream.ingest"


def lived() -> History:
    """Return a history of two kinds of keys over some days, of which one has a short window."""
    history = History()
    for day in range(4):
        clock_ms = NOW_MS + day * 3 * DAY_MS
        for unit in (MONTH, DAY):
            start = history.memory.next_offset
            history.commit(accepted(start, clock_ms, 100, seed=start, unit=unit))
    return history


def test_what_is_remembered_is_told_by_kind(tmp_path: Path) -> None:
    """Of each kind it is told how many ids count, of how many generations, and what they take."""
    history = lived()
    snapshot(history, Files(tmp_path))
    calls: list[tuple[int, int]] = []
    [found] = inspect(Files(tmp_path), lambda read, ids: calls.append((read, ids)))
    month, day = found.units
    assert (month.kind, month.window_days, month.ids) == ("event_id", 30, 400)
    assert (day.kind, day.window_days, day.ids) == ("unique_key", 1, 100)
    assert (month.generations, day.generations) == (4, 1)
    assert month.oldest_ms is not None
    assert NOW_MS - 3 * DAY_MS < month.oldest_ms <= NOW_MS
    assert month.bytes == 1024 * 21
    assert month.effective_window_seconds == 30 * 86_400
    assert (found.start_offset, found.end_offset, found.changelog_offset) == (8, 8, 8)
    assert (found.clock_ms, found.why, found.older) == (history.memory.clock_ms, None, 0)
    assert calls == [(found.size_bytes, 500)]


def test_a_memory_that_was_lost_has_a_shorter_window(tmp_path: Path) -> None:
    """Behind an accepted loss the window is what has passed since then."""
    history = lived()
    clock_ms = history.memory.clock_ms + DAY_MS
    history.commit(accepted(8, clock_ms, 1, covers_from_ms=clock_ms - 7_000))
    snapshot(history, Files(tmp_path))
    [found] = inspect(Files(tmp_path), lambda _read, _ids: None)
    assert [unit.effective_window_seconds for unit in found.units] == [7, 7]


def test_a_damaged_snapshot_is_told_as_such(tmp_path: Path) -> None:
    """What can't be read is told with its reason, beside all that can."""
    files = Files(tmp_path)
    for partition in (0, 1):
        snapshot(lived(), files, origin=msgspec.structs.replace(ORIGIN, partition=partition))
    [name] = files.names(0)
    with (tmp_path / "0" / name).open("r+b") as file:
        file.write(b"?")
    damaged, whole = inspect(files, lambda _read, _ids: None)
    assert damaged.why is not None
    assert "its shard 0 is damaged" in damaged.why
    assert whole.why is None


def verified(tmp_path: Path, history: History, committed: int) -> list[str | None]:
    """Return what is wrong with each snapshot."""
    files, read = Files(tmp_path), list[int]()
    verification = Verification(files, history, lambda _partition: ORIGIN, read.append)
    results = list(verification.verify(0, files.names(0), committed))
    assert read == sorted(read)
    return [result.why for result in results]


def test_snapshots_are_held_against_the_changelog(tmp_path: Path) -> None:
    """Each snapshot leads to what the whole changelog says, though workers go on meanwhile."""
    history = lived()
    for _ in range(2):
        snapshot(history, Files(tmp_path))
        history.grow(50)
    committed = history.memory.next_offset
    history.grow(50)
    assert verified(tmp_path, history, committed) == [None, None]


@pytest.mark.parametrize("spoilt", ["fingerprint", "missing", "more"])
def test_a_snapshot_of_other_ids_is_found_out(tmp_path: Path, spoilt: str) -> None:
    """A file that is whole, and does not say what the changelog says, is told apart from it."""
    history, other = lived(), lived()
    count = {"missing": 99, "more": 101}.get(spoilt, 100)
    content = 8 if spoilt == "fingerprint" else 7
    clock_ms = NOW_MS + 9 * DAY_MS
    history.commit(accepted(8, clock_ms, 100, seed=5))
    other.commit(accepted(8, clock_ms, count, seed=5, fingerprint=content))
    snapshot(other, Files(tmp_path))
    [why] = verified(tmp_path, history, 9)
    assert why is not None
    assert f"leads to {400 + count + 100} ids" in why


def test_a_damaged_changelog_is_no_snapshot_s_fault(tmp_path: Path) -> None:
    """Where the changelog itself is wrong, nothing is said of snapshots."""
    history = lived()
    snapshot(history, Files(tmp_path))
    history.log[3] = history.log[3][:-1]
    with pytest.raises(StateError, match="damaged"):
        verified(tmp_path, history, 8)


@pytest.fixture
def _settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable("worker.state_dir"), str(tmp_path))


def said(*arguments: str) -> str:
    """Return what a command prints that ends with 0."""
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "120", "NO_COLOR": "1"})
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("_settings")
def test_inspect_needs_no_broker(tmp_path: Path) -> None:
    """The command reads files, and tells people and programs the same of them."""
    assert "no snapshots in" in said("memory", "inspect")
    snapshot(lived(), Files(tmp_path / GROUP))
    text = said("memory", "inspect")
    for shown in ("8..8", "event_id 30 d", "unique_key 1 d", "400", "whole"):
        assert shown in text
    [told] = json.loads(said("memory", "inspect", "--json"))
    assert [unit["ids"] for unit in told["units"]] == [400, 100]
    assert told["end_offset"] == 8


@pytest.mark.usefixtures("_settings")
def test_a_state_directory_that_is_none_is_a_wrong_setting(tmp_path: Path) -> None:
    """Where the directory can't be looked up, the command names the setting."""
    (tmp_path / "snapshots").mkdir()
    (tmp_path / GROUP).write_text("no directory")
    result = CliRunner().invoke(app, ["memory", "inspect"])
    assert getattr(result.exception, "exit_code", None) == 2
    assert "worker.state_dir" in str(result.exception)
