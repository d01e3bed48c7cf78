"""A release is built, holds everything, and runs where nothing of ours is but the wheel."""

import ast
import os
import re
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

import pytest

from loyaltystream import __version__
from loyaltystream.settings import ENVIRONMENT_PREFIX

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "src"
DESCRIPTION: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: Final = DESCRIPTION["project"]
INCLUDED: Final = DESCRIPTION["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
"""Folders beside the sources that are in the wheel, and where they lie there."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with what `python -m build` makes; the wheel is built from the archive."""
    folder = tmp_path_factory.mktemp("dist")
    # Without isolation: what builds is in the lock, and no network is asked for it.
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT)
    return folder


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Return what runs a program of an environment that has the wheel.

    What the wheel depends on is lent to it by the environment of the tests; our sources are not.
    """
    folder = tmp_path_factory.mktemp("empty")
    _run(sys.executable, "-m", "venv", "--without-pip", folder)
    python = folder / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python)
    [wheel] = built.glob("*.whl")
    _run(*pip, "install", "--quiet", "--no-index", "--no-deps", wheel)
    [packages] = folder.glob("lib/python*/site-packages")
    (packages / "lent.pth").write_text(sysconfig.get_path("purelib"))

    def run(program: str, *arguments: str) -> str:
        return _run(folder / "bin" / program, *arguments, at=folder)

    return run


def _run(*command: str | Path, at: Path | None = None) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name != "PYTHONPATH" and not name.startswith(ENVIRONMENT_PREFIX)
    }
    done = subprocess.run(
        command, cwd=at, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _files(folder: Path, at: str) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file() and "__pycache__" not in path.parts:
            yield f"{at}/{path.relative_to(folder).as_posix()}"


def test_the_wheel_holds_everything(built: Path) -> None:
    """Schemas, examples, pages, packed definitions and the mark of its types are in the wheel."""
    [wheel] = built.glob(f"loyaltystream-{__version__}-*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        *_files(SOURCE / "loyaltystream", "loyaltystream"),
        *(name for source, at in INCLUDED.items() for name in _files(ROOT / source, at)),
    }
    assert {"loyaltystream/schemas", "loyaltystream/samples"} <= set(INCLUDED.values())
    assert "loyaltystream/py.typed" in wanted
    assert wanted - held == set()
    others = {name for name in held - wanted if ".dist-info/" not in name}
    assert others == set()


def test_the_archive_can_be_built_and_tested(built: Path) -> None:
    """The archive of sources holds whatever a clone does: tests, docs, deployment and locks."""
    [archive] = built.glob(f"loyaltystream-{__version__}.tar.gz")
    with tarfile.open(archive) as sources:
        held = {name.partition("/")[2] for name in sources.getnames()}
    wanted = {"Makefile", "CHANGELOG.md", "LICENSE", "docker-compose.yml"}
    for folder in ("src", "tests", "docs", "deploy", "schemas", "requirements"):
        wanted |= set(_files(ROOT / folder, folder))
    assert {name for name in wanted - held if not _is_left(name)} == set()


def _is_left(name: str) -> bool:
    return any(part.startswith(".") for part in Path(name).parts)


def test_it_runs_where_nothing_else_of_ours_is(installed: Callable[..., str]) -> None:
    """The installed program knows its version and its commands, from its own folder."""
    where = installed("python", "-c", "import loyaltystream; print(loyaltystream.__file__)")
    assert "site-packages" in where
    assert str(ROOT) not in where
    assert installed("loyaltystream", "--version") == f"loyaltystream {__version__}\n"
    assert "Judges every behavioral event exactly once" in installed("loyaltystream", "--help")


def test_it_finds_its_schemas(installed: Callable[..., str]) -> None:
    """All schemas and all their releases are read out of the wheel."""
    assert '"problems": []' in installed("loyaltystream", "schemas", "check", "--json")


def test_it_finds_its_pack(installed: Callable[..., str]) -> None:
    """The standard definitions are written out of the wheel, and are valid."""
    installed("loyaltystream", "definitions", "standard", "1800")
    assert installed("loyaltystream", "definitions", "validate", "definitions")


@pytest.mark.parametrize(
    "module", ["working", "taking", "web.application", "platform.local", "audit", "cli"]
)
def test_its_rooms_can_be_entered(installed: Callable[..., str], module: str) -> None:
    """Stages, services, platform and audit can be imported from the wheel."""
    installed("python", "-c", f"import loyaltystream.{module}")


def test_it_says_what_it_needs() -> None:
    """Every library that is imported is among what the wheel depends on, or in an extra."""
    told = list(PROJECT["dependencies"])
    for extra in ("local", "service", "otel"):
        told += PROJECT["optional-dependencies"][extra]
    needed = {_plain(re.split(r"[\[<>=~ ]", one)[0]) for one in told}
    found = packages_distributions()
    imported = {
        name.partition(".")[0]
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _imports(node)
    }
    ours = sys.stdlib_module_names | {"loyaltystream"}
    missing = {
        name
        for name in imported - ours
        if not {_plain(one) for one in found.get(name, [name])} & (needed | _BROUGHT)
    }
    assert missing == set()


_BROUGHT: Final = {"starlette"}
"""Parts of what we depend on: FastAPI is made of it, and we use it by its own name."""


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _imports(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module]
    return []


def test_the_changelog_is_in_its_form() -> None:
    """Every version of the changelog has a date, sections that are known, and lines for users."""
    text = (ROOT / "CHANGELOG.md").read_text()
    versions = re.findall(r"^## (.+)$", text, re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+\] - \d{4}-\d\d-\d\d", one) for one in versions[1:])
    sections = set(re.findall(r"^### (.+)$", text, re.MULTILINE))
    assert sections <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    released = [one[1:].partition("]")[0] for one in versions[1:]]
    assert released[:1] in ([], [__version__])
