"""The shop's event definitions, as its operator writes them. Does I/O: reads its own files."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from loyaltystream.definitions.files import load_definitions
from loyaltystream.definitions.model import EventDefinition
from loyaltystream.errors import ConfigurationError

ORG_ID: Final = 1800

# In a wheel the examples lie inside the package, in a checkout beside `src`.
_PACKAGE = Path(__file__).parent.parent
_FOLDERS = (_PACKAGE / "examples", _PACKAGE.parent.parent / "examples")


def definitions_folder() -> Path:
    """Return the folder that the setting `rules.definitions` names to judge a story.

    Raises:
        ConfigurationError: if the installation lacks it.
    """
    for candidate in _FOLDERS:
        if (candidate / "definitions" / str(ORG_ID)).is_dir():
            return candidate / "definitions"
    raise ConfigurationError("the installation has no examples; install loyaltystream again")


def definitions() -> list[dict[str, Any]]:
    """Return the bodies of the shop's definitions, as the Create Event API takes them."""
    files = sorted((definitions_folder() / str(ORG_ID)).glob("*.json"))
    return [json.loads(file.read_text(encoding="utf-8")) for file in files]


@cache
def parsed_definitions() -> tuple[EventDefinition, ...]:
    """Return the shop's definitions, checked.

    Raises:
        ConfigurationError: with a line for everything that is wrong with any.
    """
    folder = definitions_folder()
    return tuple(found for found in load_definitions(folder) if found.org_id == ORG_ID)
