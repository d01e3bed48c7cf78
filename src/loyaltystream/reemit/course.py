"""Which offsets a re-emission has to read, and which of them retention has removed. Pure."""

from collections.abc import Mapping

import msgspec

Bounds = Mapping[int, tuple[int, int]]


class Gone(msgspec.Struct, frozen=True, rename="camel"):
    """Records of a partition that may have been meant, and are no longer there.

    Attributes:
        before: the first offset that is retained.
        after: that from which on they are gone; None: nobody knows since when.
        since_ms: when the first retained record was written; None: there is none.
    """

    partition: int
    before: int
    after: int | None = None
    since_ms: int | None = None

    def told(self, topic: str, since: str) -> str:
        """Return it in words, with the moment of the first retained record, if there is one."""
        retained = f"it begins with what was written at {since}" if since else "it is empty"
        what = f"everything before offset {self.before}"
        if self.after is not None:
            what = f"offsets {self.after} to {self.before - 1}, which were not sent yet"
        return f"{topic}/{self.partition}: retention has removed {what}; {retained}"


class Course(msgspec.Struct, frozen=True):
    """What is to be read: per partition the first offset, and the one after the last."""

    spans: dict[int, tuple[int, int]]
    gone: tuple[Gone, ...]

    @property
    def offsets(self) -> int:
        """How many offsets that are."""
        return sum(end - start for start, end in self.spans.values())


def lay(bounds: Bounds, starts: Mapping[int, int], done: Mapping[int, int]) -> Course:
    """Return what is left to be read.

    Args:
        bounds: of the topic of notifications.
        starts: the first record of the range that is meant; a partition without one is meant whole.
        done: the offset up to which a partition is done.
    """
    spans, gone = {}, []
    for number, (first, end) in bounds.items():
        asked = done.get(number)
        if asked is None:
            start = starts.get(number, first)
            if first > 0 and start <= first:
                gone.append(Gone(number, first))
        else:
            start = asked
            if asked < first:
                gone.append(Gone(number, first, asked))
        spans[number] = min(max(start, first), end), end
    return Course(spans, tuple(gone))
