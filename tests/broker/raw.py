"""A producer that speaks the protocol itself, so that its requests may come too late.

The client library sends nothing for a transaction that has ended; a broker that stood still may
take up such a request all the same. Does I/O: one connection.
"""

import socket
import struct
import time
from typing import Final, Self

_FIND_COORDINATOR: Final = 10
_INIT_PRODUCER_ID: Final = 22
_ADD_OFFSETS: Final = 25
_END: Final = 26
_COMMIT_OFFSETS: Final = 28
_FIRST_VERSION: Final = 0
_TIMEOUT_MS: Final = 60_000
_CORRELATION: Final = struct.Struct(">i")


class RawProducer:
    """One transactional producer, on the only broker that there is.

    Args:
        bootstrap_servers: one address, `host:port`.
        transactional_id: is taken over.
    """

    def __init__(self, bootstrap_servers: str, transactional_id: str) -> None:
        host, port = bootstrap_servers.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)))
        self._id = _text(transactional_id)
        self._ask(_FIND_COORDINATOR, struct.pack(">h", len(transactional_id)) + self._id[2:])
        producer, error, deadline = [-1, -1], 1, time.monotonic() + _TIMEOUT_MS / 1000
        while error and time.monotonic() < deadline:  # the one before may still be ending
            taken = self._ask(_INIT_PRODUCER_ID, self._id + struct.pack(">i", _TIMEOUT_MS))
            _, error, *producer = struct.unpack(">ihqh", taken)
        self._producer = struct.pack(">qh", *producer)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._socket.close()

    def add_group(self, group: str) -> int:
        """Have a group's offsets belong to the transaction; return the error's code."""
        return _error(self._ask(_ADD_OFFSETS, self._id + self._producer + _text(group)))

    def send_offset(self, group: str, topic: str, offset: int) -> int:
        """Send partition 0's next offset, in a transaction or not; return the error's code."""
        position = struct.pack(">iiqh", 1, 0, offset, -1)  # one partition, number 0, no metadata
        body = self._id + _text(group) + self._producer + struct.pack(">i", 1) + _text(topic)
        return _error(self._ask(_COMMIT_OFFSETS, body + position))

    def abort(self) -> int:
        """End the transaction; return the error's code."""
        return _error(self._ask(_END, self._id + self._producer + b"\x00"))

    def _ask(self, api: int, body: bytes) -> bytes:
        head = struct.pack(">hhi", api, _FIRST_VERSION, api) + _text("raw")
        self._socket.sendall(struct.pack(">i", len(head + body)) + head + body)
        with self._socket.makefile("rb") as answer:
            (length,) = _CORRELATION.unpack(answer.read(_CORRELATION.size))
            return answer.read(length)[_CORRELATION.size :]


def _text(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _error(answer: bytes) -> int:
    """Return the code at an answer's end, where all of these have it."""
    (code,) = struct.unpack(">h", answer[-2:])
    return int(code)
