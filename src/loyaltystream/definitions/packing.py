"""The standard pack: a definition for every notification, as files. Does I/O: files.

They show what a CRM, a till or a loyalty engine sends and what comes out. An org takes them into
its own definitions, changes them there, and applies them as any other.
"""

import json
from pathlib import Path
from typing import Any, Final

from loyaltystream.errors import ConfigurationError

_PACK: Final = Path(__file__).parent / "pack"


def pack_bodies() -> dict[str, dict[str, Any]]:
    """Return the definitions' bodies by the names of their events."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(_PACK.glob("*.json"))}


def write_pack(folder: Path, org_id: int) -> list[Path]:
    """Write the definitions as an org's into a folder; return the files, which are all new.

    Raises:
        ConfigurationError: if one of them is there already, or can't be written; none is written
            where one is there.
    """
    bodies = pack_bodies()
    made = [folder / str(org_id) / f"{name}.json" for name in bodies]
    if known := [path.name for path in made if path.exists()]:
        raise ConfigurationError(
            f"{folder / str(org_id)} has {', '.join(known)} already; nothing is written"
        )
    try:
        made[0].parent.mkdir(parents=True, exist_ok=True)
        for path, body in zip(made, bodies.values(), strict=True):
            path.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    except OSError as error:
        raise ConfigurationError(f"{folder}: {error.strerror}") from error
    return made
