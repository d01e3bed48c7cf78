"""A TCP proxy before the broker that knows Kafka's frames, and whose they are. Does I/O: TCP.

Each worker has a `client.id` of its own, which every request names, so that one worker's network
can be bad while its neighbours' is good. Runs in a thread.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import Final

import msgspec

LOOPBACK: Final = "127.0.0.1"
ALL: Final = "*"
JOIN_GROUP: Final = 11
END_TXN: Final = 26
"""The requests that join a group, and that end a transaction: kafka.apache.org/protocol."""

_SIZE: Final = struct.Struct(">i")
_HEAD: Final = struct.Struct(">hhih")
_LIMIT: Final = 4 * 2**20
_LOOK_S: Final = 0.02
_ANSWER_S: Final = 10.0

Frame = tuple[float, bytes]


class Weather(msgspec.Struct, frozen=True):
    """What the network does to one worker, or to all.

    Attributes:
        delay_s: each frame comes so much later, in either direction.
        jitter_s: and by as much more at random; order is kept.
        holds_requests: nothing reaches the broker; it comes once this has ended.
        holds_answers: nothing reaches the worker, likewise.
        refuses: connections are closed as soon as they say whose they are.
    """

    delay_s: float = 0.0
    jitter_s: float = 0.0
    holds_requests: bool = False
    holds_answers: bool = False
    refuses: bool = False


CALM: Final = Weather()


class Ambush(msgspec.Struct):
    """Waits for a worker's commit or join: does something, once, before it goes on or instead."""

    client: str
    api_key: int
    at_answer: bool
    act: Callable[[bytes], None]
    forwards: bool


class Link:
    """One connection of a worker, and the broker's side of it."""

    def __init__(self, worker: asyncio.StreamWriter, broker: asyncio.StreamWriter) -> None:
        self.worker = worker
        self.broker = broker
        self.client = ""
        self.asked: dict[int, int] = {}  # commits and joins without an answer, by correlation

    def reset(self) -> None:
        """End both sides at once, as a machine does that has forgotten the connection."""
        for writer in (self.worker, self.broker):
            connection = writer.get_extra_info("socket")
            with suppress(OSError):
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()


