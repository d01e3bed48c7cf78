"""Who may ask for what: tokens of orgs, kept as salted hashes in a file. Does I/O: that file.

A token is `name.secret`; the secret has 256 random bits, so a plain hash of it can't be guessed
back. The file holds no secret: whoever reads it learns which orgs have tokens, and no token.
"""

import hmac
import os
import re
import secrets
import tomllib
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import msgspec

from loyaltystream.errors import ConfigurationError

Role = Literal["viewer", "editor", "producer"]
ROLES: Final[tuple[str, ...]] = get_args(Role)

_SECRET_BYTES: Final = 32
_SALT_BYTES: Final = 16
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept of a token."""

    name: str
    org: int
    role: Role
    salt: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
    hash: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]


class Tokens:
    """Knows tokens by their secrets."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = {token.name: token for token in tokens}
        # For names that nobody has: their check takes as long.
        self._nobody = Token("", 0, "viewer", "00" * _SALT_BYTES, "00" * sha256().digest_size)

    def find(self, text: str) -> Token | None:
        """Return whose token that is, or None; in the same time for any secret of a name."""
        name, _, secret = text.partition(".")
        known = self._tokens.get(name)
        token = known or self._nobody
        right = hmac.compare_digest(_hash(token.salt, secret), token.hash)
        return known if right else None


def mint(name: str, org_id: int, role: Role) -> tuple[str, Token]:
    """Return a new token as its owner has it, and as the file keeps it.

    Raises:
        ConfigurationError: if the name can't be one.
    """
    if not _NAME.fullmatch(name):
        raise ConfigurationError(f"a token's name has letters, digits, - and _: not {name!r}")
    secret, salt = secrets.token_urlsafe(_SECRET_BYTES), secrets.token_hex(_SALT_BYTES)
    return f"{name}.{secret}", Token(name, org_id, role, salt, _hash(salt, secret))


def load_tokens(file: Path) -> list[Token]:
    """Return the tokens in a file.

    Raises:
        ConfigurationError: if it is not there, or not usable.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(file.read_text())
        tokens = msgspec.convert(tables.pop("token", []), list[Token])
    except FileNotFoundError as error:
        raise ConfigurationError(
            f"no file {file} with tokens (http.tokens), and without tokens nobody may ask: "
            f"`loyaltystream serve token NAME --org ORG --role editor` (the gateway: producer) "
            f"makes one"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(f"tokens in {file}: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"tokens in {file}: {error}") from error
    names = [token.name for token in tokens]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ConfigurationError(f"tokens in {file}: {', '.join(twice)} stands there twice")
    if tables:
        raise ConfigurationError(f"tokens in {file}: {', '.join(sorted(tables))} means nothing")
    return tokens


def add_token(file: Path, token: Token) -> None:
    """Write one more token into the file, which only its owner may read.

    Raises:
        ConfigurationError: if the file is not usable, or has a token of that name.
    """
    known = load_tokens(file) if file.exists() else []
    if token.name in {one.name for one in known}:
        raise ConfigurationError(f"{file} has a token {token.name}; take its lines out first")
    lines = [f"{name} = {_toml(value)}" for name, value in msgspec.structs.asdict(token).items()]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        made = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        with os.fdopen(made, "a") as stream:
            stream.write("\n".join(["[[token]]", *lines, "", ""]))
    except OSError as error:
        raise ConfigurationError(f"{file}: {error.strerror}") from error


def _hash(salt: str, secret: str) -> str:
    return sha256(bytes.fromhex(salt) + secret.encode("utf-8", "replace")).hexdigest()


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'
