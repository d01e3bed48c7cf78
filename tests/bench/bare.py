"""What the gateway is measured against: an endpoint that produces what it gets, and no more.

Called as `python -m tests.bench.bare PORT`. Same server, same framework, same producer: the body,
or each line of it, goes to the ingest topic without a key, and is answered when the broker has all
of it. No token, no id, no reading of events. With `python -m tests.bench.bare PORT nothing` not
even that: it answers at once, to show what the load could reach.
"""

import asyncio
import sys
import threading

from confluent_kafka import KafkaError, Message, Producer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from loyaltystream.deployment import Deployment
from loyaltystream.kafka.connection import properties
from loyaltystream.settings import Settings, load
from loyaltystream.web.application import serve

HEARD_S = 0.1


def bare() -> Starlette:
    """Return the endpoints: one event, and one a line."""
    deployment = Deployment(load())
    topic, producer = deployment.topics.ingest, _producer(deployment.settings)

    async def deliver(values: list[bytes]) -> JSONResponse:
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[KafkaError | None] = loop.create_future()
        left = len(values)

        def note(error: KafkaError | None, _message: Message) -> None:
            nonlocal left
            left -= 1
            if not left or error:
                loop.call_soon_threadsafe(outcome.set_result, error)

        for value in values:
            producer.produce(topic, value, on_delivery=note)
        error = await outcome
        return JSONResponse({"accepted": len(values)}, 503 if error else 202)

    async def take(request: Request) -> JSONResponse:
        return await deliver([await request.body()])

    async def take_lines(request: Request) -> JSONResponse:
        return await deliver((await request.body()).splitlines())

    return Starlette(
        routes=[
            Route("/events", take, methods=["POST"]),
            Route("/events/batch", take_lines, methods=["POST"]),
        ]
    )


def _producer(settings: Settings) -> Producer:
    """Return a producer with the gateway's properties, and a thread that has its records told."""
    producer = Producer(
        properties(
            settings.kafka,
            enable_idempotence=True,
            acks="all",
            linger_ms=2,
            compression_type="lz4",
            message_timeout_ms=settings.gateway.message_timeout_ms,
        )
    )

    def listen() -> None:
        while True:
            producer.poll(HEARD_S)

    threading.Thread(target=listen, daemon=True).start()
    return producer


def nothing() -> Starlette:
    """Return an endpoint that answers at once."""

    async def take(request: Request) -> JSONResponse:
        await request.body()
        return JSONResponse({"accepted": 0}, 202)

    return Starlette(routes=[Route("/{path:path}", take, methods=["POST"])])


if __name__ == "__main__":
    serve(bare() if len(sys.argv) == 2 else nothing(), "127.0.0.1", int(sys.argv[1]))
