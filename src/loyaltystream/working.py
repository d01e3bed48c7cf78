"""A worker process from its settings to its end, and the parent of several. Does I/O: signals.

A worker leaves within ten seconds of SIGTERM: it learns what became of its open transaction, or
leaves that to its successor.
"""

import ctypes
import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from typing import Final

import msgspec

from loyaltystream import __version__
from loyaltystream.app import STAGES, build_worker, fresh_start, member_name
from loyaltystream.deployment import Deployment
from loyaltystream.errors import RetryableBrokerError
from loyaltystream.occupancy import occupied
from loyaltystream.settings import Settings
from loyaltystream.telemetry import log_events, logs
from loyaltystream.telemetry.health import health_of
from loyaltystream.telemetry.seldom import Seldom
from loyaltystream.telemetry.serving import serve_worker
from loyaltystream.tracing.opening import open_tracing
from loyaltystream.tracing.spans import Work

GRACE_S: Final = 10.0
LEAVE_S: Final = 9.0
"""A worker that still waits for a broker then leaves its open transaction to its successor."""

PORTS_PER_STAGE: Final = 64
_AWAIT_S: Final = 2.0
_POLL_S: Final = 0.2
_PR_SET_PDEATHSIG: Final = 1
_SWITCH_S: Final = 0.0005
_GC_ALLOCATIONS: Final = 200_000
# Of <malloc.h>: its name for each setting, and what it is set to.
_MALLOC: Final = {
    "M_ARENA_MAX": (-8, 2),
    "M_MMAP_THRESHOLD": (-3, 32 << 20),
    "M_TRIM_THRESHOLD": (-1, 128 << 20),
}


class Order(msgspec.Struct, frozen=True):
    """What one worker is to do.

    Attributes:
        stage: `ingest` or `notify`.
        slot: its number among the workers of this instance and stage.
        start: `earliest`, `latest`, epoch milliseconds, or None: nobody chose.
        accept_memory_loss: an operator's word that a lost memory may start empty.
        parent: the process that it has to end with, if any.
    """

    stage: str
    slot: int
    start: str | int | None
    accept_memory_loss: bool = False
    parent: int | None = None


def work(settings: Settings, order: Order) -> None:
    """Run one worker in this process until SIGTERM or SIGINT.

    Raises:
        LoyaltyStreamError: if it can't go on; its text says what to do.
    """
    stopping = _stop_on_signals()
    if order.parent is not None:
        _end_with_parent(order.parent)
    name, seldom = member_name(settings, order.stage, order.slot), Seldom()
    logs.configure(settings.telemetry, order.stage, name)
    tune_allocator()
    threading.Thread(target=_leave_in_time, args=(stopping,), daemon=True).start()
    with occupied(settings.worker.state_dir / name):
        deployment, health = Deployment(settings), health_of(settings)
        tracing = open_tracing(settings.traces, work_of(deployment, order.stage), name)
        port = serve_worker(health, settings.telemetry.metrics_host, _metrics_port(settings, order))
        worker = None
        while worker is None and not stopping.is_set():
            try:
                worker = build_worker(
                    deployment,
                    order.stage,
                    order.slot,
                    start=fresh_start(deployment, order.stage, order.start),
                    accept_loss_ms=int(time.time() * 1000) if order.accept_memory_loss else None,
                    health=health,
                    tracing=tracing,
                )
            except RetryableBrokerError as error:
                health.waiting(str(error))
                if seldom.take():
                    log_events.broker_awaited(why=str(error))
                stopping.wait(_AWAIT_S)
        if worker is not None:
            log_events.worker_started(
                version=__version__, metrics=f"{settings.telemetry.metrics_host}:{port}"
            )
            worker.watch()
            tune_interpreter()
            worker.runner.run(stopping.is_set)
            worker.leave()
        tracing.close()
    log_events.worker_stopped()


def work_of(deployment: Deployment, stage: str) -> Work:
    """Return what the spans of a stage's workers have in common."""
    topics = deployment.topics
    topic = topics.ingest if stage == STAGES[0] else topics.emf
    return Work(stage, topic, deployment.group(stage), topics.notifications)


def tune_interpreter() -> None:
    """Let the collector look seldom, and the commit's thread have its turns at once.

    Nearly all that lives from here on dies with its batch; a commit needs few turns and short ones,
    and the next batch waits for it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GC_ALLOCATIONS, 50, 100)
    sys.setswitchinterval(_SWITCH_S)


def tune_allocator() -> None:
    """Have the C library keep no heap for each thread, and keep what a batch gave back to it.

    The next batch needs as much: each page that the system takes back and gives again is zeroed.
    To be called before there are threads.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        for setting, value in _MALLOC.values():
            libc.mallopt(setting, value)


def supervise(commands: Sequence[Sequence[str]]) -> int:
    """Run worker processes until one ends or a signal comes; return the exit code.

    One that ends takes the others with it: whoever restarts services restarts all of them, and
    nothing runs half.

    Args:
        commands: arguments of this program, one list a worker.
    """
    stopping = _stop_on_signals()
    children = [
        subprocess.Popen(  # noqa: S603 (ours)
            [sys.executable, "-m", "loyaltystream", *arguments, "--parent", str(os.getpid())]
        )
        for arguments in commands
    ]
    while not stopping.is_set() and all(child.poll() is None for child in children):
        stopping.wait(_POLL_S)
    asked = stopping.is_set()
    ended = [child.returncode for child in children if child.poll() is not None]
    for child in children:
        if child.poll() is None:
            child.terminate()
    deadline = time.monotonic() + GRACE_S
    for child in children:
        try:
            child.wait(max(deadline - time.monotonic(), 0))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
    # One that was not ready to be asked yet was ended by the signal itself: it had begun nothing.
    left = [0 if child.returncode == -signal.SIGTERM else child.returncode for child in children]
    codes = left if asked else ended
    return next((_exit_code(code) for code in codes if code), 0)


def _exit_code(code: int) -> int:
    # As a shell tells it: 128 and the signal's number.
    return code if code > 0 else 128 - code


def _leave_in_time(stopping: threading.Event) -> None:
    """End the process if it is still there some time after it was told to stop."""
    stopping.wait()
    time.sleep(LEAVE_S)
    log_events.worker_left(why="the broker did not answer")
    os._exit(0)


def _metrics_port(settings: Settings, order: Order) -> int:
    first = settings.telemetry.metrics_port
    return first and first + STAGES.index(order.stage) * PORTS_PER_STAGE + order.slot


def _stop_on_signals() -> threading.Event:
    stopping = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    return stopping


def _end_with_parent(parent: int) -> None:
    """Ask the kernel for SIGTERM when the parent ends: a worker that it left would be a stray."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel was asked
        signal.raise_signal(signal.SIGTERM)
