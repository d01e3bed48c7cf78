"""Tokens: what their owners hold, what the file keeps."""

from pathlib import Path

import pytest

from loyaltystream.errors import ConfigurationError
from loyaltystream.web.tokens import Token, Tokens, add_token, load_tokens, mint


def test_a_token_is_found_by_its_secret_only() -> None:
    """The name says whose it is, and the secret proves it."""
    text, kept = mint("till", 1800, "editor")
    tokens = Tokens([kept])
    assert tokens.find(text) == kept
    name, _, secret = text.partition(".")
    for wrong in ("", name, secret, f"{name}.", f"{name}.{secret}x", f"{name}.{secret[:-1]}", "."):
        assert tokens.find(wrong) is None
    assert Tokens([]).find(text) is None


def test_the_file_holds_no_secret(tmp_path: Path) -> None:
    """Whoever reads the file has no token, and only its owner may read it."""
    file = tmp_path / "below" / "tokens.toml"
    text, kept = mint("till", 1800, "editor")
    other, second = mint("shop_2", 1801, "viewer")
    add_token(file, kept)
    add_token(file, second)
    assert load_tokens(file) == [kept, second]
    for secret in (text.partition(".")[2], other.partition(".")[2]):
        assert secret not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_same_secret_has_another_hash_each_time() -> None:
    """Salts are random: equal tokens can't be told from the file."""
    kept = [mint("till", 1800, "viewer")[1] for _ in range(2)]
    assert kept[0].salt != kept[1].salt
    assert kept[0].hash != kept[1].hash


def test_a_name_is_given_once(tmp_path: Path) -> None:
    """Two tokens of one name could not be told apart."""
    file = tmp_path / "tokens.toml"
    add_token(file, mint("till", 1800, "viewer")[1])
    with pytest.raises(ConfigurationError, match="has a token till"):
        add_token(file, mint("till", 1801, "viewer")[1])


@pytest.mark.parametrize("name", ["", "a.b", "a b", "é", "x" * 65, 'a"'])
def test_a_name_that_cannot_be_one_is_refused(name: str) -> None:
    """Names stand before a dot, in a file and in logs."""
    with pytest.raises(ConfigurationError, match="name"):
        mint(name, 1800, "viewer")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[", "tokens in"),
        ("[[token]]\nname = 'a'", "missing required field"),
        ("[[token]]\nname='a'\norg=1\nrole='root'\nsalt=''\nhash=''", "root"),
        ("[[token]]\nname='a'\norg='1'\nrole='viewer'\nsalt=''\nhash=''", "int"),
        (
            2
            * f"[[token]]\nname='a'\norg=1\nrole='viewer'\nsalt='{'0' * 32}'\nhash='{'0' * 64}'\n",
            "twice",
        ),
        ("[tokens]\na = 1", "means nothing"),
    ],
)
def test_a_file_that_is_wrong_lets_nobody_in(tmp_path: Path, text: str, told: str) -> None:
    """A mistake in the file is one line, and no service starts."""
    file = tmp_path / "tokens.toml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=told):
        load_tokens(file)


def test_without_a_file_nobody_is_let_in(tmp_path: Path) -> None:
    """What to do is told."""
    with pytest.raises(ConfigurationError, match="serve token"):
        load_tokens(tmp_path / "tokens.toml")


def test_a_salt_that_is_none_is_told(tmp_path: Path) -> None:
    """A hash that was edited by hand can't be checked, so the file is refused."""
    file = tmp_path / "tokens.toml"
    add_token(file, Token("a", 1, "viewer", "xyz", "00"))
    with pytest.raises(ConfigurationError, match="salt"):
        load_tokens(file)
