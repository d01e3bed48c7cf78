"""What a record holds in, the same with sensitive values hidden out. Pure.

A value is sensitive by the name that it stands under, wherever and in whichever event: a letter's
event may be of no definition. What can't be read can't be hidden in parts, so none of it is shown.
"""

import json
from collections.abc import Callable, Collection
from typing import Any, Final

from msgspec.structs import replace

from loyaltystream.avro.schemas import BEHAVIORAL_EVENT, DEAD_LETTER
from loyaltystream.dialects.strict_json import ANY_SIZE, parse
from loyaltystream.masking import MASK, mask_named
from loyaltystream.tailing.decoding import BYTES, JSON, UNDECODABLE, Content
from loyaltystream.verdicts import Violation

UNSEEN: Final = frozenset({"notifications", "changelog", "definitions"})
"""Roles whose topics never hold a sensitive value."""

_HIDDEN: Final = f"{MASK} (not shown without --reveal: it can't be told what in it is sensitive)"


def hide(content: Content, names: Collection[str]) -> Content:
    """Return what a record holds with every value under one of these names as `***`.

    A letter that is sealed and could not be opened holds nothing that anybody could read.
    """
    if not names or content.kind not in _WAYS or content.locked is not None:
        return content
    return replace(content, value=_WAYS[content.kind](content.value, names))


def _hide_all(_value: object, _names: Collection[str]) -> str:
    return _HIDDEN


def _hide_in_json(value: Any, names: Collection[str]) -> Any:  # noqa: ANN401 (any JSON value)
    """Hide in an event, or in what people did with a letter: a patch says values of its own."""
    masked = mask_named(value, names)
    if isinstance(masked, dict) and isinstance(masked.get("patch"), list):
        return {**masked, "patch": mask_named(masked["patch"], {"value"})}
    return masked


def _hide_in_letter(letter: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    sealed = letter.get("value")
    if not isinstance(sealed, dict):
        return letter
    return {**letter, "value": {**sealed, "bytes": _hide_in_text(sealed.get("bytes"), names)}}


def _hide_in_text(written: object, names: Collection[str]) -> str:
    if not isinstance(written, str):
        return _HIDDEN
    event = parse(written.encode(errors="surrogatepass"), max_bytes=ANY_SIZE)
    if isinstance(event, Violation):
        return _HIDDEN
    return json.dumps(mask_named(event, names), ensure_ascii=False)


_WAYS: Final[dict[str, Callable[[Any, Collection[str]], Any]]] = {
    JSON: _hide_in_json,
    BEHAVIORAL_EVENT: mask_named,
    DEAD_LETTER: _hide_in_letter,
    BYTES: _hide_all,
    UNDECODABLE: _hide_all,
}
