"""What is known of a service from one command to the next. Does I/O: `service.json`."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from loyaltystream.platform import disk
from loyaltystream.platform.process import Started

FILE = "service.json"


@dataclass(frozen=True)
class Record:
    """The port that a service keeps, and the process that was started last."""

    port: int | None = None
    started: Started | None = None


def read_record(directory: Path) -> Record:
    """Return what is known; nothing, if there is no record or none that can be read."""
    try:
        known = json.loads((directory / FILE).read_text(encoding="utf-8"))
        started = Started(**known["started"]) if known["started"] else None
        return Record(known["port"], started)
    # A machine that lost its power may have left anything; no process has survived that.
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return Record()


def write_record(directory: Path, record: Record) -> None:
    """Keep `record` in place of what was known."""
    disk.write_whole(directory / FILE, json.dumps(asdict(record)))
