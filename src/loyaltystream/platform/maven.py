"""Downloads one archive with `jgo`, from the repository that it knows. Does I/O: network, files.

The only importer of jgo, and that late: it belongs to the extra `local`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from loyaltystream.errors import PlatformError
from loyaltystream.platform.disk import FULL
from loyaltystream.platform.extra import extra
from loyaltystream.platform.pins import Archive

ATTEMPTS = 3
TIMEOUT_S = 30

Advance = Callable[[int], None]
"""Told how many bytes more have come (a negative number takes some back); may raise to end it."""

Download = Callable[[Archive, Path, Advance], None]
"""Puts one archive at a path, or raises PlatformError (OSError if the disk is full)."""


def download(
    archive: Archive, target: Path, advance: Advance, *, remotes: dict[str, str] | None = None
) -> None:
    """Put `archive` at `target`, in three attempts at most.

    Args:
        archive: What to fetch.
        target: The path of the new file; whole, or not there.
        advance: Told of the bytes as they come.
        remotes: Repositories, URL by name; by default the one that jgo knows.

    Raises:
        PlatformError: if it cannot be had; OSError if the disk is full.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            _attempt(archive, target, advance, remotes)
        # What jgo and requests raise: no such file, no network, an answer cut short.
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno in FULL:
                raise
            if attempt == ATTEMPTS:
                raise PlatformError(_refused(archive, error)) from error
        else:
            return


def _attempt(
    archive: Archive, target: Path, advance: Advance, remotes: dict[str, str] | None
) -> None:
    with extra():
        from jgo.maven import MavenContext, PythonResolver  # noqa: PLC0415 (an extra: may be missing)

    come_bytes = 0
    advance(0)

    def count(more_bytes: int) -> None:
        nonlocal come_bytes
        come_bytes += more_bytes
        advance(more_bytes)

    @contextmanager
    def progress(_filename: str, _total_bytes: int) -> Iterator[Advance]:
        yield count

    group, artifact, version, packaging, classifier = archive.coordinate
    # jgo takes what half a download left behind for the whole file, so each attempt has its own
    # repository and only a whole file leaves it.
    with TemporaryDirectory(dir=target.parent) as scratch:
        context = MavenContext(
            resolver=PythonResolver(progress_callback=progress),
            repo_cache=Path(scratch),
            remote_repos=remotes,
            timeout=TIMEOUT_S,
        )
        component = context.project(group, artifact).at_version(version)
        try:
            came = component.artifact(classifier=classifier, packaging=packaging).resolve()
        except BaseException:
            advance(-come_bytes)
            raise
        came.replace(target)


def _refused(archive: Archive, error: Exception) -> str:
    cause = type(error).__name__ if isinstance(error, OSError) else "no repository has it"
    return (
        f"download of {archive.filename} failed {ATTEMPTS} times ({cause}). The platform needs the "
        "network once, then it runs from its cache; what came so far is kept there"
    )
