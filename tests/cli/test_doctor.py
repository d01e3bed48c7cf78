"""What `loyaltystream doctor` puts on the screen, and what it does with wrong settings."""

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from loyaltystream.cli import app
from loyaltystream.cli.doctor import render
from loyaltystream.doctor.findings import Finding, Kind, Report, Unseen, report
from loyaltystream.settings import ENVIRONMENT_PREFIX

LONG_FIX = "kafka-configs.sh --bootstrap-server BROKER --alter --entity-type topics " * 3


def shown(found: Report) -> str:
    """Return what is seen on a narrow screen."""
    text = io.StringIO()
    console = Console(file=text, width=60, highlight=False)
    for part in render(found):
        console.print(part, soft_wrap=isinstance(part, str))
    return text.getvalue()


def test_a_fix_can_be_copied_from_a_narrow_screen() -> None:
    """Each fix is told once, in one line, however narrow the screen."""
    some = [Finding(Kind.MIN_INSYNC, f"topic-{n}", "is 1", LONG_FIX) for n in range(3)]
    some.append(Finding(Kind.CLOCK_SKEW, "this machine", "is late", "chronyc"))
    text = shown(report(["topics"], some, []))
    assert [line for line in text.splitlines() if LONG_FIX in line] == [f" 1  {LONG_FIX}"]
    assert "topic-0 and 2" in text
    assert "topic-1" not in text
    assert text.splitlines()[-1] == "3 faults, 1 warning; code 2"


def test_what_was_not_seen_is_told_of_a_healthy_deployment() -> None:
    """Nothing found is not the whole truth where something was not looked at."""
    text = shown(report(["topics"], [], [Unseen("memory", "no [hash] key")]))
    assert "not looked at: memory: no [hash] key" in text
    assert text.splitlines()[-1] == "healthy: nothing is wrong with what was looked at"


def test_wrong_settings_are_findings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Settings that no other command takes are told as findings, all of them, without a broker."""
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loyaltystream.toml").write_text(
        "[topics]\npartitions = 0\n[worker]\nsession_timeout_ms = 7500\nbatch = 1\n"
    )
    result = CliRunner().invoke(app, ["doctor", "--json"])
    assert result.exit_code == 2
    told = json.loads(result.stdout)
    assert {one["kind"] for one in told["findings"]} == {"SETTINGS"}
    assert [one["what"] for one in told["unseen"]] == ["all else"]
    assert any("batch" in one["place"] for one in told["findings"])
