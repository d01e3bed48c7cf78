"""The reference settings file says what the settings are, completely and truly."""

import os
import re
import tomllib
from pathlib import Path

import pytest

from loyaltystream.settings import ENVIRONMENT_PREFIX, Settings, load, setting_names

REFERENCE = Path(__file__).parent.parent / "deploy" / "loyaltystream.toml"
WITHOUT_DEFAULT = {
    "worker.instance",
    "memory.hash_key",
    "definitions.token",
    "letters.active_key",
    "traces.endpoint",
    "platform.cache",
}

_TABLE = re.compile(r"\[(\w+)\]")
_SETTING = re.compile(r"(# )?(\w+) = \S.*")


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith(ENVIRONMENT_PREFIX):
            monkeypatch.delenv(name)


def _entries() -> list[tuple[str, bool, list[str]]]:
    """Return every setting in the file: its name, whether it is in force, the comment above it."""
    entries, table, comment = [], "", list[str]()
    for line in REFERENCE.read_text().splitlines():
        if named := _TABLE.fullmatch(line):
            table, comment = named[1], []
        elif setting := _SETTING.fullmatch(line):
            entries.append((f"{table}.{setting[2]}", setting[1] is None, comment))
            comment = []
        elif line.startswith("# "):
            comment = [*comment, line]
        else:
            comment = []
    return entries


def test_every_setting_stands_there_once() -> None:
    """The file has every setting, no other, none twice, and in the order of the code."""
    assert [name for name, _, _ in _entries()] == list(setting_names())


def test_every_setting_is_explained() -> None:
    """Above every setting stand one to three lines that say what it does."""
    for name, _, comment in _entries():
        assert 1 <= len(comment) <= 3, name


def test_only_settings_without_a_default_are_commented_out() -> None:
    """A line is in force unless its default is no value, or another one on each host."""
    assert {name for name, in_force, _ in _entries() if not in_force} == WITHOUT_DEFAULT


def test_the_values_are_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading the file changes nothing: each of its values is the default, spelled out."""
    monkeypatch.chdir(tmp_path)
    assert load(REFERENCE) == load() == Settings()
    written = tomllib.loads(REFERENCE.read_text())
    names = {f"{table}.{name}" for table, settings in written.items() for name in settings}
    assert names == set(setting_names()) - WITHOUT_DEFAULT


def test_no_secret_is_given_away() -> None:
    """The file has no key that somebody could take over, and says how to make one."""
    text = REFERENCE.read_text()
    assert '# hash_key = "..."' in text
    assert "openssl rand -hex 32" in text


def test_lines_fit_a_terminal() -> None:
    """No line of the file is longer than 104 characters."""
    assert max(map(len, REFERENCE.read_text().splitlines())) <= 104
