"""The child processes of a run: `init`, and one worker a stage. Does I/O: processes, log files."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from loyaltystream.app import STAGES
from loyaltystream.errors import PlatformError
from loyaltystream.settings import ENVIRONMENT_PREFIX, variable
from loyaltystream.working import PORTS_PER_STAGE

INIT_S: Final = 60
GRACE_S: Final = 20
LAST_LINES: Final = 15


class Worker:
    """One worker process, which can be killed and started again.

    Args:
        stage: `ingest` or `notify`.
        file: the run's settings.
        metrics_port: where it serves its metrics.
    """

    def __init__(self, stage: str, file: Path, metrics_port: int) -> None:
        self.stage = stage
        self.metrics_port = metrics_port
        self.log = file.with_name(f"{stage}.log")
        self._file = file
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of its process, if one was started."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start a process."""
        arguments = ("run", "--stage", self.stage, "--workers", "1", "--from", "earliest")
        # The setting is the first of all stages' ports.
        first = self.metrics_port - STAGES.index(self.stage) * PORTS_PER_STAGE
        environment = {variable("telemetry.metrics_port"): str(first)}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 (a command of ours, without a shell)
                _command(self._file, *arguments),
                env=_environment() | environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is the demo's to handle: it stops its workers in order.
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it by SIGKILL: nothing of it has a chance to tidy up."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def stop(self) -> None:
        """End it by SIGTERM, or after its grace by SIGKILL."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def demand_life(self) -> None:
        """Do nothing while it runs.

        Raises:
            PlatformError: with its last words, if it has ended by itself.
        """
        if self._process is None or (code := self._process.poll()) is None:
            return
        words = self.log.read_text("utf-8", "replace").splitlines()[-LAST_LINES:]
        raise PlatformError(
            "\n  ".join([f"the {self.stage} worker ended with {code}; {self.log}:", *words])
        )


def initialise(file: Path) -> None:
    """Make the run's topics and register the schemas.

    Raises:
        PlatformError: with what `init` said, if it failed.
    """
    try:
        subprocess.run(  # noqa: S603 (a command of ours, without a shell)
            _command(file, "init"),
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=INIT_S,
            check=True,
        )
    except subprocess.SubprocessError as error:
        said = getattr(error, "stdout", None) or b""
        raise PlatformError(
            f"`loyaltystream init` failed: {said.decode('utf-8', 'replace').strip() or error}"
        ) from error


def _command(file: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "loyaltystream", "--settings", str(file), *arguments]


def _environment() -> dict[str, str]:
    """Return the environment without settings: the operator's own must not enter the run."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(ENVIRONMENT_PREFIX)
    }
