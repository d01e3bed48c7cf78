"""What is wrong with settings in, lines that say where and what is allowed out. Pure."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ENVIRONMENT_PREFIX = "LOYALTYSTREAM_"
FILE_VARIABLE = "LOYALTYSTREAM_SETTINGS"


def variable(name: str) -> str:
    """Return the environment variable that sets `table.name`."""
    return ENVIRONMENT_PREFIX + name.replace(".", "__").upper()


class Mistakes:
    """Tells mistakes by the names of all settings that there are.

    Args:
        environment: all variables.
        names: of all settings, as `table.name`.
        path: the settings file.
    """

    def __init__(self, environment: Mapping[str, str], names: Sequence[str], path: Path) -> None:
        self._environment = environment
        self._names = names
        self._path = path

    def unknown_variables(self) -> Iterator[str]:
        """Yield a line for each variable that looks like a setting, and is none."""
        known = {variable(name) for name in self._names} | {FILE_VARIABLE}
        tables = {variable(name.partition(".")[0]) for name in self._names}
        ours = {name for name in self._environment if name.upper().startswith(ENVIRONMENT_PREFIX)}
        # A stray name inside a known table is found by the table itself.
        inside = tuple(f"{table}__" for table in tables)
        for name in sorted(ours - known - tables):
            if not name.upper().startswith(inside):
                yield f"{name}: {self._unknown(name)}"

    def describe(self, problem: Mapping[str, Any]) -> str:
        """Return the line for one of pydantic's problems."""
        name = ".".join(str(part) for part in problem["loc"])
        source = variable(".".join(name.split(".")[:2]))
        where = source if source in self._environment else f"{self._path}, {name}"
        if problem["type"] == "extra_forbidden":
            return f"{where}: {self._unknown(name)}"
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"

    def _unknown(self, name: str) -> str:
        asked = name.removeprefix(ENVIRONMENT_PREFIX).replace("__", ".").lower()
        close = difflib.get_close_matches(asked, self._names, n=1)
        return f"no such setting; did you mean {close[0]}?" if close else "no such setting"
