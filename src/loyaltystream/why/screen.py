"""An answer as a person reads it: each arrival as a timeline. Pure."""

from collections.abc import Iterator
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loyaltystream.events import Check
from loyaltystream.letters.letter import Complaint
from loyaltystream.tailing.shown import moment, visible
from loyaltystream.verdicts import NotifyOutcome, Verdict
from loyaltystream.why.story import Answer, Arrival, First, Reach, State

_STYLES: Final[dict[str, str]] = {
    Verdict.ACCEPTED: "bold green",
    Verdict.DUPLICATE: "bold yellow",
    Verdict.TOMBSTONE: "bold yellow",
    State.WAITING: "bold blue",
    State.UNKNOWN: "bold blue",
}
_OUTCOMES: Final[dict[str, str]] = {
    NotifyOutcome.SILENT: "no notification: its definition asks for none",
    State.WAITING: "NOTIFY has not come to it yet",
}

Row = tuple[str, Text, str]
"""When, what, and what there is to say of it."""


def render(answer: Answer) -> RenderableType:
    """Return the whole answer."""
    parts: list[RenderableType] = [_heading(answer)]
    for number, arrival in enumerate(answer.arrivals, 1):
        if len(answer.arrivals) > 1:
            parts.append(Text(f"\narrival {number} of {len(answer.arrivals)}", style="bold"))
        parts.append(_timeline(arrival))
    parts += [Text(visible(note), style="yellow") for note in answer.notes]
    parts += [Text(_reach(reach)) for reach in answer.reach]
    return Group(*parts)


def render_list(answer: Answer) -> RenderableType:
    """Return one line an arrival: for a customer who has many."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("received", "verdict", "event", "eventId", "record", "reasons"):
        table.add_column(column, overflow="fold")
    for one in answer.arrivals:
        table.add_row(
            when(one.received_ms or one.judged_ms),
            Text(one.verdict, style=_style(one.verdict)),
            visible(one.event_name or ""),
            Text(visible(one.event_id or "")),
            Text(visible(str(one.judged))),
            visible(", ".join(one.reasons)),
        )
    notes = [Text(visible(note), style="yellow") for note in answer.notes]
    reach = [Text(_reach(one)) for one in answer.reach]
    return Group(_heading(answer), *([table] if answer.arrivals else []), *notes, *reach)


def when(moment_ms: int | None) -> str:
    """Return a time as text, UTC."""
    if moment_ms is None:
        return ""
    return moment(moment_ms) or ""


def _heading(answer: Answer) -> Text:
    if not answer.found:
        return Text.assemble((visible(answer.asked), "bold"), ": ", ("never seen", "bold red"))
    names = {
        f"{one.event_name or 'unknown'} of org {one.org_id}"
        for one in answer.arrivals
        if one.event_name or one.org_id is not None
    }
    named = ", ".join(sorted(names)[:3])
    return Text.assemble((visible(answer.asked), "bold"), visible(f": {named}" if named else ""))


def _timeline(arrival: Arrival) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for moment_text, what, told in _rows(arrival):
        table.add_row(moment_text, what, Text(visible(told)))
    return table


def _rows(arrival: Arrival) -> Iterator[Row]:
    yield from _arrived(arrival)
    yield from _judged(arrival)
    if arrival.handled is not None:
        yield when(arrival.handled_ms), Text("letter"), arrival.handled
    if arrival.first is not None:
        yield when(arrival.first.at_ms), Text("first was"), _first(arrival.first)
    for routed in arrival.routed:
        if routed.replay is None:
            yield when(routed.at_ms), Text("routed"), str(routed.place)
    yield from _mapped(arrival)


def _mapped(arrival: Arrival) -> Iterator[Row]:
    """Yield what stage notify made of it, at first and when it was sent there again."""
    if arrival.notify_letter is not None:
        yield "", Text("unmapped", style="bold red"), f"letter {arrival.notify_letter}"
    yield from (_complaint(found) for found in arrival.refused)
    if arrival.notify_handled is not None:
        yield "", Text("letter"), arrival.notify_handled
    for routed in arrival.routed:
        if (replay := routed.replay) is not None:
            told = f"{routed.place}, letter {replay.letter}, attempt {replay.attempt}"
            yield when(routed.at_ms), Text("replayed"), told
    for made in arrival.notified:
        told = f"{made.name or 'notification'} {made.id or ''}, {made.place}"
        yield when(made.at_ms), Text("notified", style="green"), told
    if arrival.notify in _OUTCOMES:
        yield "", Text(arrival.notify), _OUTCOMES[arrival.notify]


def _arrived(arrival: Arrival) -> Iterator[Row]:
    told = [str(arrival.received)]
    if arrival.size is not None:
        told.append(f"{arrival.size} bytes")
    if arrival.key is not None:
        told.append(f"key {arrival.key}")
    yield when(arrival.received_ms), Text("received"), ", ".join(told)
    if arrival.replay is not None:
        told = [f"letter {arrival.replay.letter}", f"attempt {arrival.replay.attempt}"]
        if spared := arrival.replay.spared:
            told.append(f"as event {arrival.event_id or ''}, spared: {' and '.join(spared)}")
        what = "released" if spared else "replayed"
        told.append(f"written to {arrival.judged}")
        yield when(arrival.replay.at_ms), Text(what), ", ".join(told)
    elif arrival.judged != arrival.received:
        yield "", Text("re-keyed"), f"to {arrival.judged}: it lay in another partition"
    if arrival.import_id is not None:
        yield "", Text("imported"), f"as history, by import {arrival.import_id}"


def _judged(arrival: Arrival) -> Iterator[Row]:
    told = []
    if arrival.late:
        told.append(f"late, which its {_sparing(arrival)}")
    if arrival.version is not None:
        told.append(f"by version {arrival.version} of its definition")
    if arrival.verdict == State.WAITING:
        told.append("INGEST has not come to it yet")
    if arrival.kept is not None:
        told.append(f"kept as {arrival.kept}")
    if not arrival.complaints and arrival.reasons:
        told.insert(0, ", ".join(arrival.reasons))
    if arrival.text is not None:
        told.append(arrival.text)
    verdict = Text(arrival.verdict, style=_style(arrival.verdict))
    yield when(arrival.judged_ms), verdict, "; ".join(told)
    yield from (_complaint(found) for found in arrival.complaints)
    if (more := arrival.complaint_count - len(arrival.complaints)) > 0:
        yield "", Text(""), f"and {more} more"


def _sparing(arrival: Arrival) -> str:
    """Return why a late event was accepted."""
    if arrival.replay is not None and Check.LATE in arrival.replay.spared:
        return "release spares it"
    return "import spares it" if arrival.import_id is not None else "definition accepts"


def _complaint(found: Complaint) -> Row:
    vendor = f" (vendor's {found.vendor_code})" if found.vendor_code else ""
    path = f"{found.path}: " if found.path else ""
    return "", Text("  because", style="dim"), f"{found.code} {path}{found.message}{vendor}"


def _first(first: First) -> str:
    told = [] if first.event_id is None else [f"event {first.event_id}"]
    if first.place is not None:
        told.append(f"accepted as {first.place}")
    if first.text is not None:
        told.append(first.text)
    return ", ".join(told)


def _style(verdict: str) -> str:
    return _STYLES.get(verdict, "bold red")


def _reach(reach: Reach) -> str:
    if reach.whole:
        return f"{reach.topic} has lost nothing: it tells from its first record on"
    if reach.since_ms is None:
        return f"{reach.topic} has lost all of its records to retention"
    return f"{reach.topic} tells since {when(reach.since_ms)}; what is older was removed"
