"""The golden cases and their definitions, as a deployment on the real broker takes them."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from loyaltystream.events import Record
from loyaltystream.plans import MAX_RECORD_BYTES
from loyaltystream.sealing.originals import Unsealed, unseal
from loyaltystream.verdicts import Reason
from tests.core import BODIES, GOOD, SOURCES, read_avro
from tests.golden.notation import to_record
from tests.shop import Shop

Letter = dict[str, Any]

CASES = Path(__file__).parent.parent / "golden" / "cases"
ROOM_BYTES = 1024


class Refused(NamedTuple):
    """A case that has to end as a dead letter, whenever it is sent."""

    why: str
    record: Record
    reasons: list[str]


def write_definitions(folder: Path) -> Path:
    """Write the definitions that the cases are judged by; return their folder."""
    for org_id in ("1800", "1801"):
        (folder / org_id).mkdir(parents=True)
        for body in BODIES:
            (folder / org_id / f"{body['eventName']}.json").write_text(json.dumps(body))
    return folder


def sources() -> dict[str, str]:
    """Return the settings that say where the cases of the other dialects come from."""
    return {f"dialects.{name}": json.dumps(told) for name, told in SOURCES.items()}


def refused() -> list[Refused]:
    """Return the rejected cases that need no rules, places or moments of their own."""
    found = (_refused(case) for file in sorted(CASES.glob("*.json")) for case in _cases(file))
    return [case for case in found if case is not None]


def fresh(event_id: str, **changes: object) -> bytes:
    """Return a good event of this very moment, some of its keys replaced."""
    moment = {"eventId": event_id, "occurredAt": int(time.time() * 1000)}
    return json.dumps(GOOD | moment | changes).encode()


def letters(shop: Shop) -> dict[tuple[int, int], Letter]:
    """Return all dead letters, opened, by the place of the record that they are about: one each."""
    found: dict[tuple[int, int], Letter] = {}
    ring = shop.deployment.ring
    for record in shop.read(shop.deployment.topics.dead_letter):
        schema_id = int.from_bytes((record.value or b"")[1:5])
        sealed = read_avro("loyalty.event.v1.DeadLetter", record.value, schema_id)
        unsealed = unseal(sealed, ring)
        assert isinstance(unsealed, Unsealed), unsealed
        letter = dict(unsealed.letter)
        place = letter["originPartition"], letter["originOffset"]
        assert place not in found, "a second letter about one record"
        found[place] = letter
    return found


def _cases(file: Path) -> Iterator[dict[str, Any]]:
    for case in json.loads(file.read_text()):
        if "in" in case and not case.keys() & {"rules", "partitions"}:
            yield case


def _refused(case: dict[str, Any]) -> Refused | None:
    record, out = to_record(case["in"], 0), case["out"]
    size = len(record.value or b"") + len(record.key or b"")
    by_the_clock = Reason.TIME_FUTURE in out.get("reasons", [])
    if out["verdict"] != "rejected" or by_the_clock or size > MAX_RECORD_BYTES - ROOM_BYTES:
        return None
    return Refused(case["why"], record, out["reasons"])
