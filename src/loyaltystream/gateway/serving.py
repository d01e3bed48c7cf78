"""The whole gateway: its routes, its own description, what goes on beside them. Does I/O: HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse

from loyaltystream.gateway.application import Gateway
from loyaltystream.gateway.documents import document
from loyaltystream.gateway.enquiry import Enquiry
from loyaltystream.gateway.following import keep_up
from loyaltystream.gateway.front import Done
from loyaltystream.gateway.intake import Intake
from loyaltystream.gateway.page import page


def build_gateway(
    gateway: Gateway,
    enquiry: Enquiry,
    *,
    mint: Callable[[], str],
    follow: Callable[[], Intake] | None,
) -> Starlette:
    """Return what answers requests.

    Args:
        gateway: takes events.
        enquiry: tells what became of them.
        mint: makes ids of requests.
        follow: returns an intake by the definitions in force now; None: they never change.
    """

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(keep_up(gateway, follow)) if follow is not None else None
        yield
        if following is not None:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following
        await asyncio.to_thread(gateway.close)
        await asyncio.to_thread(enquiry.close)

    described = document(gateway.intake.rules.max_event_bytes)
    shown = page(described)

    async def describe(_request: Request) -> Done:
        return Done(JSONResponse(described))

    async def show(_request: Request) -> Done:
        return Done(HTMLResponse(shown))

    front = gateway.front
    return Starlette(
        routes=[
            *gateway.routes(mint),
            *enquiry.routes(),
            front.route("GET", "/openapi.json", describe),
            front.route("GET", "/docs", show),
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: front.refuse, Exception: front.refuse},
    )
