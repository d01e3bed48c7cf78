"""Prometheus and promtool, of this machine. Does I/O: starts and ends them."""

import json
import shutil
import subprocess
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.shop import eventually
from tests.toolchain import demand


def promtool(*arguments: str) -> str:
    """Run promtool; return what it says."""
    tool = _found("promtool")
    done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


class Prometheus:
    """A Prometheus that runs.

    Args:
        url: where it answers.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def query(self, expr: str, at_s: float | None = None) -> list[dict[str, Any]]:
        """Return the samples of an expression at a moment, by default now."""
        moment = {} if at_s is None else {"time": at_s}
        return self._ask("query", {"query": expr, **moment})

    def range(self, expr: str, start_s: float, end_s: float, step_s: float) -> list[dict[str, Any]]:
        """Return the series of an expression between two moments."""
        asked = {"query": expr, "start": start_s, "end": end_s, "step": step_s}
        return self._ask("query_range", asked)

    def _ask(self, kind: str, asked: dict[str, Any]) -> list[dict[str, Any]]:
        question = urllib.parse.urlencode(asked)
        found = json.loads(_get(f"{self.url}/api/v1/{kind}?{question}"))
        assert found["status"] == "success", found
        samples = found["data"]["result"]
        assert isinstance(samples, list)
        return samples


@contextmanager
def running(
    directory: Path, port: int, jobs: Sequence[dict[str, Any]], rules: Sequence[Path]
) -> Iterator[Prometheus]:
    """Yield a Prometheus that scrapes every second and has evaluated rules as often.

    Args:
        directory: for its configuration and its samples; made here.
        port: on the loopback interface.
        jobs: as its configuration has them; JSON is YAML.
        rules: files.
    """
    program = _found("prometheus")
    directory.mkdir(parents=True)
    often = {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
    files = [str(path.resolve()) for path in rules]
    asked = {"global": often, "scrape_configs": list(jobs), "rule_files": files}
    configuration = directory / "prometheus.json"
    configuration.write_text(json.dumps(asked))
    with (directory / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={configuration}",
                f"--storage.tsdb.path={directory / 'samples'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    prometheus = Prometheus(f"http://127.0.0.1:{port}")
    try:
        eventually(lambda: _is_ready(prometheus.url), "Prometheus is ready")
        yield prometheus
    finally:
        process.terminate()
        process.wait(20)


def _is_ready(url: str) -> bool:
    try:
        _get(f"{url}/-/ready")
    except OSError:
        time.sleep(0.1)
        return False
    return True


def _found(name: str) -> str:
    """Return where a program of Debian's package prometheus is."""
    demand(name)
    return shutil.which(name) or name


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 (our own, on loopback)
        return bytes(answer.read())
