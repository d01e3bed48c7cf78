"""Answers probes in front of an HTTP service. Does I/O: HTTP, and asks the broker in a thread.

A service that answers is alive; it is ready while its broker answers. The broker is asked again
when a probe finds the last answer old, and no probe waits long for it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.health import PROBES, Condition, State, answer_to

AWAY: Final = "the broker does not answer"
FRESH_S: Final = 5.0
WAIT_S: Final = 0.5
"""A probe has a second, as Kubernetes counts by default."""


class Probing:
    """A service with its probes.

    Args:
        app: answers everything else.
        ask: asks the broker; raises if it does not answer.
        now_s: a clock that only rises.
    """

    def __init__(
        self,
        app: ASGIApp,
        ask: Callable[[], object],
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._ask = ask
        self._now_s = now_s
        self._asking: asyncio.Task[None] | None = None
        self._asked_s = now_s()
        self._why: str | None = None  # whoever serves this has just been answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a probe, or have the service answer."""
        if scope["type"] != "http" or scope["path"] not in PROBES:
            await self._app(scope, receive, send)
            return
        if scope["path"] == "/readyz":
            await self._refresh()
        answer = answer_to(
            scope["path"],
            [] if self._why is None else [Condition(State.WAITING_FOR_BROKER, self._why)],
            started=True,
            as_json="json" in Headers(scope=scope).get("accept", ""),
        )
        told = Response(
            answer.body,
            answer.status,
            {"Cache-Control": "no-store"},
            media_type=answer.content_type,
        )
        await told(scope, receive, send)

    async def _refresh(self) -> None:
        if self._asking is None and self._now_s() - self._asked_s < FRESH_S:
            return
        if self._asking is None:
            self._asking = asyncio.create_task(self._look())
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._asking), WAIT_S)

    async def _look(self) -> None:
        try:
            await asyncio.to_thread(self._ask)
        except LoyaltyStreamError:
            # Anybody may ask a service's port: where its broker is, is none of theirs.
            self._why = AWAY
        else:
            self._why = None
        finally:
            self._asked_s, self._asking = self._now_s(), None
