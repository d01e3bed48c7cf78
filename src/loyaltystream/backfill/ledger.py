"""Which imports there ever were: written down on the topic of letters' states, which is kept.

Does I/O through its log. An import is written down before its first record: whoever repeats it
later, from another machine or without its journal, claims the same and not one day more.
"""

import msgspec

from loyaltystream.events import Import
from loyaltystream.letters.state import IMPORT_KEYS
from loyaltystream.relayout.guard import Log
from loyaltystream.topology import Output

_decode = msgspec.json.Decoder(Import).decode


def read_ledger(log: Log, topic: str) -> dict[str, Import]:
    """Return what every import claims, by its id.

    Raises:
        BrokerError: if it can't be read.
    """
    claims = {}
    for number, span in log.settled_bounds(topic).items():
        for record in log.records(topic, number, *span):
            if (record.key or b"").startswith(IMPORT_KEYS) and record.value is not None:
                claim = _decode(record.value)
                claims[claim.import_id] = claim
    return claims


def to_output(topic: str, claim: Import) -> Output:
    """Return the record that writes an import down."""
    key = IMPORT_KEYS + claim.import_id.encode()
    return Output(topic, key, msgspec.json.encode(claim), None, [])
