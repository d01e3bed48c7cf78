"""The image: what it is built from, what it leaves behind, and as whom it runs."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from loyaltystream.settings import Settings
from tests.deploy.image import DOCKERFILE, ENVIRONMENT, FINAL, ROOT, stages

TEXT: Final = DOCKERFILE.read_text()
LOCKS: Final = ROOT / "requirements"


def pinned(name: str) -> dict[str, str]:
    """Return the packages of a lock, with their versions and hashes."""
    found = re.split(r"^(?=[a-z0-9])", (LOCKS / name).read_text(), flags=re.MULTILINE)
    return {block.partition("==")[0].strip(): block for block in found if "==" in block}


def told(instruction: str) -> list[str]:
    """Return the arguments of each such instruction of the last stage."""
    return [arguments for name, arguments in FINAL if name == instruction]


def test_a_linter_has_nothing_to_say() -> None:
    """Hadolint finds nothing in the Dockerfile, and what it looks for it would find."""
    hadolint = Path(sys.executable).with_name("hadolint")
    found = [
        subprocess.run(
            [hadolint, "--no-color", "-"], input=text, capture_output=True, text=True, check=False
        )
        for text in (TEXT, TEXT.replace("FROM python:3.12-slim\n", "FROM python\n"))
    ]
    assert found[0].stdout == ""
    assert "DL3006" in found[1].stdout


def test_what_builds_stays_behind() -> None:
    """The last stage takes one folder of the first, installs nothing, and has no pip."""
    first, last = stages(TEXT)
    assert first[0] == ("FROM", "python:3.12-slim AS build")
    assert last[0] == (
        "FROM",
        "python:3.12-slim",
    )  # the same interpreter: its path is in the folder
    assert told("COPY") == ["--from=build /opt/loyaltystream /opt/loyaltystream"]
    [ran] = told("RUN")
    assert "pip uninstall --yes pip" in ran
    assert not re.search(r"apt-get|apk|curl|wget| install|gcc", ran)


def test_only_wheels_that_are_held_to_their_hashes() -> None:
    """Every package is a wheel with a hash; nothing is compiled, and none is fetched beside."""
    installs = re.findall(r"pip [^&]*install[^&]*", " ".join(arg for _, arg in stages(TEXT)[0]))
    assert len(installs) == 3
    for install in installs:
        ours = "--no-deps /dist/*.whl" in install
        assert ours or "--require-hashes --only-binary :all: -r requirements/" in install, install
    for lock in ("build.txt", "image.txt"):
        assert all("--hash=sha256:" in block for block in pinned(lock).values())


def test_the_image_has_what_runs_and_no_more() -> None:
    """Its lock holds what the program and its services need, in the versions of the other locks."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = {_name(one) for one in (*project["dependencies"], *extras["service"])}
    image, run = pinned("image.txt"), pinned("run.txt")
    assert wanted <= image.keys()
    assert not {_name(one) for one in (*extras["local"], *extras["build"])} & image.keys()
    assert _versions(image).items() <= _versions(run).items()


def _name(requirement: str) -> str:
    return re.split(r"[\[><=]", requirement)[0]


def _versions(lock: dict[str, str]) -> dict[str, str]:
    return {name: block.splitlines()[0] for name, block in lock.items()}


def test_it_runs_as_nobody_else() -> None:
    """The user is a number, not root's, and owns its home, which is the only volume."""
    assert told("USER") == ["10001:10001"]
    assert "useradd --uid 10001 --gid 10001 --home-dir /var/lib/loyaltystream" in told("RUN")[0]
    assert told("VOLUME") == told("WORKDIR") == ["/var/lib/loyaltystream"]
    state = Path(ENVIRONMENT["LOYALTYSTREAM_WORKER__STATE_DIR"])
    assert state.is_relative_to("/var/lib/loyaltystream")


def test_it_starts_the_program() -> None:
    """The entry point is the command line, found in the folder that was copied."""
    assert json.loads(told("ENTRYPOINT")[0]) == ["loyaltystream"]
    assert ENVIRONMENT["PATH"].startswith("/opt/loyaltystream/bin:")


def test_its_health_is_a_workers() -> None:
    """Its health check asks the first ingest worker whether it lives, and is Python that runs."""
    port = Settings().telemetry.metrics_port
    assert ENVIRONMENT["HEALTH_URL"] == f"http://127.0.0.1:{port}/livez"
    [check] = told("HEALTHCHECK")
    program = json.loads(check.partition("CMD ")[2])
    assert program[:2] == ["python", "-c"]
    answer = subprocess.run(
        [sys.executable, *program[1:]],
        env={"HEALTH_URL": "http://127.0.0.1:1/livez"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Connection refused" in answer.stderr


def test_the_builder_gets_what_it_copies() -> None:
    """What the wheel is made of is copied, is there, and is let through to the builder alone."""
    copied = {path for name, arg in stages(TEXT)[0] if name == "COPY" for path in arg.split()[:-1]}
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]
    included = hatch["build"]["targets"]["wheel"]["force-include"]
    for source in (*included, "src", "requirements/build.txt", "requirements/image.txt"):
        assert any(Path(source).is_relative_to(path) for path in copied), source
    ignored = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in ignored if line.startswith("!")} == copied
    assert all((ROOT / path).exists() for path in copied)
    assert "*" in ignored
