"""The first hour of an operator, typed as docs/operations.md has it."""

import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from loyaltystream.platform import Addresses
from loyaltystream.platform.ports import free_port
from loyaltystream.settings import variable
from loyaltystream.working import PORTS_PER_STAGE
from tests.shop import QUICK

pytestmark = pytest.mark.broker

PAGE = Path(__file__).parent.parent.parent / "docs" / "operations.md"
PORTS = range(28_000, 29_000)

# What a person does beside typing: leave `run` in another terminal, and wait for what comes of it.
PERSON = """
set -euo pipefail
PYTHON={python}
ours() {{ "$PYTHON" -m loyaltystream "$@"; }}
FETCH='import sys, urllib.request as r; print(r.urlopen(sys.argv[-1]).read().decode())'
curl() {{ "$PYTHON" -c "$FETCH" "$@"; }}
wait_for() {{ for _ in $(seq 120); do "$@" > /dev/null 2>&1 && return; sleep 0.5; done; return 9; }}
tells() {{ ours why "$1" | grep -q "$2"; }}
loyaltystream() {{
  echo "\\$ loyaltystream $*"
  case "$1 ${{2-}}" in
    "platform start") ;;
    "run --from")
      "$PYTHON" -m loyaltystream "$@" > run.log 2>&1 &
      RUNNING=$!
      trap 'kill $RUNNING; wait $RUNNING || true' EXIT
      wait_for curl http://127.0.0.1:{ingest}/readyz
      wait_for curl http://127.0.0.1:{notify}/readyz ;;
    "send events.ndjson")
      ours "$@"
      wait_for tells first-bill notified
      wait_for tells wrong-bill rejected ;;
    "dead-letters replay") ours "$@"; wait_for tells wrong-bill notified ;;
    *) ours "$@" ;;
  esac
}}
"""


def typed() -> str:
    """Return all that the page tells to type in the first hour, in order."""
    hour = PAGE.read_text().partition("## The first hour")[2].partition("\n## ")[0]
    return "".join(re.findall(r"^```sh\n(.*?)^```$", hour, re.MULTILINE | re.DOTALL))


def test_the_first_hour_is_as_told(proven_cluster: Addresses, tmp_path: Path) -> None:
    """From nothing to an exact audit, by the page's own commands and settings alone."""
    port, name = free_port(PORTS), f"h{uuid.uuid4().hex[:8]}"
    [settings] = re.findall(r"^```toml\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "loyaltystream.toml").write_text(settings)
    here = {
        "kafka.bootstrap_servers": proven_cluster.bootstrap_servers,
        "registry.url": proven_cluster.registry_url,
        "topics.prefix": f"{name}.",
        "worker.group_prefix": name,
        "telemetry.metrics_port": str(port),
        **QUICK,
    }
    person = PERSON.format(python=sys.executable, ingest=port, notify=port + PORTS_PER_STAGE)
    script = typed().replace("9464", str(port)).replace("9528", str(port + PORTS_PER_STAGE))
    done = subprocess.run(
        ["bash", "-c", person + script],  # noqa: S607 (whichever the machine has)
        cwd=tmp_path,
        env={**os.environ, **{variable(key): value for key, value in here.items()}},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    told = dict(
        re.findall(
            r"^\$ loyaltystream ([^\n]*)\n(.*?)(?=^\$ |\Z)", done.stdout, re.MULTILINE | re.DOTALL
        )
    )
    assert "healthy" in told["doctor"]
    assert told["run --from earliest"].split() == ["ok", "ok"]
    assert "transactionAdded" in told["tail notifications"]
    assert "<-- TYPE" in told["dead-letters show 2/0"]
    assert "accepted" in told["why wrong-bill"]
    assert "exact: 3 records" in told["audit"]
