"""What the gateway says: problems as in RFC 9457, acknowledgements as each vendor has them. Pure.

Every answer that acknowledges one event says its id in header `x-event-id`; what a header can't
hold is percent-encoded.
"""

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

import msgspec
from starlette.responses import JSONResponse, Response

from loyaltystream.dialects.envelope import ID_HEADER
from loyaltystream.gateway.intake import Posting
from loyaltystream.verdicts import Violation

TAKEN: Final = 1100
"""The vendor's code for an event that was taken (domain.md 4.1)."""

RETRY_AFTER_S: Final = {429: 1, 503: 5}


class ProblemError(Exception):
    """Ends a request: with which status, and why.

    Args:
        status: of the answer.
        detail: what is wrong.
        violations: each thing that is wrong with an event.
        after_s: when to come back, if that is known.
    """

    def __init__(
        self, status: int, detail: str, violations: Sequence[object] = (), *, after_s: int = 0
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.violations = violations
        self.after_s = after_s

    def answer(self) -> JSONResponse:
        """Return it as problem+json."""
        answer = problem(self.status, str(self), self.violations)
        if self.after_s:
            answer.headers["Retry-After"] = str(self.after_s)
        return answer


def problem(status: int, detail: str, violations: Sequence[object] = ()) -> JSONResponse:
    """Return problem+json, with when to come back where that helps."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if violations:
        body["violations"] = list(violations)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    if status in RETRY_AFTER_S:
        headers["Retry-After"] = str(RETRY_AFTER_S[status])
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def told(violation: Violation) -> dict[str, str]:
    """Return a violation as an answer has it."""
    return {
        "reason": violation.reason.value,
        "path": violation.path,
        "detail": violation.detail,
    }


def canonical(posting: Posting) -> Response:
    """Acknowledge an event of ours."""
    return _said({"eventId": posting.event_id}, posting, 202)


def batch(postings: Sequence[Posting]) -> Response:
    """Acknowledge all events of a batch, in its order."""
    ids = [posting.event_id for posting in postings]
    return _json({"accepted": len(ids), "eventIds": ids}, 202)


def capillary(request_id: Callable[[], str]) -> Callable[[Posting], Response]:
    """Return what acknowledges an event as Capillary does."""

    def acknowledge(posting: Posting) -> Response:
        status = {"code": TAKEN, "message": "Event is pushed to transformation state"}
        return _said({"status": status, "requestId": request_id()}, posting)

    return acknowledge


def open_loyalty(posting: Posting) -> Response:
    """Acknowledge an event as Open Loyalty does."""
    return _said({"customEventId": posting.event_id}, posting)


def voucherify(posting: Posting) -> Response:
    """Acknowledge an event as Voucherify does, by what it says itself."""
    sent = msgspec.json.decode(posting.value)
    parts = {name: sent.get(name) for name in ("customer", "referral", "loyalty")}
    return _said({"object": "event", "type": sent.get("event"), **parts}, posting)


def _said(body: object, posting: Posting, status: int = 200) -> Response:
    event_id = posting.event_id
    is_text = event_id.isascii() and event_id.isprintable() and event_id == event_id.strip()
    fits = is_text and "%" not in event_id
    return _json(body, status, {ID_HEADER: event_id if fits else quote(event_id)})


def _json(body: object, status: int, headers: Mapping[str, str] | None = None) -> Response:
    return Response(msgspec.json.encode(body), status, headers, media_type="application/json")
