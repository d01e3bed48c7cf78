"""Keys of sealed letters as the settings say them: table `[letters]`, its mistakes told. Pure."""

import re
from base64 import b64decode
from binascii import Error
from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import Field, SecretStr, model_validator

from loyaltystream.section import FROM_TEXT, Section

KEY_BYTES: Final = 32

_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,32}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{64}")
_ID_RULE: Final = "an id of a key has 1 to 32 letters, digits, dots, underscores and hyphens"
_KEY_RULE: Final = "64 hexadecimal digits, or 32 bytes as base64; make one: openssl rand -hex 32"


class LetterSettings(Section):
    """The keys that originals in dead letters are sealed and opened with."""

    keys: Annotated[dict[str, SecretStr], FROM_TEXT] = Field({})
    active_key: str | None = None

    @model_validator(mode="after")
    def _are_usable(self) -> Self:
        if mistakes := list(self._mistakes()):
            raise ValueError("; ".join(mistakes))
        return self

    def secrets(self) -> dict[str, bytes]:
        """Return the bytes of each key by its id."""
        read = {key_id: _bytes(key.get_secret_value()) for key_id, key in self.keys.items()}
        return {key_id: secret for key_id, secret in read.items() if secret is not None}

    def _mistakes(self) -> Iterator[str]:
        # An id that is none is not repeated: it may be a key in the wrong place.
        ids = [key_id for key_id in self.keys if _ID.fullmatch(key_id)]
        if bad := len(self.keys) - len(ids):
            yield f"keys: {bad} of {len(self.keys)} ids are not usable: {_ID_RULE}"
        readable = self.secrets()
        for key_id in ids:
            if key_id not in readable:
                yield f"keys.{key_id}: not of {KEY_BYTES} bytes: {_KEY_RULE}"
        if self.active_key is not None and self.active_key not in ids:
            known = f"one of {', '.join(ids)}" if ids else "in keys, which has none"
            yield f"active_key: not the id of a key: it has to be {known}"


def _bytes(text: str) -> bytes | None:
    """Return a key's bytes, or None if the text is no key."""
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    try:
        secret = b64decode(text, validate=True)
    except (Error, ValueError):
        return None
    return secret if len(secret) == KEY_BYTES else None
