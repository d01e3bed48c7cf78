"""What a checked template consists of: the nodes that are compiled, and what each makes. Pure."""

from typing import Any, Final

import msgspec

from loyaltystream.notifications.conversions import Conversion
from loyaltystream.notifications.fitting import Misfit, fit, mismatch
from loyaltystream.notifications.identifiers import customer_identifiers
from loyaltystream.notifications.paths import Source
from loyaltystream.notifications.targets import Composite, Kind, Listing, Scalar, Target
from loyaltystream.verdicts import Reason, Violation


class Constant(msgspec.Struct, frozen=True):
    """A value that fits."""

    value: Any


class Leaf(msgspec.Struct, frozen=True):
    """A single path.

    Attributes:
        source: that is read.
        target: what is made of it.
        where: in the definition it stands, for messages.
        default: stands in for what is absent or empty.
        required: whether it has to be there.
        conversion: what is done to a value before it is fitted.
    """

    source: Source
    target: Target
    where: str
    default: Constant | None
    required: bool
    conversion: Conversion | None = None

    def fill(self, value: Any, violations: list[Violation]) -> Any:  # noqa: ANN401 (any Avro value)
        """Return what was read as the target needs it; what can't be is added to the violations."""
        misfits: list[Misfit] = []
        value = _fit_read(self._converted(value), self.target, misfits)
        if misfits:
            refuse(self.source, self.where, misfits, violations)
            return None
        is_text = isinstance(self.target, Scalar) and self.target.kind is Kind.STRING
        empty_counts = is_text and self.default is None and not self.required
        if value is not None and (empty_counts or value != ""):
            return value
        if self.default is not None:
            return self.default.value
        if self.required:
            refuse(self.source, self.where, [Misfit("", "missing")], violations)
        return None

    def _converted(self, value: Any) -> Any:  # noqa: ANN401 (any Avro value)
        if self.conversion is None or isinstance(value, Misfit):
            return value
        # Blank text has no unit, not even where the target is a text.
        return None if _is_nothing(value) else self.conversion.convert(value, self.target)


class Group(msgspec.Struct, frozen=True):
    """An object; null where all of it is unknown."""

    members: dict[str, "Node"]


class Series(msgspec.Struct, frozen=True):
    """An array of whatever is known."""

    entries: list["Node"]


class Pairs(msgspec.Struct, frozen=True):
    """An array of names and values, one for each value that is known; null where none is.

    Attributes:
        label: what holds the name.
    """

    label: str
    entries: dict[str, "Node"]


class Elements(msgspec.Struct, frozen=True):
    """An array that the event has, an element at a time.

    Attributes:
        source: where it is.
        where: in the definition it stands, for messages.
        by: the way, inside an element, to what those of one group have in common; None: each
            element stands for itself.
    """

    source: Source
    where: str
    by: tuple[str, ...] | None = None

    def listed(self, value: Any, violations: list[Violation]) -> list[Any]:  # noqa: ANN401 (any JSON)
        """Return the elements, or groups of them, of what was read; nothing has none."""
        if value is None:
            return []
        if isinstance(value, list):
            misfits = [
                Misfit(f"[{position}]", mismatch("an object", element))
                for position, element in enumerate(value)
                if element is not None and not isinstance(element, dict)
            ]
            if not misfits:
                return value if self.by is None else self._grouped(value, violations)
        else:
            misfits = [value if isinstance(value, Misfit) else _no_array(value)]
        refuse(self.source, self.where, misfits, violations)
        return []

    def _grouped(self, value: list[Any], violations: list[Violation]) -> list[Any]:
        groups: dict[str, list[Any]] = {}
        for position, element in enumerate(value):
            found = element
            for step in self.by or ():
                found = found.get(step) if isinstance(found, dict) else None
            misfits: list[Misfit] = []
            name = fit(found, _TEXT, misfits, f"[{position}].{'.'.join(self.by or ())}")
            if misfits:
                refuse(self.source, self.where, misfits, violations)
            else:
                groups.setdefault(name, []).append(element)
        return list(groups.values())


class Each(msgspec.Struct, frozen=True):
    """An array made of another, one entry for each element that is known; null where none is."""

    elements: Elements
    entry: "Node"


class Known(msgspec.Struct, frozen=True):
    """The record of a customer who is not, or not only, the event's own.

    Attributes:
        source: her identifiers.
        where: in the definition it stands, for messages.
        members: what is known beyond them.
    """

    source: Source
    where: str
    members: dict[str, "Node"]

    def record(self, value: Any, violations: list[Violation]) -> dict[str, Any]:  # noqa: ANN401 (any JSON)
        """Return the record that the identifiers make; it is the reader's own."""
        misfits: list[Misfit] = []
        listed = _fit_read(value, _IDENTIFIERS, misfits)
        if misfits:
            refuse(self.source, self.where, misfits, violations)
            return {}
        return (
            customer_identifiers([each | {"source": each["source"] or ""} for each in listed])
            if listed
            else {}
        )


Node = Constant | Leaf | Group | Series | Pairs | Each | Known

_TEXT: Final = Scalar(Kind.STRING)
_MAYBE_TEXT: Final = Scalar(Kind.STRING, nullable=True)
_IDENTIFIERS: Final = Listing(
    Composite(
        "Identifier",
        {"type": _TEXT, "value": _TEXT, "source": _MAYBE_TEXT, "accountId": _MAYBE_TEXT},
    ),
    nullable=True,
)
"""A customer's identifiers, as events themselves have them."""


def refuse(source: Source, where: str, misfits: list[Misfit], violations: list[Violation]) -> None:
    """Add what does not fit to the violations."""
    violations += [
        Violation(Reason.UNMAPPED, source.path + misfit.path, f"{where}: {misfit.detail}")
        for misfit in misfits
    ]


def _no_array(value: object) -> Misfit:
    return Misfit("", mismatch("an array", value))


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _fit_read(value: Any, target: Target, misfits: list[Misfit]) -> Any:  # noqa: ANN401 (any JSON)
    """Return what was read as the target needs it; what is absent is null whatever is needed."""
    if isinstance(value, Misfit):
        misfits.append(value)
        return None
    return None if value is None else fit(value, target, misfits)
