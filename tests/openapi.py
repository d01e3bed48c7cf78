"""An application held against its own OpenAPI document by schemathesis, in process and seeded."""

import json
from collections.abc import Sequence
from typing import Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.schemas import BaseSchema
from starlette.types import ASGIApp, Receive, Scope, Send

SEED: Final = 20260131
EXAMPLES: Final = 60
"""Drawn for each operation, beside those that cover its parameters one by one."""


@schemathesis.serializer("application/x-ndjson")
def _as_lines(_context: object, value: object) -> bytes:
    """Send lines as they are, and what is no text as one of JSON."""
    return (value if isinstance(value, str) else json.dumps(value)).encode()


def described(app: ASGIApp, token: str, *, may_refuse: Sequence[str] = ()) -> BaseSchema:
    """Return what is tried on an application, valid and not, by its own document.

    Args:
        app: what answers.
        token: that every call has.
        may_refuse: further statuses that a document valid by its schema may be refused with.
    """
    accepting = ["2xx", "401", "403", "404", "409", *may_refuse]
    config = SchemathesisConfig.from_dict(
        {
            "seed": SEED,
            "auth": {"openapi": {"token": {"bearer": token}}},
            "generation": {
                "mode": "all",
                "max-examples": EXAMPLES,
                "deterministic": True,
                "database": "none",
                # No schema can say that we take no U+0000 in any text.
                "allow-x00": False,
            },
            "checks": {
                "positive_data_acceptance": {"expected-statuses": accepting},
                "negative_data_rejection": {"expected-statuses": ["4xx"]},
            },
        }
    )
    return schemathesis.openapi.from_asgi("/openapi.json", _lasting(app), config=config)


def _lasting(app: ASGIApp) -> ASGIApp:
    """Return an application that does not end with each client that leaves it."""

    async def lasting(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await app(scope, receive, send)
            return
        for step in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{step}.complete"})

    return lasting
