"""The headers that make a record one of an import, and the proof that we wrote them. Pure.

An import claims that its older events were never accepted and then forgotten. Anybody can put
headers on a record, so each carries an HMAC over what is claimed and the value: a claim that was
forged, put on another event or edited counts for nothing.
"""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from loyaltystream.events import Header
from loyaltystream.proofs import holds, key_for, proof

IMPORT_HEADER: Final = "import-id"
UNTIL_HEADER: Final = "import-until"
BEFORE_HEADER: Final = "import-before"
PROOF_HEADER: Final = "import-mac"
IMPORT_HEADERS: Final = frozenset({IMPORT_HEADER, UNTIL_HEADER, BEFORE_HEADER, PROOF_HEADER})

IMPORT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CLAIMED: Final = (IMPORT_HEADER, UNTIL_HEADER, BEFORE_HEADER)


class Import(msgspec.Struct, frozen=True):
    """What the records of one import claim.

    Attributes:
        import_id: which one.
        until_ms: of its events that occurred before, none was accepted and then forgotten.
        before_ms: the clock until which that holds: beyond, what it brought is forgotten itself.
    """

    import_id: str
    until_ms: int
    before_ms: int

    def spares(self, occurred_at_ms: int, clock_ms: int) -> bool:
        """Say whether an event is known to be new if the memory does not know it."""
        return occurred_at_ms < self.until_ms and clock_ms < self.before_ms


class ImportSigner:
    """Signs what imports claim, and tells ours from claims.

    Args:
        secret: of the deployment, as `memory.hash_key` has it.
    """

    def __init__(self, secret: str) -> None:
        self._key = key_for(secret, "import")

    def headers(self, claim: Import, value: bytes) -> list[Header]:
        """Return the headers of one record of an import."""
        claimed = [
            claim.import_id.encode(),
            b"%d" % claim.until_ms,
            b"%d" % claim.before_ms,
        ]
        written = proof(self._key, [*claimed, value])
        return [*zip(_CLAIMED, claimed, strict=True), (PROOF_HEADER, written)]

    def import_of(self, headers: Sequence[Header], value: bytes | None) -> Import | None:
        """Return which import a record is of, if it is one's and we wrote it."""
        named = dict(headers)
        written = named.get(PROOF_HEADER)
        claimed = [content for name in _CLAIMED if (content := named.get(name)) is not None]
        if written is None or value is None or len(claimed) != len(_CLAIMED):
            return None
        if not holds(self._key, [*claimed, value], written):
            return None
        import_id, until, before = claimed
        return Import(import_id.decode(), int(until), int(before))
