"""`GET /events/{id}`: what became of an event. Does I/O: HTTP."""

from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from loyaltystream.errors import LoyaltyStreamError
from loyaltystream.gateway.answers import ProblemError
from loyaltystream.gateway.channel import FullError
from loyaltystream.gateway.front import Done, Front
from loyaltystream.gateway.questions import Questions

_UNDER: Final = "/events/"
PATH: Final = _UNDER + "{event_id:path}"
"""An id may hold slashes."""


class Enquiry:
    """Tells producers of their org's events.

    Args:
        front: lets them in.
        questions: finds answers; None: this gateway can't.
    """

    def __init__(self, front: Front, questions: Questions | None) -> None:
        self._front = front
        self._questions = questions

    def routes(self) -> list[Route]:
        """Return the way in."""
        return [self._front.route("GET", PATH, self._tell)]

    def close(self) -> None:
        """Have what was asked answered."""
        if self._questions is not None:
            self._questions.close()

    async def _tell(self, request: Request) -> Done:
        token = self._front.admit(request)
        if self._questions is None:
            raise ProblemError(501, "memory.hash_key is not set here: it finds what was accepted")
        try:
            # Not the route's parameter: that lacks a line feed in the end.
            event_id = request.scope["path"].removeprefix(_UNDER)
            found = await self._questions.answer(event_id, token.org)
        except FullError:
            raise
        except LoyaltyStreamError as error:
            self._front.watch.not_told(str(error))
            raise ProblemError(503, "it can't be told now: ask again") from error
        if found is None:
            raise ProblemError(404, "nothing is known of an event of that id in the token's org")
        status = 202 if found.state == "pending" else 200
        return Done(Response(msgspec.json.encode(found), status, media_type="application/json"))
