"""What this machine offers a worker: a directory, room on its disk, ports. Does I/O.

Nothing is made or written: what does not exist yet is judged by the directory that it goes into.
"""

import os
import shutil
import socket
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from loyaltystream.doctor.machine import PortFacts, StateFacts

OURS: Final = b"loyaltystream_"
"""What the names of our metrics begin with."""

_ANSWER_S: Final = 2.0
_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (looked up, not bound)


def look_at_state(path: Path, snapshot_bytes: int) -> StateFacts:
    """Return whether a worker can keep its state there."""
    place = path.expanduser().absolute()
    while not place.exists():
        place = place.parent
    refused = None
    if not place.is_dir():
        refused = f"{place} is no directory"
    elif not os.access(place, os.W_OK | os.X_OK):
        refused = f"this user may not write to {place}"
    try:
        free = shutil.disk_usage(place).free
    except OSError:
        free = None
    return StateFacts(str(path), refused, free, snapshot_bytes)


def look_at_port(who: str, host: str, port: int) -> PortFacts:
    """Return whether metrics can be served there, or are served there by one of ours."""
    address = f"{host}:{port}"
    try:
        family, kind, number, _, name = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, number) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(name)
    except OSError as error:
        why = None if _is_ours(host, port) else error.strerror or str(error)
        return PortFacts(who, address, why)
    return PortFacts(who, address, None)


def _is_ours(host: str, port: int) -> bool:
    url = f"http://{_EVERYWHERE.get(host, host)}:{port}/metrics"
    try:
        with urlopen(url, timeout=_ANSWER_S) as answer:
            return OURS in answer.read()
    except (URLError, OSError, ValueError):
        return False
