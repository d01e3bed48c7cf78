"""The load of the gateway's benchmark, in a process of its own, over many connections.

Called as `python -m tests.bench.posting PORT PATH TOKEN CONNECTIONS KIND`, with requests' bodies on
standard input, each behind its length; the measure goes to standard output. Requests are written
whole before anything is measured, and of an answer only status and length are read: so that the
load is not what is measured.
"""

import asyncio
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator

import msgspec
import psutil

_LENGTH = struct.Struct(">I")


class Load(msgspec.Struct):
    """What one run of requests took.

    Attributes:
        statuses: how many answers of each.
        cpu_seconds: of this process.
    """

    requests: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    p99_ms: float
    statuses: dict[str, int]


class Client(asyncio.Protocol):
    """One connection, which sends the next request when the last one is answered.

    Args:
        waiting: requests that nobody has sent; shared by all connections.
        took_s: how long each request took; likewise.
        statuses: how many answers there were of each; likewise.
    """

    def __init__(
        self, waiting: deque[bytes], took_s: list[float], statuses: dict[str, int]
    ) -> None:
        self._waiting = waiting
        self._took_s = took_s
        self._statuses = statuses
        self._answer = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection; nothing is sent yet."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def begin(self) -> None:
        """Send the next request, or end."""
        if not self._waiting:
            self._transport.close()
            self.ended.set_result(None)
            return
        self._sent_s = time.perf_counter()
        self._transport.write(self._waiting.popleft())

    def data_received(self, data: bytes) -> None:
        """Wait for the whole of an answer."""
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        if not found or len(body) < _length(head):
            return
        self._took_s.append(time.perf_counter() - self._sent_s)
        status = head[9:12].decode()
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._answer = b""
        self.begin()

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the server let go too early."""
        if not self.ended.done():
            self.ended.set_exception(exc or ConnectionError("the server has closed"))


def _length(head: bytes) -> int:
    """Return what Content-Length says."""
    start = head.lower().index(b"content-length:") + 15
    return int(head[start:].partition(b"\r\n")[0])


async def load(port: int, requests: list[bytes], connections: int) -> Load:
    """Send all requests, each once, over so many connections."""
    loop, waiting = asyncio.get_running_loop(), deque(requests)
    took_s: list[float] = []
    statuses: dict[str, int] = {}
    clients = []
    for _ in range(connections):
        _, client = await loop.create_connection(
            lambda: Client(waiting, took_s, statuses), "127.0.0.1", port
        )
        clients.append(client)
    process = psutil.Process()
    began_s, before = time.perf_counter(), process.cpu_times()
    for client in clients:
        client.begin()
    await asyncio.gather(*(client.ended for client in clients))
    seconds, after = time.perf_counter() - began_s, process.cpu_times()
    took_s.sort()
    return Load(
        requests=len(requests),
        seconds=seconds,
        cpu_seconds=after.user + after.system - before.user - before.system,
        p50_ms=took_s[len(took_s) // 2] * 1000,
        p99_ms=took_s[len(took_s) * 99 // 100] * 1000,
        statuses=statuses,
    )


def request(path: str, token: str, kind: str, body: bytes) -> bytes:
    """Return a request as it goes over the wire."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def framed(bodies: list[bytes]) -> bytes:
    """Return bodies, each behind its length."""
    return b"".join(_LENGTH.pack(len(body)) + body for body in bodies)


def _bodies(raw: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size + length
        yield raw[at - length : at]


def main() -> None:
    """Read the bodies, send them, write the measure."""
    port, path, token, connections, kind = sys.argv[1:]
    requests = [request(path, token, kind, body) for body in _bodies(sys.stdin.buffer.read())]
    measure = asyncio.run(load(int(port), requests, int(connections)))
    sys.stdout.buffer.write(msgspec.json.encode(measure))


if __name__ == "__main__":
    main()
