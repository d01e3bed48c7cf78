"""Which outputs hide what a definition marks as potentially sensitive (PSI), and how. Pure.

What is hidden is a text in the output, whatever type the field has: `***`, or a keyed hash, by
which values can still be joined and counted. A deployment decides once for all of its definitions.
"""

import hmac
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from loyaltystream.content import END, escape_name
from loyaltystream.definitions.model import Action, EventDefinition, FieldDefinition
from loyaltystream.masking import MASK
from loyaltystream.proofs import key_for

Conceal = Callable[[str], str]
"""Returns what stands for a value of one field, given as `content.value_text` writes it."""

_LATIN: Final = "latin-1"
_HASH_BYTES: Final = 16


class Side(StrEnum):
    """How the fields of an event are written."""

    CLEAR = "clear"
    MASKED = "masked"


class Psi(msgspec.Struct, frozen=True):
    """How a deployment hides sensitive values.

    Attributes:
        conceal: makes what stands for the values of a field, by org and the field's name.
        clear_to: the actions whose topics have them in clear.
    """

    conceal: Callable[[int, str], Conceal]
    clear_to: frozenset[Action] = frozenset()

    def sides(self, definition: EventDefinition) -> tuple[Side, ...]:
        """Return how an event is written: once, or for the topics in clear and then for others."""
        sensitive = any(field.psi for field in definition.fields)
        cleared = self.clear_to & {*definition.actions}
        if not sensitive or (cleared and len(cleared) == len(definition.actions)):
            return (Side.CLEAR,)
        return (Side.CLEAR, Side.MASKED) if cleared else (Side.MASKED,)

    def concealers(self, definition: EventDefinition) -> Mapping[str, Conceal]:
        """Return what hides each sensitive field, by its name."""
        org_id = definition.org_id
        return {
            field.name: self.conceal(org_id, field.name) for field in definition.fields if field.psi
        }


def starred(_org_id: int, _name: str) -> Conceal:
    """Return what stands for any value of a field: three stars."""
    return lambda _text: MASK


def hashed(secret: str) -> Callable[[int, str], Conceal]:
    """Return what makes the keyed hashes of a field: 128 bits of an HMAC-SHA256, in hex.

    Equal values of fields of one name have equal hashes in all events of an org, and in no other.
    """
    key = key_for(secret, "psi")

    def of_field(org_id: int, name: str) -> Conceal:
        start = f"{org_id}{END}{escape_name(name)}{END}".encode(_LATIN)

        def conceal(text: str) -> str:
            digest = hmac.digest(key, start + text.encode(_LATIN), "sha256")
            return digest[:_HASH_BYTES].hex()

        return conceal

    return of_field


STARRED: Final = Psi(starred)
"""Nothing in clear anywhere."""


def sensitive_names(fields: Iterable[FieldDefinition]) -> frozenset[str]:
    """Return the names of those that are sensitive."""
    return frozenset(field.name for field in fields if field.psi)
