"""The proxy carries frames, and does to them what it is told."""

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Final

import pytest

from tests.chaos.proxy import ALL, CALM, END_TXN, JOIN_GROUP, LOOPBACK, Proxy, Weather

PATIENCE_S: Final = 5.0
SILENCE_S: Final = 0.3
METADATA: Final = 3


class Echo:
    """A broker that answers each request with its correlation id and nothing else."""

    def __init__(self) -> None:
        self.requests = 0
        self._server = socket.create_server((LOOPBACK, 0))
        self.port = self._server.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError, struct.error), connection, connection.makefile("rb") as stream:
            while True:
                (size,) = struct.unpack(">i", stream.read(4))
                request = stream.read(size)
                self.requests += 1
                connection.sendall(struct.pack(">i", 4) + request[4:8])


@pytest.fixture
def broker() -> Iterator[Echo]:
    """Return a broker."""
    echo = Echo()
    yield echo
    echo.close()


@pytest.fixture
def proxy(broker: Echo) -> Iterator[Proxy]:
    """Return a proxy before it."""
    made = Proxy(Random(1))
    made.upstream = broker.port
    made.start()
    yield made
    made.stop()


class Client:
    """A worker's connection."""

    def __init__(self, proxy: Proxy, name: bytes) -> None:
        self._name = name
        self._number = 0
        self._socket = socket.create_connection((LOOPBACK, proxy.port), timeout=PATIENCE_S)

    def send(self, api_key: int = METADATA, body: bytes = b"\1") -> None:
        self._number += 1
        head = struct.pack(">hhih", api_key, 1, self._number, len(self._name))
        request = head + self._name + body
        self._socket.sendall(struct.pack(">i", len(request)) + request)

    def asks(self, api_key: int = METADATA) -> bool:
        self.send(api_key)
        return self.hears()

    def hears(self, within_s: float = PATIENCE_S) -> bool:
        """Say whether the answer to the last request comes; an end of the connection raises."""
        self._socket.settimeout(within_s)
        try:
            answer = self._socket.recv(8)
        except TimeoutError:
            return False
        if not answer:
            raise ConnectionError("ended")
        assert struct.unpack(">ii", answer) == (4, self._number)
        return True


def test_frames_pass_in_calm_weather(proxy: Proxy) -> None:
    """What is sent is answered, as often as it is sent."""
    client = Client(proxy, b"a")
    for _ in range(3):
        assert client.asks()


def test_a_delay_delays_both_ways(proxy: Proxy) -> None:
    """A request and its answer are late by the delay each."""
    proxy.set(Weather(delay_s=0.1))
    client = Client(proxy, b"a")
    sent_s = time.monotonic()
    assert client.asks()
    assert time.monotonic() - sent_s >= 0.2


@pytest.mark.parametrize(
    ("weather", "arrives"),
    [(Weather(holds_requests=True), 0), (Weather(holds_answers=True), 1)],
    ids=["to the broker", "to the worker"],
)
def test_a_black_hole_has_one_direction(
    proxy: Proxy, broker: Echo, weather: Weather, arrives: int
) -> None:
    """What falls into it comes once it has ended; the other direction works all the while."""
    client, neighbour = Client(proxy, b"a"), Client(proxy, b"b")
    proxy.set(weather, "a")
    client.send()
    assert not client.hears(SILENCE_S)
    assert broker.requests == arrives
    assert neighbour.asks()
    proxy.calm()
    assert client.hears()


def test_a_cut_refuses_only_whom_it_is_for(proxy: Proxy) -> None:
    """A worker that is cut off gets no connection that works; its neighbour keeps its own."""
    proxy.set(Weather(refuses=True), "a")
    client, neighbour = Client(proxy, b"a"), Client(proxy, b"b")
    assert neighbour.asks()
    with pytest.raises(ConnectionError):
        client.asks()


def test_a_reset_ends_what_is_open(proxy: Proxy) -> None:
    """After a reset an open connection is gone, and a new one works."""
    client = Client(proxy, b"a")
    assert client.asks()
    proxy.reset(ALL)
    with pytest.raises(ConnectionError):
        client.hears()
    proxy.set(CALM)
    client = Client(proxy, b"a")
    assert client.asks()


@pytest.mark.parametrize("at_answer", [True, False])
def test_an_ambush_waits_for_a_commit(proxy: Proxy, broker: Echo, at_answer: bool) -> None:  # noqa: FBT001
    """Neither another request, nor an abort, nor a neighbour's commit walks into an ambush."""
    client, neighbour = Client(proxy, b"a"), Client(proxy, b"b")
    met: list[int] = []
    proxy.lie_in_wait(
        "a", lambda _: met.append(broker.requests), at_answer=at_answer, forwards=False
    )
    for one, api_key, committed in (
        (client, METADATA, b"\1"),
        (client, JOIN_GROUP, b"\1"),
        (client, END_TXN, b"\0"),
        (neighbour, END_TXN, b"\1"),
    ):
        one.send(api_key, committed)
        assert one.hears()
    assert proxy.waits
    client.send(END_TXN)
    with pytest.raises(ConnectionError):
        client.hears()
    assert met == [5 if at_answer else 4]
    assert not proxy.waits


def test_a_join_may_be_heard_again(proxy: Proxy, broker: Echo) -> None:
    """A join that went through can be sent once more, and its sender notices nothing."""
    client = Client(proxy, b"a")
    joins: list[bytes] = []
    proxy.lie_in_wait("a", joins.append, at_answer=False, forwards=True, api_key=JOIN_GROUP)
    assert client.asks(END_TXN)
    assert proxy.waits
    assert client.asks(JOIN_GROUP)
    proxy.resend(joins[0])
    assert broker.requests == 3
    assert client.asks()


def test_an_absent_broker_is_a_closed_connection(proxy: Proxy, broker: Echo) -> None:
    """A worker that comes while the broker is away is not left waiting."""
    broker.close()
    proxy.upstream = 1
    client = Client(proxy, b"a")
    with pytest.raises(ConnectionError):
        client.asks()
