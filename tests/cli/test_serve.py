"""`loyaltystream serve` before it serves anything: tokens, and what it refuses."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from loyaltystream.cli import app
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.settings import ENVIRONMENT_PREFIX
from loyaltystream.web.tokens import Tokens, load_tokens


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def run(*arguments: str) -> tuple[int, str]:
    """Return code and standard output of a command, errors as `main` tells them."""
    result = CliRunner().invoke(app, ["serve", *arguments])
    if isinstance(result.exception, LoyaltyStreamError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.stdout


def test_a_token_is_shown_once_and_kept_as_a_hash() -> None:
    """What the command prints is a token of the org and role that were asked for."""
    code, text = run("token", "shop", "--org", "1800", "--role", "editor")
    assert code == 0
    found = Tokens(load_tokens(Path("tokens.toml"))).find(text.strip())
    assert found is not None
    assert (found.name, found.org, found.role) == ("shop", 1800, "editor")
    assert text.strip() not in Path("tokens.toml").read_text()


def test_a_token_looks_only_unless_more_is_asked_for() -> None:
    """By default nobody may change anything."""
    run("token", "shop", "--org", "1800")
    [kept] = load_tokens(Path("tokens.toml"))
    assert kept.role == "viewer"
    assert run("token", "shop", "--org", "1801")[0] == 2


def test_a_service_that_no_worker_would_hear_does_not_start() -> None:
    """With definitions in files, changing a topic would change nothing."""
    code, text = run("definitions")
    assert code == 2
    assert 'definitions.source is "files"' in text


def test_a_service_without_tokens_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is closed by default, and says how to open it."""
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}DEFINITIONS__SOURCE", "topic")
    code, text = run("definitions")
    assert code == 2
    assert "serve token" in text


def test_a_gateway_without_tokens_does_not_start() -> None:
    """It is closed by default, too."""
    code, text = run("gateway")
    assert code == 2
    assert "serve token" in text


def test_a_producer_has_a_token_of_its_own() -> None:
    """The role that sends events is one of those that the command gives."""
    run("token", "till", "--org", "1800", "--role", "producer")
    [kept] = load_tokens(Path("tokens.toml"))
    assert kept.role == "producer"
