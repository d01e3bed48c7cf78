"""How far a re-emission has come, as the topic of letters' states has it.

Does I/O through its log. The last word is written in the transaction that sends the notifications:
so it never says too much or too little, whoever kills whom.
"""

from collections.abc import Mapping

import msgspec

from loyaltystream.errors import ConfigurationError
from loyaltystream.letters.state import REEMIT_KEYS
from loyaltystream.reemit.marking import Target
from loyaltystream.relayout.guard import Log
from loyaltystream.topology import Output


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """What is kept of a re-emission.

    Attributes:
        proof: of what was chosen; nobody reads from it whose notifications these are.
        topic_id: of the topic that they went to.
        sent: how many were.
        done: per partition of notifications the offset up to which that is done.
    """

    proof: str
    topic: str
    topic_id: str
    sent: int = 0
    done: Mapping[int, int] = {}


_decode = msgspec.json.Decoder(Entry).decode


def read_entry(log: Log, topic: str, reemit_id: str) -> Entry | None:
    """Return the last word on a re-emission, if there is one.

    Raises:
        ConfigurationError: if it can't be read.
        BrokerError: if the topic can't.
    """
    key, found = _key(reemit_id), None
    for number, span in log.settled_bounds(topic).items():
        for record in log.records(topic, number, *span):
            if record.key == key:
                found = record.value
    try:
        return None if found is None else _decode(found)
    except msgspec.MsgspecError as error:
        raise ConfigurationError(
            f"what {topic} says of re-emission {reemit_id} can't be read; take another --re-emit-id"
        ) from error


def to_output(topic: str, reemit_id: str, entry: Entry) -> Output:
    """Return the record that makes an entry the last word."""
    return Output(topic, _key(reemit_id), msgspec.json.encode(entry), None, [])


def enter(reemit_id: str, kept: Entry | None, *, proof: str, target: Target) -> Entry:
    """Return where a re-emission begins, or goes on.

    Raises:
        ConfigurationError: if its name was taken for other notifications, or another topic.
    """
    if kept is None or (kept.topic == target.topic and kept.topic_id != target.topic_id):
        return Entry(proof, target.topic, target.topic_id)
    if kept.topic != target.topic:
        raise ConfigurationError(
            f"re-emission {reemit_id} went to {kept.topic}: say that, or another --re-emit-id"
        )
    if kept.proof != proof:
        raise ConfigurationError(
            f"re-emission {reemit_id} was begun for other notifications: give the same options to "
            f"go on with it, or another --re-emit-id"
        )
    return kept


def _key(reemit_id: str) -> bytes:
    return REEMIT_KEYS + reemit_id.encode()
