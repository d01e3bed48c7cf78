"""Every golden request to the definitions service, sent with curl to a running one."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from loyaltystream.platform.ports import free_port
from loyaltystream.settings import variable
from loyaltystream.web.tokens import Role, add_token, mint
from tests.broker.test_definitions import follow
from tests.shop import Shop, eventually
from tests.web.golden import Case, Request, cases, check

pytestmark = pytest.mark.broker

FIRST_ORG: Final = 3000
ROLES: Final[tuple[Role, ...]] = ("editor", "viewer")


@pytest.fixture
def curl() -> str:
    """Return the program; without it nothing is shown."""
    found = shutil.which("curl")
    if found is None:
        told = "curl is not installed, so the service was asked by no other client than ours"
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail(told)
        pytest.skip(told)
    return found


@pytest.mark.parametrize("profile", ["extended", "vendor"])
def test_every_request_has_its_documented_answer(
    make_shop: Callable[..., Shop], curl: str, profile: str, tmp_path: Path
) -> None:
    """A running service answers each request of ours as the golden case says."""
    shop = make_shop(partitions=1, **{"definitions.profile": profile})
    follow(shop)
    asked = [(name, case) for name, case in cases() if case.profile == profile]
    assert asked
    tokens = {}
    for org, _ in enumerate(asked, FIRST_ORG):
        for role in ROLES:
            tokens[org, role], kept = mint(f"{role}-{org}", org, role)
            add_token(shop.directory / "tokens.toml", kept)
    port = free_port(range(20_000, 30_000))
    shop.environment[variable("http.port")] = str(port)
    shop.start("serve", "definitions", log="service")
    sent, got = tmp_path / "sent", tmp_path / "got"

    def send(org: int, request: Request) -> tuple[int, Any]:
        arguments = [curl, "-sS", "-X", request.method, "-o", str(got), "-w", "%{http_code}"]
        if request.by is not None:
            token = tokens[org, "viewer" if request.by == "viewer" else "editor"]
            arguments += ["-H", f"X-CAP-API-OAUTH-TOKEN: {token}"]
        if request.content is not None:
            sent.write_bytes(request.content)
            arguments += ["-H", "Content-Type: application/json", "--data-binary", f"@{sent}"]
        url = f"http://127.0.0.1:{port}{request.path}"
        done = subprocess.run(
            [*arguments, url], capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode:
            return 0, done.stderr
        return int(done.stdout), json.loads(got.read_bytes())

    ready = Request("GET", "/v2/events")
    eventually(lambda: send(FIRST_ORG, ready)[0] == 200, "the service answers")
    for org, (_, case) in enumerate(asked, FIRST_ORG):
        hold(case, org, send)


def hold(case: Case, org: int, send: Callable[[int, Request], tuple[int, Any]]) -> None:
    """Send a case as an org of its own."""
    check(case, org, lambda request: send(org, request))
