"""What begins before a record is there: the span of whoever makes it, which its header says. Pure.

The decision falls here: what comes without a context is drawn or not, and its records say which, so
that no later stage draws again.
"""

import secrets
from collections.abc import Callable
from typing import Final, NamedTuple

from loyaltystream.tracing.context import Context, Parent, read_traceparent

_TRACE_BITS: Final = 128
_SPAN_BITS: Final = 64

Draw = Callable[[int], int]
"""Returns so many random bits."""


class Begun(NamedTuple):
    """A place in a trace.

    Attributes:
        parent: what the span belongs to that begins here.
        said: what records say; its span is that one, if it is recorded.
    """

    parent: Parent
    said: Context


class Beginning:
    """Begins spans below what came along, or traces.

    Args:
        share: of what comes without a context that is traced.
        draw: makes ids.
    """

    def __init__(self, share: float, draw: Draw = secrets.randbits) -> None:
        self._below = int(share * (1 << _SPAN_BITS))
        self._draw = draw

    def of(self, given: bytes | None) -> Begun:
        """Return what begins where that `traceparent` came along, or none."""
        context = None if given is None else read_traceparent(given)
        if context is None:
            trace_id = self._draw(_TRACE_BITS) or 1
            # The lower half is as random as the whole: whoever samples by it decides the same.
            is_sampled = trace_id % (1 << _SPAN_BITS) < self._below
            context = Context(Parent(trace_id), is_sampled=is_sampled)
        elif not context.is_sampled:
            return Begun(context.parent, context)
        own = Parent(context.parent.trace_id, self._draw(_SPAN_BITS) or 1)
        return Begun(context.parent, Context(own, is_sampled=context.is_sampled))
