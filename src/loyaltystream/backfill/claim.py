"""The headers that make a record one of an import, and the proof that we wrote them. Pure.

An import claims that its older events were never accepted and then forgotten. Anybody can put
headers on a record, so each carries an HMAC over what is claimed and the value: a claim that was
forged, put on another event or edited counts for nothing.
"""

import re
from collections.abc import Sequence
from typing import Final

from loyaltystream.events import (
    IMPORT_HEADER,
    QUIET_HEADER,
    Check,
    Header,
    Import,
    Record,
    Waiver,
    WaiverOf,
)
from loyaltystream.proofs import holds, key_for, proof

UNTIL_HEADER: Final = "import-until"
BEFORE_HEADER: Final = "import-before"
BEGUN_HEADER: Final = "import-begun"
PROOF_HEADER: Final = "import-mac"

IMPORT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CLAIMED: Final = (IMPORT_HEADER, UNTIL_HEADER, BEFORE_HEADER, BEGUN_HEADER, QUIET_HEADER)
IMPORT_HEADERS: Final = frozenset({*_CLAIMED, PROOF_HEADER})

_LATE: Final = frozenset({Check.LATE})
_TRUTH: Final = {True: b"true", False: b"false"}


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
            b"%d" % claim.begun_ms,
            _TRUTH[claim.quiet],
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
        import_id, until, before, begun, quiet = claimed
        return Import(
            import_id.decode(), int(until), int(before), int(begun), quiet == _TRUTH[True]
        )

    def waiver_of(self, record: Record) -> Waiver | None:
        """Return what a record is spared, if it is of an import and we signed that."""
        if not any(name == PROOF_HEADER for name, _ in record.headers):
            return None
        claim = self.import_of(record.headers, record.value)
        return Waiver(_LATE, imported=claim) if claim else None


def either(first: WaiverOf, second: WaiverOf) -> WaiverOf:
    """Return what asks the one, and then the other."""

    def waiver_of(record: Record) -> Waiver | None:
        waiver = first(record)
        return second(record) if waiver is None else waiver

    return waiver_of
