"""Ways and values in, the statements of a generated function out. Pure.

Whatever is read is read once in a block and what lies below it, into a variable that is assigned
once; what a block below reads is unknown above, since the block may never run.
"""

from collections import ChainMap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from loyaltystream.notifications.identifiers import customer_identifiers
from loyaltystream.notifications.paths import (
    EVENT,
    Move,
    Way,
    find_identifier,
    read_json,
    step_into,
)

_MOVES: Final = {
    Move.AT: "{0}[{1!a}]",
    Move.GET: "{0}.get({1!a})",
    Move.WITHIN: "({0} or NOTHING).get({1!a})",
    Move.JSON: "READ_JSON({0})",
    Move.INTO: "{0}.get({1!a}) if {0}.__class__ is dict else STEP_INTO({0}, {1!a})",
    Move.IDENTIFIER: "IDENTIFIER({0}, {1!a})",
    Move.IDENTIFIERS: "IDENTIFIERS({0})",
}
_INDENT: Final = "    "


class Statements:
    """Collects the statements of one function, and what its names stand for."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._indent = _INDENT
        self._variables: ChainMap[str, str] = ChainMap()
        self._roots = {EVENT: EVENT}
        self._names: dict[str, Any] = {
            "IDENTIFIER": find_identifier,
            "IDENTIFIERS": customer_identifiers,
            "NOTHING": {},
            "READ_JSON": read_json,
            "STEP_INTO": step_into,
        }

    def compile(self, name: str, arguments: str, result: str) -> Callable[..., Any]:
        """Return the function of that name; its result is an expression."""
        source = [f"def {name}({arguments}):", *self._lines, f"{_INDENT}return {result}"]
        exec("\n".join(source), self._names)  # noqa: S102 (the source is ours, names are escaped)
        function: Callable[..., Any] = self._names[name]
        return function

    def add(self, statement: str) -> None:
        """Write one statement."""
        self._lines.append(self._indent + statement)

    def let(self, expression: str) -> str:
        """Write an assignment; return its variable."""
        variable = f"v{len(self._lines)}"
        self.add(f"{variable} = {expression}")
        return variable

    def once(self, expression: str) -> str:
        """Return the variable that holds what an expression of constant variables gives."""
        if expression not in self._variables:
            self._variables[expression] = self.let(expression)
        return self._variables[expression]

    def constant(self, value: object) -> str:
        """Return the name of a value."""
        name = f"CONSTANT_{len(self._names)}"
        self._names[name] = value
        return name

    def read(self, root: str, way: Way) -> str:
        """Return the variable that holds what lies at the end of a way."""
        value = self._roots.get(root, root)
        for move, name in way:
            value = self.once(_MOVES[move].format(value, name))
        return value

    @contextmanager
    def block(self, head: str, **roots: str) -> Iterator[None]:
        """Write what is added meanwhile as a block; roots are variables that it begins ways at."""
        self.add(f"{head}:")
        outside = self._indent, self._variables, self._roots
        self._indent += _INDENT
        self._variables, self._roots = self._variables.new_child(), self._roots | roots
        yield
        self._indent, self._variables, self._roots = outside
