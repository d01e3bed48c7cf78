"""`loyaltystream definitions` on files, which asks no broker."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from loyaltystream.cli import app
from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.settings import ENVIRONMENT_PREFIX
from tests.core import ORDERED, VIEWED


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder with two definitions, beside which commands run."""
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT_PREFIX)]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    for body in (VIEWED, ORDERED):
        write(tmp_path / "definitions", body)
    return tmp_path / "definitions"


def write(folder: Path, body: Mapping[str, Any], org_id: int = 1800) -> Path:
    """Write a definition into its file."""
    file = folder / str(org_id) / f"{body['eventName']}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(body))
    return file


def run(*arguments: str) -> tuple[int, str]:
    """Return code and output of a command, errors as `main` tells them."""
    result = CliRunner().invoke(app, ["definitions", *arguments], env={"COLUMNS": "200"})
    if isinstance(result.exception, LoyaltyStreamError):
        return result.exception.exit_code, str(result.exception)
    return result.exit_code, result.output


@pytest.mark.usefixtures("folder")
def test_definitions_are_listed() -> None:
    """The list names state, version, actions and the number of fields of each event."""
    code, text = run("list", "--json")
    assert code == 0
    assert json.loads(text)[1] == {
        "orgId": 1800,
        "eventName": "productViewed",
        "state": "published",
        "version": 1,
        "actions": ["EMFConsumer", "EIConsumer"],
        "fields": 11,
    }
    code, text = run("list")
    assert "EMFConsumer, EIConsumer" in text
    assert json.loads(run("list", "--org", "7", "--json")[1]) == []


@pytest.mark.usefixtures("folder")
def test_a_definition_is_shown_as_its_file_says_it() -> None:
    """What is shown can be put into a file again."""
    code, text = run("show", "1800", "orderPlaced")
    assert (code, json.loads(text)) == (0, ORDERED)


@pytest.mark.usefixtures("folder")
def test_what_is_not_there_is_told() -> None:
    """An unknown event or version ends with 2 and a line."""
    assert run("show", "1800", "nothing") == (2, "no event nothing of org 1800 in definitions")
    code, text = run("show", "1800", "orderPlaced", "--version", "2")
    assert code == 2
    assert "files hold one version" in text


@pytest.mark.usefixtures("folder")
def test_good_files_are_valid() -> None:
    """The number of definitions is told."""
    assert run("validate") == (0, "valid: 2 definitions\n")
    assert json.loads(run("validate", "--json")[1]) == {"valid": True, "definitions": 2}


def test_everything_wrong_with_files_is_told(folder: Path) -> None:
    """All problems of all files come at once, with code 2."""
    write(folder, {**ORDERED, "actions": []})
    write(folder, {**VIEWED, "fields": []})
    code, text = run("validate")
    assert code == 2
    assert "1800/orderPlaced.json: 1810 orderPlaced event actions invalid" in text
    assert "1800/productViewed.json: 1802" in text
    code, text = run("validate", "--json")
    told = json.loads(text)
    assert (code, told["valid"], len(told["problems"])) == (2, False, 2)


def test_another_folder_can_be_named(folder: Path, tmp_path: Path) -> None:
    """Files can be checked wherever they lie."""
    write(tmp_path / "others", ORDERED)
    assert run("validate", str(tmp_path / "others")) == (0, "valid: 1 definitions\n")
    assert folder.is_dir()


@pytest.mark.usefixtures("folder")
def test_the_vendors_profile_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under the vendor's profile other types are refused with its code."""
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}DEFINITIONS__PROFILE", "vendor")
    code, text = run("validate")
    assert code == 2
    assert "1800/productViewed.json: 1823 integer invalid event field type" in text


def test_an_event_of_a_file_is_disabled_in_it(folder: Path) -> None:
    """Its file says so from then on, and all else as before."""
    assert run("disable", "1800", "orderPlaced")[0] == 2
    code, text = run("disable", "1800", "orderPlaced", "--yes", "--json")
    assert (code, json.loads(text)["state"]) == (0, "disabled")
    body = json.loads((folder / "1800" / "orderPlaced.json").read_text())
    assert body == ORDERED | {"disabled": True}
    assert json.loads(run("list", "--json")[1])[0]["state"] == "disabled"


def test_a_file_that_is_wrong_is_not_disabled(folder: Path) -> None:
    """What can't be read is left as it is."""
    file = write(folder, {**ORDERED, "actions": []})
    before = file.read_text()
    code, text = run("disable", "1800", "orderPlaced", "--yes")
    assert code == 2
    assert "1810" in text
    assert run("disable", "1800", "nothing", "--yes")[0] == 2
    assert file.read_text() == before


@pytest.mark.parametrize(
    "command",
    [
        ("apply",),
        ("diff",),
        ("list",),
        ("show", "1800", "orderPlaced"),
        ("disable", "1800", "orderPlaced", "--yes"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_service_wants_a_token(monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    """The token comes from the settings, and what is wrong before a request is one line."""
    code, text = run(*command, "--url", "http://127.0.0.1:1")
    assert (code, "LOYALTYSTREAM_DEFINITIONS__TOKEN" in text) == (2, True)
    monkeypatch.setenv(f"{ENVIRONMENT_PREFIX}DEFINITIONS__TOKEN", "shop.secret")
    code, text = run(*command, "--url", "http://127.0.0.1:1")
    assert (code, "no answer from http://127.0.0.1:1" in text) == (3, True)
    assert "secret" not in text
    assert run(*command, "--url", "shop")[0] == 2


@pytest.mark.usefixtures("folder")
def test_a_service_is_a_source_by_itself() -> None:
    """Whoever names both a service and a source is asked which one is meant."""
    code, text = run("list", "--url", "http://127.0.0.1:1", "--source", "files")
    assert (code, "leave --source out" in text) == (2, True)
