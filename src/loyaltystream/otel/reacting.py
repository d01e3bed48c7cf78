"""A span around each call of a subscriber's function. Does I/O: none of its own.

Through the API alone: whatever the process has set up takes it, and what the function does shows
below it. Neither the notification nor what an error says stands in it.
"""

from typing import Final

from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, get_tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from loyaltystream.events import TRACE_HEADER, Record
from loyaltystream.subscriber.reactions import Calling, Reaction
from loyaltystream.subscriber.records import Notification
from loyaltystream.subscriber.subscription import Subscription

_W3C: Final = TraceContextTextMapPropagator()


def traced(subscription: Subscription, tracer: Tracer | None = None) -> Calling:
    """Return what calls functions inside of a span, below the context that the record brings.

    Args:
        subscription: what is read, and as whom.
        tracer: makes the spans; by default the process's own.
    """
    spans = tracer or get_tracer("loyaltystream")
    about = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": subscription.topic,
        "messaging.consumer.group.name": subscription.group,
    }

    def call(reaction: Reaction[Notification], notification: Notification, record: Record) -> None:
        header = record.header(TRACE_HEADER) or b""
        with spans.start_as_current_span(
            f"process {subscription.topic}",
            context=_W3C.extract({TRACE_HEADER: header.decode("latin-1")}),
            kind=SpanKind.CONSUMER,
            attributes={
                **about,
                "messaging.destination.partition.id": str(record.partition),
                "messaging.kafka.offset": record.offset,
                "messaging.message.id": notification.eventId,
                "loyaltystream.notification": notification.eventName,
            },
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                reaction(notification)
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR))
                span.set_attribute("error.type", type(error).__qualname__)
                raise

    return call
