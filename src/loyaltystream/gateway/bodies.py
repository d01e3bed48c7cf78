"""A request in, what it brings out: its bytes, the events in them, the id that it asks for.

Does I/O: reads the request, and no more of it than is allowed.
"""

from typing import Final, Literal

import msgspec
from starlette.requests import Request

from loyaltystream.dialects.envelope import ID_HEADER
from loyaltystream.dialects.sources import Dialect
from loyaltystream.events import Header
from loyaltystream.gateway.answers import ProblemError
from loyaltystream.gateway.intake import IDEMPOTENCY_KEY, PASSED_ON, Asked, Offer
from loyaltystream.web.requests import read_within

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
CLOUD_EVENT: Final = "application/cloudevents+json"
MAX_BATCH_EVENTS: Final = 1_000

_CLOUD_VERSION: Final = "ce-specversion"
_CLOUD_ID: Final = "ce-id"
_UNUSABLE: Final = "\0"
_array = msgspec.json.Decoder(list[msgspec.Raw])


class _CloudEvent(msgspec.Struct):
    """An event in a CloudEvents envelope; what else the envelope has is not asked for."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    data: msgspec.Raw


_cloud_event = msgspec.json.Decoder(_CloudEvent)


async def body_of(request: Request, *, longest: int) -> bytes:
    """Return the body.

    Raises:
        ProblemError: 413, if it is longer.
    """
    raw = await read_within(request, longest)
    if raw is None:
        raise ProblemError(413, f"more than {longest} bytes")
    return raw


def kind_of(request: Request, *allowed: str) -> str:
    """Return a request's media type.

    Raises:
        ProblemError: 415, if it is not among these, in another character set or compressed.
    """
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    kind, parameters = kind.strip().lower(), parameters.strip().lower()
    if kind not in allowed:
        raise ProblemError(415, f"Content-Type is one of {', '.join(allowed)}")
    if parameters.startswith("charset=") and parameters[8:].strip('"') not in {"utf-8", "us-ascii"}:
        raise ProblemError(415, "JSON is UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(415, "a compressed body is not read")
    return kind


def header_of(request: Request, name: str) -> str | None:
    """Return a header's text, which is UTF-8; None: it is absent."""
    value = request.headers.get(name)
    if value is None or value.isascii():
        return value
    try:
        return value.encode("latin-1").decode()
    except UnicodeDecodeError:
        return _UNUSABLE


def passed_on(request: Request) -> list[Header]:
    """Return the headers that a record has of its request."""
    found = ((name, request.headers.get(name)) for name in PASSED_ON)
    return [(name, value.encode("latin-1")) for name, value in found if value]


def offer_of(
    request: Request, kind: str, raw: bytes, dialect: Dialect, source: str | None
) -> Offer:
    """Return the event in a request, taken out of its CloudEvents envelope if it has one.

    Raises:
        ProblemError: 422, if the envelope is none, or the request says more than one id.
    """
    named, value = [IDEMPOTENCY_KEY, ID_HEADER], raw
    asked = []
    if kind == CLOUD_EVENT:
        try:
            envelope = _cloud_event.decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ProblemError(422, f"not a CloudEvent: {error}") from error
        value = bytes(envelope.data)
        asked.append(Asked(envelope.id, "id"))
    elif dialect is Dialect.CANONICAL and _CLOUD_VERSION in request.headers:
        if request.headers[_CLOUD_VERSION] != "1.0" or _CLOUD_ID not in request.headers:
            raise ProblemError(422, f"{_CLOUD_VERSION} is 1.0, and {_CLOUD_ID} is needed")
        named.append(_CLOUD_ID)
    found = {name: header_of(request, name) for name in named}
    asked += [Asked(said, f"headers.{name}") for name, said in found.items() if said is not None]
    if len({one.event_id for one in asked}) > 1:
        places = ", ".join(one.place for one in asked)
        raise ProblemError(422, f"not the same id in {places}")
    return Offer(value, dialect, source, asked[0] if asked else None, passed_on(request))


def events_of(raw: bytes, kind: str) -> list[bytes]:
    """Return the events of a batch, each as its bytes.

    Raises:
        ProblemError: 422, if there are none or it is not a JSON array; 413, if there are too many.
    """
    if kind == NDJSON:
        values = [line.strip() for line in raw.split(b"\n") if line.strip()]
    else:
        try:
            values = [bytes(found) for found in _array.decode(raw)]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise ProblemError(422, f"not a JSON array: {error}") from error
    if not values:
        raise ProblemError(422, "no event in it")
    if len(values) > MAX_BATCH_EVENTS:
        raise ProblemError(413, f"{len(values)} events, {MAX_BATCH_EVENTS} allowed")
    return values
