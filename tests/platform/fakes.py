"""Small stand-ins for what the platform works on: archives, programs, a person who is told."""

import hashlib
import io
import os
import socket
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loyaltystream.errors import PlatformError
from loyaltystream.platform.maven import Advance
from loyaltystream.platform.pins import Archive, Coordinate
from loyaltystream.platform.ports import LOOPBACK
from loyaltystream.platform.process import Command
from loyaltystream.platform.report import Count

# Listens on the port in argv[1] until it is told to end; a connection is an answer.
LISTEN = """
import socket, sys
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    server.accept()[0].close()
"""
# Listens, but takes no notice of SIGTERM.
LISTEN_ON = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)" + LISTEN
# Runs without ever listening.
HANG = "import time; time.sleep(600)"


def until(holds: Callable[[], bool]) -> None:
    """Wait for what is sure to come, at the cost of the processor and not of the clock."""
    while not holds():
        os.sched_yield()


def archive_of(name: str, content: bytes, packaging: str = "jar") -> Archive:
    """Return the pin of an archive with `content`."""
    coordinate = Coordinate("test.group", name, "1.0", packaging)
    return Archive(coordinate, len(content), hashlib.sha256(content).hexdigest())


def tarball(files: Mapping[str, bytes], *links: tarfile.TarInfo) -> bytes:
    """Return a compressed tar of `files`, then `links`."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        for link in links:
            tar.addfile(link)
    return buffer.getvalue()


@contextmanager
def answering(reply: bytes) -> Iterator[int]:
    """Answer one request on the yielded port, whatever it is, with `reply`, and hang up."""
    with socket.create_server((LOOPBACK, 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(reply)

        thread = threading.Thread(target=serve)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


@dataclass
class Shelf:
    """A repository in memory, which notes what was asked of it."""

    contents: dict[str, bytes | OSError]
    asked: list[str] = field(default_factory=list)

    def download(self, archive: Archive, target: Path, advance: Advance) -> None:
        """Put what lies under the archive's name at `target`."""
        self.asked.append(archive.filename)
        content = self.contents.get(archive.filename)
        if content is None:
            raise PlatformError(f"download of {archive.filename} failed")
        if isinstance(content, OSError):
            raise content
        target.write_bytes(content)
        advance(len(content))


@dataclass
class Told:
    """A report that remembers."""

    facts: list[str] = field(default_factory=list)
    counted: dict[str, int] = field(default_factory=dict)

    def fact(self, line: str) -> None:
        """Remember the line."""
        self.facts.append(line)

    @contextmanager
    def transfer(self, title: str, total_bytes: int) -> Iterator[Count]:
        """Remember the title, and the bytes of each file."""
        self.facts.append(f"{title}: {total_bytes}")
        yield self._count

    def _count(self, file: str, some_bytes: int) -> None:
        self.counted[file] = self.counted.get(file, 0) + some_bytes


@dataclass
class Script:
    """A program of the platform that is a few lines of Python, and starts in no time."""

    source: str = LISTEN
    name: str = "script"
    setting: str = "platform.kafka_port"
    ports: range = range(30_000, 32_000)
    patience_s: float = 20
    grace_s: float = 10
    prepared: list[int] = field(default_factory=list)

    def prepare(self, directory: Path, port: int) -> None:
        """Note the port, and leave it where the script finds it."""
        self.prepared.append(port)
        (directory / "port").write_text(str(port))

    def command(self, directory: Path, mark: str) -> Command:
        """Return the command line that runs the source."""
        launcher = f"import sys; sys.argv[1] = open('port').read()\n{self.source}"
        return Command((sys.executable, "-c", launcher, "port", mark), directory)

    def address(self, port: int) -> str:
        """Return host and port."""
        return f"{LOOPBACK}:{port}"

    def answers(self, port: int) -> bool:
        """Tell whether it accepts a connection."""
        try:
            socket.create_connection((LOOPBACK, port), timeout=1).close()
        except OSError:
            return False
        return True
