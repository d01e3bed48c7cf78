"""What an event of the log is: one fact, its name, level and fields. Pure, but for who says it.

A catalogue declares events, each as a function without a body: its arguments are the fields, its
docstring says the fact. docs/logs.md is held to that.
"""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Generic, Literal, ParamSpec

Level = Literal["info", "warning"]
Say = Callable[[Level, str, Mapping[str, Any]], None]

_P = ParamSpec("_P")


class LogEvent(Generic[_P]):
    """A fact that is logged under a name of its own; called, it is said.

    Attributes:
        name: `noun.verb`.
        fields: their names, in the order in which they stand on the line.
        meaning: the fact, in a sentence.
    """

    def __init__(
        self, fact: Callable[_P, None], name: str, level: Level, *, after: str | None, say: Say
    ) -> None:
        self.name = name
        self.level = level
        self.meaning = inspect.getdoc(fact) or ""
        self._next = {} if after is None else {"next": after}
        self.fields = (*inspect.signature(fact).parameters, *self._next)
        self._say = say

    def __call__(self, *_: _P.args, **fields: _P.kwargs) -> None:
        """Say it; all fields have names."""
        self._say(self.level, self.name, fields | self._next)


def said_by(say: Say) -> Callable[..., Callable[[Callable[_P, None]], LogEvent[_P]]]:
    """Return what declares the events of one catalogue: their name, level and what happens next.

    Args:
        say: puts a line into the log.
    """

    def declare(
        name: str, level: Level, after: str | None = None
    ) -> Callable[[Callable[_P, None]], LogEvent[_P]]:
        return lambda fact: LogEvent(fact, name, level, after=after, say=say)

    return declare
