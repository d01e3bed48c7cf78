"""What a record must cause and what it did in, every difference by its name out. Pure."""

from collections.abc import Mapping, Sequence

import msgspec

from loyaltystream.audit.expected import ANYWHERE, Expected
from loyaltystream.audit.findings import Detail, Fault, Ledger, Notice, Place
from loyaltystream.audit.found import Found, FoundOutputs, Head
from loyaltystream.audit.opening import LOCKED
from loyaltystream.audit.releases import is_stamped_older
from loyaltystream.audit.stamp import Stamp
from loyaltystream.sealing.ring import Locked

_EXCUSED_BY_VERSION = frozenset(
    {
        Fault.MISSING,
        Fault.MISROUTED,
        Fault.WRONG_VERDICT,
        Fault.WRONG_CONTENT,
        Fault.UNEXPECTED,
        Fault.SEALED,
    }
)
"""What another definition version may do to an event that it was judged by."""


class Cause(msgspec.Struct, frozen=True):
    """A judged record.

    Attributes:
        event_id: for naming it in a finding.
        older: whether events of its name were judged by another definition here or later, so that
            an output which tells no version may have been as well.
        forgetful: whether the retained changelog reaches back less than a window from here.
    """

    place: Place
    timestamp_ms: int
    event_id: str | None = None
    older: bool = False
    forgetful: bool = False


class _Trouble(msgspec.Struct, frozen=True):
    kind: Fault | Notice
    text: str
    output: Place | None = None


class Comparison:
    """Compares the records of one input partition, in offset order, with their outputs.

    Args:
        outputs: all that were found, for telling what retention removed.
        heads: the first retained record of each output partition that lost some; None: it is empty.
        ledger: takes the findings.
    """

    def __init__(
        self,
        outputs: FoundOutputs,
        heads: Mapping[tuple[str, int], Head | None],
        ledger: Ledger,
    ) -> None:
        self._outputs = outputs
        self._heads = heads
        self._ledger = ledger
        self._last: dict[tuple[str, int], int] = {}

    def compare(self, cause: Cause, expected: Sequence[Expected], found: Sequence[Found]) -> bool:
        """Report every difference; return whether retention removed all that was expected."""
        once, troubles = _split_repeats(expected, found)
        differences = self._differences(cause, expected, once)
        if differences and _is_by_another_version(cause, once):
            kept = [one for one in differences if one.kind not in _EXCUSED_BY_VERSION]
            excuse = _Trouble(Notice.OTHER_DEFINITION, "judged by another definition version")
            differences = [*kept, excuse]
        for trouble in [*troubles, *differences]:
            self._report(cause, trouble)
        return (
            bool(expected) and not found and all(self._is_expired(cause, one) for one in expected)
        )

    def _report(self, cause: Cause, trouble: _Trouble) -> None:
        detail = Detail(trouble.kind, cause.place, trouble.text, trouble.output, cause.event_id)
        self._ledger.report(detail)

    def _differences(
        self, cause: Cause, expected: Sequence[Expected], found: Sequence[Found]
    ) -> list[_Trouble]:
        troubles = []
        missing, surplus = list(expected), []
        for output in found:
            wanted = next((one for one in missing if _same_slot(one, output)), None)
            if wanted is None:
                surplus.append(output)
                continue
            missing.remove(wanted)
            troubles += self._differ(wanted, output)
        for output in list(surplus):
            moved = next((one for one in missing if one.stamp == output.stamp), None)
            if moved is not None:
                missing.remove(moved)
                surplus.remove(output)
                text = f"belongs to {_where(moved)}"
                troubles.append(_Trouble(Fault.MISROUTED, text, output.place))
        if missing and surplus and _verdicts(expected).isdisjoint(_verdicts(found)):
            return [*troubles, _wrong_verdict(cause, expected[0], surplus[0])]
        troubles += [self._missing(cause, one) for one in missing]
        troubles += [
            _Trouble(Fault.UNEXPECTED, f"its source has no output {one.ordinal} there", one.place)
            for one in surplus
        ]
        return troubles

    def _differ(self, wanted: Expected, output: Found) -> list[_Trouble]:
        if wanted.partition not in {output.partition, ANYWHERE}:
            text = f"belongs to {_where(wanted)}"
            return [_Trouble(Fault.MISROUTED, text, output.place)]
        if wanted.outcome != output.outcome:
            text = f"{wanted.outcome}, and not {output.outcome}"
            return [_Trouble(Fault.WRONG_VERDICT, text, output.place)]
        if _differs(wanted.stamp, output.stamp):
            text = f"{wanted.stamp.difference(output.stamp)} not as the event makes it"
            return [_Trouble(Fault.WRONG_CONTENT, text, output.place)]
        unread = _unread(output)
        slot = output.topic, output.partition
        last, self._last[slot] = self._last.get(slot, -1), output.offset
        if output.offset < last:
            self._last[slot] = last
            text = f"stands before offset {last}, which an earlier record caused"
            return [*unread, _Trouble(Fault.OUT_OF_ORDER, text, output.place)]
        return unread

    def _missing(self, cause: Cause, wanted: Expected) -> _Trouble:
        if self._is_expired(cause, wanted):
            return _Trouble(Notice.OUTPUT_EXPIRED, f"no longer retained in {_where(wanted)}")
        text = f"{wanted.outcome}: output {wanted.ordinal} is not in {_where(wanted)}"
        return _Trouble(Fault.MISSING, text)

    def _is_expired(self, cause: Cause, wanted: Expected) -> bool:
        """Say whether retention may have removed an output: it is older than all that is left."""
        slot = wanted.topic, wanted.partition
        if slot not in self._heads:
            return False
        lowest = self._outputs.lowest(cause.place.partition, *slot)
        if lowest is not None and lowest < cause.place.offset:
            return False
        head = self._heads[slot]
        # An output is appended after its cause: a cause as young as the head has its output there.
        return head is None or cause.timestamp_ms < head.timestamp_ms


