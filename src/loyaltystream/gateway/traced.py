"""A span around each request that brings events, and its context on their records. Does I/O: HTTP.

The decision falls here: a request that says nothing is drawn or not, and its records say which.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loyaltystream.events import TRACE_HEADER
from loyaltystream.tracing.beginning import Beginning, Begun, Draw
from loyaltystream.tracing.context import write_traceparent
from loyaltystream.tracing.spans import Kind, Span, Take

_NAME: Final = TRACE_HEADER.encode()


class TracedRequests:
    """Has a span made of each traced `POST`; what else comes passes by.

    Args:
        app: what answers.
        share: of requests without a context that are traced.
        take: takes spans.
        draw: returns so many random bits.
        now_ns: the time, in epoch nanoseconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        share: float,
        take: Take,
        draw: Draw = secrets.randbits,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._app = app
        self._beginning = Beginning(share, draw)
        self._take = take
        self._now_ns = now_ns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        begun, began_ns, status = self._begin(scope), self._now_ns(), 500
        headers = [header for header in scope["headers"] if header[0] != _NAME]
        scope = {**scope, "headers": [*headers, (_NAME, write_traceparent(begun.said))]}

        async def listen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, listen)
        finally:
            if begun.said.is_sampled:
                self._take([self._ended(begun, began_ns, status, scope)])

    def _begin(self, scope: Scope) -> Begun:
        return self._beginning.of(dict(reversed(scope["headers"])).get(_NAME))

    def _ended(self, begun: Begun, began_ns: int, status: int, scope: Scope) -> Span:
        # The path itself may hold what a webhook's vendor keeps secret.
        route = getattr(scope.get("endpoint"), "label", None)
        attributes: dict[str, Any] = {
            "http.request.method": "POST",
            "http.response.status_code": status,
            "loyaltystream.stage": "gateway",
        }
        if route is not None:
            attributes["http.route"] = route
        return Span(
            "POST" if route is None else f"POST {route}",
            Kind.SERVER,
            begun.parent,
            begun.said.parent.span_id or 1,
            began_ns,
            self._now_ns(),
            attributes,
            failed=status >= 500,
        )
