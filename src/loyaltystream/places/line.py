"""One request to a service, one answer. Does I/O: HTTP.

The token goes where the address says and nowhere else: a redirect is an answer, not followed.
"""

import json
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import msgspec

from loyaltystream.errors import BrokerError, ConfigurationError

TIMEOUT_S: Final = 60.0
_SCHEMES: Final = {"http": HTTPConnection, "https": HTTPSConnection}


class Answer(msgspec.Struct, frozen=True):
    """An answer; what is no JSON object has no body."""

    status: int
    body: Mapping[str, Any]


class Line(Protocol):
    """Leads to a service."""

    def __call__(self, method: str, path: str, body: object = None) -> Answer:
        """Return the answer to a request.

        Raises:
            BrokerError: if there is none.
        """


def answer_of(status: int, raw: bytes) -> Answer:
    """Return an answer as it came."""
    try:
        body = json.loads(raw)
    except ValueError:  # also of bytes that are no text
        body = None
    return Answer(status, body if isinstance(body, dict) else {})


class HttpLine:
    """Asks a service over HTTP.

    Args:
        url: of the service: http or https, a host, perhaps a port and a path.
        token: shown to it.

    Raises:
        ConfigurationError: if the address is none.
    """

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"--url {url}: {error}") from error
        if parts.scheme not in _SCHEMES or not parts.hostname or parts.query or parts.fragment:
            raise ConfigurationError(f"--url {url}: not an address as https://definitions.example")
        if "@" in parts.netloc:
            raise ConfigurationError("--url: the token is no part of it, but definitions.token")
        if not token.isascii() or not token.isprintable():
            raise ConfigurationError("definitions.token is not a token")
        self._url = url
        self._path = parts.path.rstrip("/")
        self._host, self._port = parts.hostname, port
        self._connect = _SCHEMES[parts.scheme]
        self._headers = {"x-cap-api-oauth-token": token, "content-type": "application/json"}

    def __call__(self, method: str, path: str, body: object = None) -> Answer:
        """Return the answer to a request.

        Raises:
            BrokerError: if there is none.
        """
        raw = None if body is None else json.dumps(body).encode()
        connection = self._connect(self._host, self._port, timeout=TIMEOUT_S)
        try:
            connection.request(method, self._path + path, raw, self._headers)
            answer = connection.getresponse()
            return answer_of(answer.status, answer.read())
        except (OSError, HTTPException) as error:
            # The request may have arrived: it is not known what became of it.
            told = str(error) or type(error).__name__
            raise BrokerError(f"no answer from {self._url}: {told}; try again") from error
        finally:
            connection.close()