def _differs(wanted: Stamp, found: Stamp) -> bool:
    """Say whether an output differs, as far as it can be compared."""
    if found == LOCKED:
        return False
    return wanted.key != found.key if is_stamped_older(found) else wanted != found


def _unread(output: Found) -> list[_Trouble]:
    """Return why the value of an output was not compared; none: it is."""
    if output.stamp == LOCKED:
        return [_Trouble(Fault.SEALED, Locked.NO_KEY.value, output.place)]
    if is_stamped_older(output.stamp):
        return [_Trouble(Notice.OLDER_RELEASE, "written by an older release", output.place)]
    return []


def _split_repeats(
    expected: Sequence[Expected], found: Sequence[Found]
) -> tuple[list[Found], list[_Trouble]]:
    """Return each output once, the right one of several, and what to say of the others."""
    slots: dict[tuple[str, int], list[Found]] = {}
    for output in found:
        slots.setdefault((output.topic, output.ordinal), []).append(output)
    once, troubles = [], []
    for copies in slots.values():
        right = next((copy for copy in copies if _is_right(expected, copy)), copies[0])
        once.append(right)
        text = f"stands at {right.offset} of partition {right.partition} as well"
        troubles += [
            _Trouble(Fault.REPEATED, text, copy.place) for copy in copies if copy is not right
        ]
    return once, troubles


def _is_right(expected: Sequence[Expected], output: Found) -> bool:
    return any(
        _same_slot(one, output)
        and one.stamp == output.stamp
        and one.partition in {output.partition, ANYWHERE}
        for one in expected
    )


def _same_slot(wanted: Expected, output: Found) -> bool:
    return wanted.topic == output.topic and wanted.ordinal == output.ordinal


def _is_by_another_version(cause: Cause, found: Sequence[Found]) -> bool:
    return any(output.foreign or (cause.older and not output.versioned) for output in found)


def _verdicts(outputs: Sequence[Expected] | Sequence[Found]) -> set[str]:
    return {output.outcome for output in outputs}


def _wrong_verdict(cause: Cause, wanted: Expected, output: Found) -> _Trouble:
    text = f"{wanted.outcome}, and not {output.outcome}"
    if cause.forgetful and wanted.outcome == "accepted" and output.outcome in _KNOWN_BEFORE:
        return _Trouble(Notice.MEMORY_EXPIRED, text, output.place)
    return _Trouble(Fault.WRONG_VERDICT, text, output.place)


_KNOWN_BEFORE = frozenset({"duplicate", "conflict"})


def _where(wanted: Expected) -> str:
    return wanted.topic if wanted.partition == ANYWHERE else f"{wanted.topic}/{wanted.partition}"
