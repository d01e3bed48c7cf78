"""A span around each request that brings events, and its context on their records. Does I/O: HTTP.

The decision falls here: a request that says nothing is drawn or not, and its records say which.
"""

import secrets
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loyaltystream.events import TRACE_HEADER
from loyaltystream.tracing.context import Context, Parent, read_traceparent, write_traceparent
from loyaltystream.tracing.spans import Kind, Span, Take

_NAME: Final = TRACE_HEADER.encode()
_TRACE_BITS: Final = 128
_SPAN_BITS: Final = 64

Draw = Callable[[int], int]


class _Begun(NamedTuple):
    """A request's place in its trace: what its span belongs to, and what its records say."""

    parent: Parent
    said: Context


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
        self._below = int(share * (1 << _SPAN_BITS))
        self._take = take
        self._draw = draw
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

    def _begin(self, scope: Scope) -> _Begun:
        given = dict(reversed(scope["headers"])).get(_NAME)
        context = None if given is None else read_traceparent(given)
        if context is None:
            trace_id = self._draw(_TRACE_BITS) or 1
            # The lower half is as random as the whole: whoever samples by it decides the same.
            is_sampled = trace_id % (1 << _SPAN_BITS) < self._below
            context = Context(Parent(trace_id), is_sampled=is_sampled)
        elif not context.is_sampled:
            return _Begun(context.parent, context)
        own = Parent(context.parent.trace_id, self._draw(_SPAN_BITS) or 1)
        return _Begun(context.parent, Context(own, is_sampled=context.is_sampled))

    def _ended(self, begun: _Begun, began_ns: int, status: int, scope: Scope) -> Span:
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
