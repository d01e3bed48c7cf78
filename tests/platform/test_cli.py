"""The command group `platform`, where nothing runs."""

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loyaltystream.cli import app
from loyaltystream.settings import ENVIRONMENT_PREFIX


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(ENVIRONMENT_PREFIX):
            monkeypatch.delenv(name)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "loyaltystream.toml"
    file.write_text(f'[platform]\ndirectory = "{tmp_path / "home"}"\nkafka_port = 0\n')
    return file


def _run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


@pytest.mark.parametrize("command", ["start", "stop", "status", "logs"])
def test_every_command_has_help(command: str) -> None:
    """Help works for every command, also beside settings that cannot be read."""
    code, text = _run("-c", "nowhere.toml", "platform", command, "--help")
    assert code == 0
    assert f"platform {command}" in text


def test_the_group_teaches() -> None:
    """The help of the group says what it downloads, where it listens and which settings it has."""
    _, text = _run("platform", "--help")
    for word in ("200 MB", "127.0.0.1", "platform.kafka_port", "platform.cache"):
        assert word in text


def test_the_status_of_nothing_is_3(settings: Path) -> None:
    """Where nothing runs, the status says so to people, and to scripts by its exit code."""
    code, text = _run("-c", str(settings), "platform", "status")
    assert code == 3
    assert text.count("stopped") == 2
    assert "not chosen yet" in text
    assert not (settings.parent / "home").exists()


def test_the_status_is_there_for_programs(settings: Path) -> None:
    """The status as JSON has every field of both services."""
    code, text = _run("-c", str(settings), "platform", "status", "--json")
    kafka, registry = json.loads(text)
    assert code == 3
    assert kafka["name"] == "kafka"
    assert kafka["address"] is None
    assert registry["address"] == "http://127.0.0.1:8081/apis/ccompat/v7"
    assert registry.keys() == {"name", "running", "pid", "address", "memory_bytes", "log"}


def test_stopping_nothing_is_no_error(settings: Path) -> None:
    """A stop where nothing runs says so, or nothing at all."""
    assert _run("-c", str(settings), "platform", "stop") == (0, "nothing was running\n")
    assert _run("-c", str(settings), "platform", "stop", "--quiet") == (0, "")


def test_logs_come_with_the_name_of_their_service(settings: Path) -> None:
    """The logs of both are told apart, and one can be asked for alone."""
    for name in ("kafka", "registry"):
        log = settings.parent / "home" / name / f"{name}.log"
        log.parent.mkdir(parents=True)
        log.write_text(f"one\ntwo of {name}\n")
    _, both = _run("-c", str(settings), "platform", "logs", "--lines", "1")
    assert both == "kafka | two of kafka\nregistry | two of registry\n"
    _, one = _run("-c", str(settings), "platform", "logs", "registry")
    assert one == "registry | one\nregistry | two of registry\n"
