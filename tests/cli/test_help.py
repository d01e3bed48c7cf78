"""What the command line says before it does anything: help, and mistakes in settings."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loyaltystream import __version__
from loyaltystream.cli import app
from loyaltystream.settings import ENVIRONMENT_PREFIX, variable

COMMANDS = ("init", "run", "send", "backfill", "tail", "why", "audit", "demo")
NEEDING_SETTINGS = (("init",), ("run",), ("send", "-"), ("tail", "emf"), ("audit",), ("demo",))


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def said(*arguments: str) -> str:
    """Return what a command prints that ends with 0."""
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert result.exit_code == 0, result.output
    return result.output


def test_the_help_names_every_command() -> None:
    """Whoever types the bare name is shown every command."""
    text = said("--help")
    assert [name for name in (*COMMANDS, "platform") if name not in text] == []


def test_the_version_is_told() -> None:
    """The program says which version it is, beside settings that cannot be read as well."""
    assert said("-c", "nowhere.toml", "--version") == f"loyaltystream {__version__}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str) -> None:
    """Help works for every command, also beside settings that cannot be read, and tells options."""
    text = said("-c", "nowhere.toml", command, "--help")
    assert f"loyaltystream {command}" in text
    assert "--help" in text
    assert len(text.split()) > 30


@pytest.mark.parametrize(
    ("command", "codes"),
    [
        ("why", ("6",)),
        ("audit", ("4",)),
        ("demo", ("4",)),
        ("send", ("2", "3")),
        ("backfill", ("2", "3")),
        ("run", ("2", "3", "5")),
    ],
)
def test_help_tells_the_exit_codes_of_its_own(command: str, codes: tuple[str, ...]) -> None:
    """A command whose exit code means more than right or wrong says so in its help."""
    text = " ".join(said(command, "--help").replace("│", " ").split())
    assert "xits with" in text
    told = text[text.index("xits with") :]
    assert [code for code in codes if code not in told] == []


@pytest.mark.parametrize("command", NEEDING_SETTINGS, ids=" ".join)
def test_all_mistakes_in_settings_are_told_at_once(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command does nothing with wrong settings, and names each mistake with its place."""
    file = tmp_path / "own.toml"
    file.write_text("[kafka]\nbootstrap_server = 'x'\n[worker]\nbatch_ms = -1\n[nothing]\nat = 1\n")
    monkeypatch.setenv(variable("topics.partitons"), "3")
    monkeypatch.setenv(variable("memory.hash_key"), "short")
    result = CliRunner().invoke(app, ["-c", str(file), *command])
    text = str(result.exception)
    assert getattr(result.exception, "exit_code", None) == 2
    for mistake in (
        "did you mean kafka.bootstrap_servers?",
        "worker.batch_ms",
        "nothing",
        "did you mean topics.partitions?",
        variable("memory.hash_key"),
    ):
        assert mistake in text
    assert "'short'" not in text


def test_an_option_of_a_later_version_is_refused() -> None:
    """What this version has no option for is not passed over: it ends with code 2, and is named."""
    result = CliRunner().invoke(app, ["run", "--of-a-later-version"], env={"NO_COLOR": "1"})
    told = f"{result.exception}{result.output}"
    assert getattr(result.exception, "exit_code", result.exit_code) == 2
    assert "No such option: --of-a-later-version" in told


def test_only_notifications_have_the_vendors_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another topic in a rendering is refused before any broker is asked."""
    monkeypatch.setenv(variable("memory.hash_key"), "0" * 64)
    result = CliRunner().invoke(app, ["tail", "emf", "--format", "flat"])
    assert getattr(result.exception, "exit_code", None) == 2
    assert "flat is for notifications, not for EMFConsumer" in str(result.exception)
