"""The Dockerfile as its instructions."""

import re
import shlex
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
DOCKERFILE: Final = ROOT / "deploy" / "Dockerfile"


def instructions(text: str) -> list[tuple[str, str]]:
    """Return each instruction and its arguments, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(" ", 1)) for line in joined.splitlines()]  # type: ignore[misc]  # two each


def stages(text: str) -> list[list[tuple[str, str]]]:
    """Return the instructions of each stage."""
    found: list[list[tuple[str, str]]] = []
    for instruction in instructions(text):
        if instruction[0] == "FROM":
            found.append([])
        found[-1].append(instruction)
    return found


FINAL: Final = stages(DOCKERFILE.read_text())[-1]
ENVIRONMENT: Final = dict(
    pair.split("=", 1) for name, told in FINAL if name == "ENV" for pair in shlex.split(told)
)
