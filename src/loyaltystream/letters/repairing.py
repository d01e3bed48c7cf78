"""An event's bytes and a JSON patch in, the mended bytes out, or why they can't be. Pure."""

import json
from typing import Any

import jsonpatch

from loyaltystream.dialects.strict_json import ANY_SIZE, parse
from loyaltystream.errors import ConfigurationError
from loyaltystream.verdicts import Violation


def read_patch(text: str) -> list[dict[str, Any]]:
    """Return a patch as RFC 6902 has it: a list of operations.

    Raises:
        ConfigurationError: if it is none.
    """
    try:
        operations = jsonpatch.JsonPatch.from_string(text).patch
    except (ValueError, TypeError, AttributeError, KeyError, jsonpatch.JsonPatchException) as error:
        raise ConfigurationError(f"not a JSON patch: {error}") from error
    if not operations:
        raise ConfigurationError("not a JSON patch: it has to be a list of operations")
    return operations


def repair(value: bytes, patch: list[dict[str, Any]]) -> bytes | str:
    """Return an event's bytes with a patch applied, or why it does not apply."""
    event = parse(value, max_bytes=ANY_SIZE)
    if isinstance(event, Violation):
        return f"its bytes are no JSON object ({event.reason}), so no patch applies"
    try:
        mended = jsonpatch.apply_patch(event, patch)
    except (
        jsonpatch.JsonPatchException,
        jsonpatch.JsonPointerException,
        TypeError,
        ValueError,
        KeyError,
        IndexError,
    ) as error:
        return f"the patch does not apply: {type(error).__name__}"
    return json.dumps(mended, ensure_ascii=False, separators=(",", ":")).encode(
        errors="surrogatepass"
    )
