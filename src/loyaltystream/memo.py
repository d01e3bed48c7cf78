"""What is made of a value, kept for when the value recurs. Pure."""

from collections.abc import Callable
from typing import Final, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_SIZE: Final = 32_768


class Memo(dict[K, V]):
    """A dictionary that makes what it lacks, and keeps what was asked for lately.

    What was not asked for while it filled up twice is forgotten.
    """

    def __init__(self, make: Callable[[K], V], size: int = _SIZE) -> None:
        super().__init__()
        self._make = make
        self._size = size
        self._older: dict[K, V] = {}

    def __missing__(self, key: K) -> V:
        if len(self) >= self._size:
            self._older = dict(self)
            self.clear()
        made = self[key] = self._older[key] if key in self._older else self._make(key)
        return made