class Proxy:
    """Listens on a port of its own; the broker may be away, or come later.

    Args:
        random: decides the jitter.
    """

    def __init__(self, random: Random) -> None:
        self.port = 0
        self.upstream = 0
        self._random = random
        self._weather: dict[str, Weather] = {}
        self._ambush: Ambush | None = None
        self._links: set[Link] = set()
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)

    def start(self) -> int:
        """Begin to listen; return the port."""

        async def listen() -> asyncio.Server:
            return await asyncio.start_server(self._serve, LOOPBACK, 0, limit=_LIMIT)

        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(listen(), self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    def stop(self) -> None:
        """Forget all connections and end."""

        async def end() -> None:
            if self._server is not None:
                self._server.close()
            self._reset(ALL)
            running = asyncio.all_tasks() - {asyncio.current_task()}
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def set(self, weather: Weather, client: str = ALL) -> None:
        """Change the weather of one worker, or of all."""
        self._weather[client] = weather

    def calm(self) -> None:
        """Let everything through again."""
        self._weather.clear()
        self._ambush = None

    def reset(self, client: str = ALL) -> None:
        """End connections by RST."""
        self._loop.call_soon_threadsafe(self._reset, client)

    def lie_in_wait(
        self,
        client: str,
        act: Callable[[bytes], None],
        *,
        at_answer: bool,
        forwards: bool,
        api_key: int = END_TXN,
    ) -> None:
        """Act, in the proxy's thread, at the next commit of that worker, or at its next join.

        Args:
            client: whose.
            act: what to do with the frame before it goes on.
            at_answer: at the broker's answer rather than at the request.
            forwards: whether it then goes on at all.
            api_key: of a commit or of a join.
        """
        self._ambush = Ambush(client, api_key, at_answer, act, forwards)

    def resend(self, request: bytes) -> None:
        """Let the broker hear a request once more, on a connection of its own."""
        with socket.create_connection((LOOPBACK, self.upstream), _ANSWER_S) as connection:
            connection.sendall(request)
            connection.recv(_SIZE.size)

    @property
    def waits(self) -> bool:
        """Whether an ambush has not been walked into yet."""
        return self._ambush is not None

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    def _reset(self, client: str) -> None:
        for link in list(self._links):
            if client in {ALL, link.client}:
                link.reset()

    def _over(self, link: Link) -> Weather:
        return self._weather.get(link.client) or self._weather.get(ALL, CALM)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            answers, broker = await asyncio.open_connection(LOOPBACK, self.upstream, limit=_LIMIT)
        except OSError:
            writer.transport.abort()
            return
        link = Link(writer, broker)
        self._links.add(link)
        try:
            await asyncio.gather(
                self._carry(link, reader, broker, self._pass_request),
                self._carry(link, answers, writer, self._pass_answer),
            )
        finally:
            self._links.discard(link)
            for one in (writer, broker):
                with suppress(OSError):
                    one.close()

    async def _carry(
        self,
        link: Link,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        passes: Callable[[Link, bytes], Awaitable[bool]],
    ) -> None:
        """Carry frames one way until either side ends; a latency delays, it does not slow down."""
        queue: asyncio.Queue[Frame | None] = asyncio.Queue()
        reading = asyncio.create_task(self._read(link, reader, queue))
        try:
            while (entry := await queue.get()) is not None:
                due_s, frame = entry
                await asyncio.sleep(max(due_s - self._loop.time(), 0))
                if await passes(link, frame):
                    writer.write(frame)
                    await writer.drain()
        except OSError:
            pass
        finally:
            reading.cancel()
            with suppress(OSError):
                writer.close()

    async def _read(
        self, link: Link, reader: asyncio.StreamReader, queue: "asyncio.Queue[Frame | None]"
    ) -> None:
        try:
            while True:
                head = await reader.readexactly(_SIZE.size)
                frame = head + await reader.readexactly(_SIZE.unpack(head)[0])
                weather = self._over(link)
                delay_s = weather.delay_s + weather.jitter_s * self._random.random()
                queue.put_nowait((self._loop.time() + delay_s, frame))
        except (OSError, asyncio.IncompleteReadError):
            queue.put_nowait(None)

    async def _pass_request(self, link: Link, frame: bytes) -> bool:
        key, _version, correlation, length = _HEAD.unpack_from(frame, _SIZE.size)
        start = _SIZE.size + _HEAD.size
        link.client = frame[start : start + max(length, 0)].decode()
        while self._over(link).holds_requests:
            await asyncio.sleep(_LOOK_S)
        if self._over(link).refuses:
            link.reset()
            return False
        # The last byte of a request to end a transaction says commit, not abort.
        if key == JOIN_GROUP or (key == END_TXN and frame[-1]):
            link.asked[correlation] = key
            return self._walk_in(link, key, frame, at_answer=False)
        return True

    async def _pass_answer(self, link: Link, frame: bytes) -> bool:
        while self._over(link).holds_answers:
            await asyncio.sleep(_LOOK_S)
        (correlation,) = _SIZE.unpack_from(frame, _SIZE.size)
        if (key := link.asked.pop(correlation, None)) is not None:
            return self._walk_in(link, key, frame, at_answer=True)
        return True

    def _walk_in(self, link: Link, key: int, frame: bytes, *, at_answer: bool) -> bool:
        ambush = self._ambush
        if ambush is None:
            return True
        if (ambush.client, ambush.api_key, ambush.at_answer) != (link.client, key, at_answer):
            return True
        self._ambush = None
        ambush.act(frame)
        if not ambush.forwards:
            link.reset()
        return ambush.forwards
