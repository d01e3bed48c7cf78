"""One sample of everything that is published, for documents. Does I/O: reads its own files.

The notifications are those of the tests that prove the standard pack; tests hold the others to
what the code makes of the event. Times are text in the files, and epoch milliseconds in Avro.
"""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from loyaltystream.errors import SchemaError
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Table, Target
from loyaltystream.rendering.shapes import EPOCH, MILLISECOND

Json = dict[str, Any]

# In a wheel the samples lie inside the package, in a checkout with the tests that prove them.
_PACKAGE = Path(__file__).parent.parent
_FOLDERS = (_PACKAGE / "samples", _PACKAGE.parent.parent / "tests" / "notifications" / "standard")

EVENT: Final[Json] = {
    "eventId": "0b6f3c1e-8d1f-4b52-9f6e-2d0c6f1f4a11",
    "eventName": "productViewed",
    "orgId": 1800,
    "occurredAt": 1764000000000,
    "tillCode": "till.0042",
    "customer": {
        "identifiers": [{"type": "mobile", "value": "+91 98123 45678", "source": "INSTORE"}]
    },
    "fields": {"sku": "SKU-001234", "price": 1299.5, "basket": {"lineItemCount": 3}},
}
"""An event as a producer writes it."""

KEY: Final = "1800|mobile|919812345678"
KEY_BY_ID: Final = f"1800|{EVENT['eventId']}"
"""Its partition key: by its customer, and by its id."""

BEHAVIORAL_EVENT: Final[Json] = {
    "orgId": 1800,
    "eventName": "productViewed",
    "definitionVersion": 1,
    "dialect": "canonical",
    "eventIdOrigin": "SUPPLIED",
    "occurredAtOrigin": "SUPPLIED",
    "eventId": "0b6f3c1e-8d1f-4b52-9f6e-2d0c6f1f4a11",
    "occurredAt": 1764000000000,
    "ingestedAt": 1764000000000,
    "customer": {
        "identifiers": [
            {"type": "mobile", "value": "919812345678", "source": "INSTORE", "accountId": None}
        ],
        "profile": {},
    },
    "fields": {"sku": "SKU-001234", "price": 1299.5},
    "nested": {"basket": '{"lineItemCount":3}'},
    "tillCode": "till.0042",
    "webhookId": None,
    "referral": None,
    "loyaltyCard": None,
    "createCustomer": False,
    "trace": {},
    "extensions": {},
}
"""What INGEST makes of it."""

DEAD_LETTER: Final[Json] = {
    "stage": "ingest",
    "verdict": "rejected",
    "originTopic": "behavioral-events",
    "originPartition": 0,
    "originOffset": 1042,
    "originTimestamp": 1764000000000,
    "orgId": None,
    "eventName": None,
    "eventId": None,
    "definitionVersion": None,
    "violations": [
        {
            "code": "JSON_SYNTAX",
            "vendorCode": None,
            "path": "",
            "message": "not JSON at character 12: Expecting value",
        }
    ],
    "violationCount": 1,
    "value": {"alg": "none", "keyId": None, "bytes": '{"eventId": '},
    "key": None,
    "headers": [],
    "truncated": False,
    "valueBytes": 12,
    "valueSha256": None,
}
"""What it makes of a record that is cut short."""


@cache
def notifications() -> dict[str, Json]:
    """Return a notification of each type in which everything is known: its key, and what it holds.

    Raises:
        SchemaError: if the installation lacks them.
    """
    for folder in _FOLDERS:
        if files := sorted(folder.glob("*_full.json")):
            caused = [each for file in files for each in json.loads(file.read_text())["caused"]]
            return {each["notification"]["eventName"]: each for each in caused}
    raise SchemaError("the installation has no samples; install loyaltystream again")


def in_avro(value: Any, target: Target) -> Any:  # noqa: ANN401 (any JSON value)
    """Return a sample as Avro has it: its times as epoch milliseconds."""
    match target:
        case Composite(members=members) if value is not None:
            return {name: in_avro(part, members[name]) for name, part in value.items()}
        case Listing(items=inner) if value is not None:
            return [in_avro(part, inner) for part in value]
        case Table(values=inner) if value is not None:
            return {name: in_avro(part, inner) for name, part in value.items()}
        case Scalar(kind=Kind.MOMENT) if value is not None:
            return in_milliseconds(value)
        case _:
            return value


def in_milliseconds(moment: str) -> int:
    """Return a sample's time as epoch milliseconds."""
    return (datetime.fromisoformat(moment) - EPOCH) // MILLISECOND
