"""A subscriber's process has only what it needs."""

import json
import subprocess
import sys

HEAVY = {
    "fastapi",
    "numpy",
    "prometheus_client",
    "psutil",
    "re2",
    "rich",
    "starlette",
    "structlog",
    "typer",
    "uvicorn",
}


def test_a_subscriber_brings_no_worker_along() -> None:
    """Importing the kit imports no web server, no numpy and nothing of the command line."""
    code = "import json, sys, loyaltystream.subscriber; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "loyaltystream.subscriber.running" in loaded
    assert loaded & HEAVY == set()
    assert not loaded & {"loyaltystream.pipeline", "loyaltystream.runner", "loyaltystream.app"}
