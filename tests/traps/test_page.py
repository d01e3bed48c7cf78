"""docs/traps.md: twenty traps, and for each something that there really is."""

import re
from typing import Final

from tests.chaos.schedule import FAULTS
from tests.simulation.mutants import MUTANTS
from tests.test_docs import ROOT
from tests.test_house import functions, parsed

PAGE: Final = (ROOT / "docs" / "traps.md").read_text()
TRAPS: Final = {
    line.split("|")[1].strip(): line.split("|")[2:-1]
    for line in PAGE.splitlines()
    if line.startswith("| T")
}

KINDS: Final = {"mutant": "mutant", "mutants": "mutant", "chaos": "chaos"}
"""What a part of the last cell begins with, if it does not name tests."""


def shown_by(trap: str) -> list[tuple[str, str]]:
    """Return what the page says shows how a trap is handled: its kind, and its name."""
    return [
        (KINDS.get(part.split()[0], "test"), name)
        for part in TRAPS[trap][-1].split(";")
        for name in names(part)
    ]


def names(text: str) -> list[str]:
    """Return what stands there as code."""
    return re.findall(r"`([^`]+)`", text)


def test_every_trap_has_its_row() -> None:
    """All twenty are there, and each says what goes wrong, what is done and what shows it."""
    assert sorted(TRAPS, key=lambda trap: int(trap[1:])) == [f"T{n}" for n in range(1, 21)]
    for trap, cells in TRAPS.items():
        assert len(cells) == 3, trap
        assert all(cell.strip() for cell in cells), trap


def test_every_trap_is_shown_by_a_test() -> None:
    """What a row names as a test is one, and a row names at least one test."""
    for trap in TRAPS:
        tests = [name for kind, name in shown_by(trap) if kind == "test"]
        assert tests, trap
        for name in tests:
            path, _, function = name.partition("::")
            found = {one.name for one in functions(parsed(ROOT / path))}
            assert function in found, f"{trap}: {name}"


def test_every_mutant_and_fault_of_a_row_is_one() -> None:
    """What a row calls a mutant or a fault of chaos is made by `make test` or `make chaos`."""
    known = {
        "mutant": {mutant.name for mutant in MUTANTS},
        "chaos": {f"{fault.family}: {fault.name}" for fault in FAULTS},
    }
    for trap in TRAPS:
        for kind, name in shown_by(trap):
            assert kind == "test" or name in known[kind], f"{trap}: {name}"
    named = {kind for trap in TRAPS for kind, _ in shown_by(trap)}
    assert named == {"test", "mutant", "chaos"}


def test_every_place_of_a_row_is_there() -> None:
    """A module that a row names as the place of something is a module of the package."""
    for trap, cells in TRAPS.items():
        for name in names(cells[1]):
            if name.endswith(".py"):
                there = ROOT / name, ROOT / "src" / "loyaltystream" / name
                assert any(path.exists() for path in there), f"{trap}: {name}"
