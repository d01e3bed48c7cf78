"""The nodes of a template in, the statements that make their values out. Pure.

A value of the usual class is taken as it is; any other goes to the node's own method.
"""

from collections.abc import Mapping
from math import inf
from typing import Final

from loyaltystream.notifications.nodes import (
    Constant,
    Each,
    Elements,
    Group,
    Known,
    Leaf,
    Node,
    Pairs,
    Series,
)
from loyaltystream.notifications.paths import ELEMENT, Holds
from loyaltystream.notifications.statements import Statements
from loyaltystream.notifications.targets import Kind, Scalar
from loyaltystream.times import FIRST_MS, LAST_DUE_MS

# What is taken as it is. Texts and integers in JSON may still be none of Avro's.
_USUAL: Final = {
    Kind.STRING: "{0}.__class__ is str and {0}",
    Kind.INT: f"{{0}}.__class__ is int and {-(2**31)} <= {{0}} < {2**31}",
    Kind.LONG: "{0}.__class__ is int",
    Kind.DOUBLE: "{0}.__class__ is float and -INF < {0} < INF",
    Kind.BOOLEAN: "{0}.__class__ is bool",
    Kind.MOMENT: f"{{0}}.__class__ is int and {FIRST_MS} <= {{0}} < {LAST_DUE_MS}",
}
_USUAL_JSON: Final = {
    Kind.STRING: "{0}.__class__ is str and {0} and {0}.isascii()",
    Kind.LONG: f"{{0}}.__class__ is int and {-(2**63)} <= {{0}} < {2**63}",
}


class Templates(Statements):
    """Writes what nodes make."""

    def __init__(self) -> None:
        super().__init__()
        self._names["INF"] = inf

    def node(self, node: Node) -> str:
        """Write what a node makes; return the expression of its value, None where it is unknown."""
        match node:
            case Constant(value=value):
                made = "None" if value is None else self.constant(value)
            case Leaf():
                made = self._leaf(node)
            case Group(members=members):
                made = self.let(f"{self.group(members, self.let('{}'))} or None")
            case Series(entries=entries):
                series = ", ".join([self.node(entry) for entry in entries])
                made = self.let(f"[each for each in [{series}] if each is not None]")
            case Pairs(label=label, entries=pairs):
                made = self._pairs(label, pairs)
            case Each(elements=elements, entry=entry):
                made = self._each(elements, entry)
            case _:
                made = self._known(node)
        return made

    def group(self, members: Mapping[str, Node], group: str) -> str:
        """Write what puts members that are known into a dictionary; return its variable."""
        for name, node in members.items():
            value = self.node(node)
            self.add(f"if {value} is not None: {group}[{name!a}] = {value}")
        return group

    def listed(self, elements: Elements) -> str:
        """Return the expression of an array's elements."""
        value = self.read(elements.source.root, elements.source.way)
        return f"{self.constant(elements.listed)}({value}, violations)"

    def _leaf(self, leaf: Leaf) -> str:
        value = self.read(leaf.source.root, leaf.source.way)
        fill = f"{self.constant(leaf.fill)}({value}, violations)"
        if not leaf.required:
            default = "None" if leaf.default is None else self.node(leaf.default)
            fill = f"{default} if {value} is None else {fill}"
        target = leaf.target
        if leaf.conversion or not isinstance(target, Scalar) or target.kind is Kind.DYNAMIC:
            return self.let(fill)
        usual = _USUAL[target.kind]
        if leaf.source.holds is Holds.JSON:
            usual = _USUAL_JSON.get(target.kind, usual)
        taken = f"{value} + 0.0" if target.kind is Kind.DOUBLE else value  # -0.0 is 0.0
        return self.let(f"{taken} if {usual.format(value)} else {fill}")

    def _pairs(self, label: str, pairs: Mapping[str, Node]) -> str:
        made = self.let("[]")
        for name, node in pairs.items():
            value = self.node(node)
            pair = f"{{{label!a}: {name!a}, 'value': {value}}}"
            self.add(f"if {value} is not None: {made}.append({pair})")
        return self.let(f"{made} or None")

    def _each(self, elements: Elements, entry: Node) -> str:
        listed, made = self.let(self.listed(elements)), self.let("[]")
        element = f"{made}_element"
        with self.block(f"for {element} in {listed}", **{ELEMENT: element}):
            value = self.node(entry)
            self.add(f"if {value} is not None: {made}.append({value})")
        return self.let(f"{made} or None")

    def _known(self, known: Known) -> str:
        value = self.read(known.source.root, known.source.way)
        if known.source.holds is Holds.IDENTIFIERS:
            record = self.let(f"{{**{value}}}")
        else:
            record = self.let(f"{self.constant(known.record)}({value}, violations)")
        self.group(known.members, record)
        return self.let(f"{record} or None")
