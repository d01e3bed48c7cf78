"""What a service answers that is none, or that wants another token, told in one line."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest

from loyaltystream.errors import BrokerError, ConfigurationError, LoyaltyStreamError
from loyaltystream.places.line import Answer, HttpLine, Line, answer_of
from loyaltystream.places.remote import RemotePlace
from tests.contract.test_places import written
from tests.core import ORDERED
from tests.web.conftest import Office

REFUSED = {"errors": [{"status": False, "code": "X", "message": "not now"}], "warnings": []}


def place(line: Line) -> RemotePlace:
    """Return a place at the end of a line."""
    return RemotePlace("http://shop", line)


def answering(status: int, body: object) -> RemotePlace:
    """Return a place that always answers so."""
    return place(lambda *_: answer_of(status, json.dumps(body).encode()))


@pytest.mark.parametrize(
    ("status", "body", "kind", "told"),
    [
        (401, REFUSED, ConfigurationError, "http://shop answered 401: not now"),
        (403, REFUSED, ConfigurationError, "http://shop answered 403: not now"),
        (429, REFUSED, BrokerError, "http://shop answered 429: not now"),
        (503, REFUSED, BrokerError, "http://shop answered 503: not now"),
        (502, "bad gateway", BrokerError, "it is no definitions service"),
        (302, {}, ConfigurationError, "it is no definitions service"),
        (404, {"errors": [{}]}, ConfigurationError, "answered 404"),
        (200, {}, ConfigurationError, "words of another release"),
        (200, {"data": {"orgId": "x"}}, ConfigurationError, "words of another release"),
        (400, {"errors": ["no"]}, ConfigurationError, "answered 400"),
        (200, {"data": []}, ConfigurationError, "words of another release"),
    ],
)
def test_an_answer_that_is_no_help_is_one_line(
    status: int, body: object, kind: type[LoyaltyStreamError], told: str
) -> None:
    """Status and the service's own words are told, and where they came from."""
    asked = answering(status, body)
    for ask in (asked.listed, lambda: asked.find(1, "a"), lambda: asked.disable(1, "a")):
        with pytest.raises(kind) as caught:
            ask()
        assert told in str(caught.value)
        assert "\n" not in str(caught.value)


def test_definitions_of_other_orgs_are_not_sent() -> None:
    """A token is of one org, so that files of another one can't land there."""
    office = Office()

    def line(method: str, path: str, body: object = None) -> Answer:
        answer = office.ask(method, path, body)
        return answer_of(answer.status_code, answer.content)

    for ask in (place(line).apply, place(line).preview):
        with pytest.raises(ConfigurationError, match=r"org 1800, and there are .* of org 1801"):
            ask([*written(ORDERED), *written(ORDERED, org=1801)])
    assert office.topic.records == []


@pytest.mark.parametrize(
    "url",
    ["", "shop", "ftp://shop", "http://", "http://shop:x", "http://shop?a=1", "http://a:b@shop"],
)
def test_an_address_that_is_none_is_told(url: str) -> None:
    """An address is a scheme, a host, perhaps a port and a path, and never a secret."""
    with pytest.raises(ConfigurationError, match="--url") as caught:
        HttpLine(url, "t")
    assert "a:b" not in str(caught.value)


@pytest.mark.parametrize("token", ["a\r\nb: c", "é", "\0"])
def test_a_token_that_is_none_is_told_and_not_shown(token: str) -> None:
    """Nothing but a token can come into the header."""
    with pytest.raises(ConfigurationError) as caught:
        HttpLine("http://shop", token)
    assert token not in str(caught.value)


class Counter(BaseHTTPRequestHandler):
    """Sends everybody to another path, and notes who came."""

    seen: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("x-cap-api-oauth-token")))
        self.send_response(302)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 (the library's word)
        pass


@pytest.fixture
def counter() -> Iterator[HTTPServer]:
    """Return a server on this machine."""
    Counter.seen.clear()
    server = HTTPServer(("127.0.0.1", 0), Counter)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_goes_nowhere_else(counter: HTTPServer) -> None:
    """A redirect is not followed, whoever answers so."""
    line = HttpLine(f"http://127.0.0.1:{counter.server_port}/base/", "shop.secret")
    assert line("GET", "/v2/events").status == 302
    assert Counter.seen == [("/base/v2/events", "shop.secret")]


def test_nobody_there_is_one_line() -> None:
    """Where nobody listens the address is told, and the token is not."""
    with pytest.raises(
        BrokerError, match=re.escape("no answer from http://127.0.0.1:1: ")
    ) as caught:
        HttpLine("http://127.0.0.1:1", "shop.secret")("GET", "/v2/events")
    assert "secret" not in str(caught.value)
