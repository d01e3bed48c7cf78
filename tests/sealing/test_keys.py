"""Keys of letters in the settings: two spellings, all mistakes at once, none of them printed."""

from base64 import b64encode
from pathlib import Path

import pytest

from loyaltystream.errors import ConfigurationError
from loyaltystream.settings import load, variable

SECRET = bytes(range(32))


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("letters.keys", "letters.active_key"):
        monkeypatch.delenv(variable(name), raising=False)
    monkeypatch.chdir(tmp_path)


def write(text: str) -> Path:
    """Write a settings file with a table of letters."""
    file = Path("own.toml")
    file.write_text(f"[letters]\n{text}\n")
    return file


def refused(text: str) -> str:
    """Return the line that is said of such a table."""
    with pytest.raises(ConfigurationError) as error:
        load(write(text))
    _, *lines = str(error.value).splitlines()
    assert len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("text", [SECRET.hex(), SECRET.hex().upper(), b64encode(SECRET).decode()])
def test_a_key_is_hexadecimal_or_base64(text: str) -> None:
    """Both usual ways to write 32 bytes give the same key."""
    letters = load(write(f'keys = {{ "2026-a.1" = "{text}" }}\nactive_key = "2026-a.1"')).letters
    assert letters.secrets() == {"2026-a.1": SECRET}
    assert text not in repr(letters)


def test_keys_may_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets need stand in no file: the table comes as JSON."""
    monkeypatch.setenv(variable("letters.keys"), f'{{"a": "{SECRET.hex()}"}}')
    monkeypatch.setenv(variable("letters.active_key"), "a")
    assert load().letters.secrets() == {"a": SECRET}


def test_without_keys_nothing_is_sealed() -> None:
    """Letters hold plain originals until somebody gives a key."""
    assert (load().letters.secrets(), load().letters.active_key) == ({}, None)


@pytest.mark.parametrize("length", [0, 1, 16, 31, 33, 48, 64])
def test_a_key_of_another_length_is_refused(length: int) -> None:
    """A key has 32 bytes, however it is written; the line names it and says how to make one."""
    key = b"\xff" * length
    for text in (key.hex(), b64encode(key).decode()):
        told = refused(f'keys = {{ "k1" = "{text}" }}')
        assert "own.toml, letters: keys.k1: not of 32 bytes" in told
        assert "openssl rand -hex 32" in told


@pytest.mark.parametrize("key_id", ["", " ", "a b", "a|b", "ä", "x" * 33, SECRET.hex()])
def test_an_unusable_id_is_refused_and_not_repeated(key_id: str) -> None:
    """An id is short and plain; where a key was written as an id, the line does not print it."""
    told = refused(f'keys = {{ "{key_id}" = "{SECRET.hex()}" }}')
    assert "1 of 1 ids are not usable" in told
    assert SECRET.hex() not in told


def test_all_mistakes_are_in_one_line() -> None:
    """A bad id, a short key and an active key that is none are told together, and no secret."""
    short = SECRET.hex()[2:]
    told = refused(
        f'keys = {{ "a b" = "{SECRET.hex()}", "k1" = "{short}", "k2" = "{SECRET.hex()}" }}\n'
        f'active_key = "{SECRET.hex()}"'
    )
    assert "1 of 3 ids are not usable" in told
    assert "keys.k1: not of 32 bytes" in told
    assert "active_key: not the id of a key: it has to be one of k1, k2" in told
    assert short not in told


def test_an_active_key_needs_keys() -> None:
    """An id without any key is a mistake, not a silent end of sealing."""
    assert "active_key: not the id of a key" in refused('active_key = "k1"')
