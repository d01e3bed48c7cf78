"""An event and what is wrong with it in, its lines with marks where that is out. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from loyaltystream.letters.letter import Complaint

_STEP: Final = re.compile(r"(?:\.|^)[^.\[\]]+$|\[[0-9]+\]$")
_INDENT: Final = "  "


class Line(msgspec.Struct, frozen=True):
    """A line of a pretty event, and what is wrong with the value that begins on it."""

    text: str
    complaints: tuple[Complaint, ...] = ()


def mark(event: Any, complaints: Sequence[Complaint]) -> list[Line]:  # noqa: ANN401 (any JSON value)
    """Return an event's lines; what is missing has a line where it should be.

    What is wrong with the whole event stands at its first line.
    """
    return list(_Marker(event, complaints).lines(event, "", "", 0))


class _Marker:
    def __init__(self, event: Any, complaints: Sequence[Complaint]) -> None:  # noqa: ANN401
        known = set(_paths(event, ""))
        self._marks: dict[str, list[Complaint]] = {}
        self._missing: dict[str, list[Complaint]] = {}
        for complaint in complaints:
            path = complaint.path
            while path not in known:
                path = _parent(path)
            marks = self._marks if path == complaint.path else self._missing
            marks.setdefault(path, []).append(complaint)

    def lines(self, value: Any, path: str, name: str, depth: int) -> Iterator[Line]:  # noqa: ANN401
        # Taken away, because a name with a dot in it can make a path that another value has too.
        indent, marks = _INDENT * depth, tuple(self._marks.pop(path, ()))
        if not isinstance(value, dict | list):
            text = json.dumps(value, ensure_ascii=False)
            yield Line(f"{indent}{name}{text}", (*marks, *self._missing.pop(path, ())))
            return
        opening, closing = "{}" if isinstance(value, dict) else "[]"
        yield Line(f"{indent}{name}{opening}", marks)
        for complaint in self._missing.pop(path, ()):
            rest = complaint.path[len(path) :].lstrip(".")
            yield Line(f"{indent}{_INDENT}{rest}: ?", (complaint,))
        for step, child in _children(value):
            named = "" if isinstance(value, list) else f"{json.dumps(step, ensure_ascii=False)}: "
            yield from self.lines(child, _join(path, step), named, depth + 1)
        yield Line(f"{indent}{closing}")


def _children(value: Any) -> Iterator[tuple[str | int, Any]]:  # noqa: ANN401
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _paths(value: Any, path: str) -> Iterator[str]:  # noqa: ANN401
    yield path
    for step, child in _children(value):
        yield from _paths(child, _join(path, step))


def _join(path: str, step: str | int) -> str:
    if isinstance(step, int):
        return f"{path}[{step}]"
    return f"{path}.{step}" if path else step


def _parent(path: str) -> str:
    shorter = _STEP.sub("", path)
    return shorter if shorter != path else ""
