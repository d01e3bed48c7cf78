"""What is wrong with settings in, lines that say where and what is allowed out. Pure."""

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

ENVIRONMENT_PREFIX = "LOYALTYSTREAM_"
FILE_VARIABLE = "LOYALTYSTREAM_SETTINGS"
SECRETS_VARIABLE = "LOYALTYSTREAM_SECRETS"


def variable(name: str) -> str:
    """Return the environment variable that sets `table.name`."""
    return ENVIRONMENT_PREFIX + name.replace(".", "__").upper()


class Mistakes:
    """Tells mistakes by the names of all settings that there are.

    Args:
        environment: all variables.
        names: of all settings, as `table.name`.
        path: the settings file.
        apart: the files that hold one setting each.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        names: Sequence[str],
        *,
        path: Path,
        apart: Iterable[Path],
    ) -> None:
        self._environment = environment
        self._names = names
        self._path = path
        self._apart = {file.name: file for file in apart}

    def unknown_variables(self) -> Iterator[str]:
        """Yield a line for each variable that looks like a setting, and is none."""
        known = {variable(name) for name in self._names} | {FILE_VARIABLE, SECRETS_VARIABLE}
        tables = {variable(name.partition(".")[0]) for name in self._names}
        ours = {name for name in self._environment if name.upper().startswith(ENVIRONMENT_PREFIX)}
        # A stray name inside a known table is found by the table itself.
        inside = tuple(f"{table}__" for table in tables)
        for name in sorted(ours - known - tables):
            if not name.upper().startswith(inside):
                yield f"{name}: {self._unknown(name)}"

    def unknown_files(self) -> Iterator[str]:
        """Yield a line for each file of one setting whose name is not that of a setting."""
        for name, file in self._apart.items():
            if name not in self._names:
                yield f"{file}: {self._unknown(name)}"

    def describe(self, problem: Mapping[str, Any]) -> str:
        """Return the line for one of pydantic's problems."""
        name = ".".join(str(part) for part in problem["loc"])
        setting = ".".join(name.split(".")[:2])
        if variable(setting) in self._environment:
            where = variable(setting)
        else:
            where = str(self._apart.get(setting, f"{self._path}, {name}"))
        if problem["type"] == "extra_forbidden":
            return f"{where}: {self._unknown(name)}"
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"

    def _unknown(self, name: str) -> str:
        asked = name.removeprefix(ENVIRONMENT_PREFIX).replace("__", ".").lower()
        close = difflib.get_close_matches(asked, self._names, n=1)
        return f"no such setting; did you mean {close[0]}?" if close else "no such setting"
