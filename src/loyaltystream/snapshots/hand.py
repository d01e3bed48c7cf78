"""Does what takes time beside the loop, one thing after the other. Does I/O: one thread."""

import threading
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Protocol

Task = Callable[[], None]


class Hand(Protocol):
    """Does tasks in order."""

    @property
    def backlog(self) -> int:
        """How many tasks are not done."""

    def do(self, task: Task) -> None:
        """Have a task done, once those before it are."""

    def wait(self, backlog: int, timeout_s: float) -> bool:
        """Wait until no more than so many tasks are left; return whether that came to pass."""


class ThreadHand:
    """Does tasks in a thread that ends with the process, whatever it does then."""

    def __init__(self) -> None:
        self._tasks: deque[Task] = deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def backlog(self) -> int:
        """How many tasks are not done."""
        return len(self._tasks)

    def do(self, task: Task) -> None:
        """Have a task done, once those before it are."""
        if self._thread is None:
            # In the caller's context: log lines name the worker by it.
            run = partial(copy_context().run, self._work)
            self._thread = threading.Thread(target=run, name="snapshots", daemon=True)
            self._thread.start()
        with self._changed:
            self._tasks.append(task)
            self._changed.notify_all()

    def wait(self, backlog: int, timeout_s: float) -> bool:
        """Wait until no more than so many tasks are left; return whether that came to pass."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._tasks) <= backlog, timeout_s)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._tasks)
                task = self._tasks[0]
            try:
                task()
            finally:
                with self._changed:
                    self._tasks.popleft()
                    self._changed.notify_all()
