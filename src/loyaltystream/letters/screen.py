"""Letters as a person reads them. Pure."""

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from loyaltystream.letters.counting import Counts
from loyaltystream.letters.desk import Sorted
from loyaltystream.letters.letter import Complaint, Letter
from loyaltystream.letters.marking import mark
from loyaltystream.letters.preview import Forecast
from loyaltystream.letters.signing import released_id
from loyaltystream.letters.state import LetterState, States, Step, name_of
from loyaltystream.letters.telling import event_of, shown_headers
from loyaltystream.masking import mask_event, mask_key
from loyaltystream.tailing.decoding import plain
from loyaltystream.tailing.shown import moment, visible
from loyaltystream.verdicts import NotifyOutcome, Verdict

_WANTED = frozenset({Verdict.ACCEPTED.value, NotifyOutcome.NOTIFIED.value})


def render_list(letters: Sequence[Letter], states: States, of: int) -> RenderableType:
    """Return a line a letter with its state, and of how many they are the last."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("letter", "written", "verdict", "state", "org", "event", "eventId", "reasons"):
        table.add_column(column, overflow="fold")
    for letter in letters:
        table.add_row(
            Text(name_of(letter.place), style="cyan"),
            _when(letter.written_ms),
            Text(visible(letter.verdict), style="red"),
            states.of(letter.place).state.value,
            str(letter.org_id if letter.org_id is not None else "?"),
            Text(visible(letter.event_name or "?")),
            Text(visible(letter.event_id or "?")),
            Text(visible(", ".join(letter.reasons))).append_text(_locked(letter)),
        )
    if not letters:
        return Text("no letters")
    return Group(table, Text(f"{len(letters):,} of {of:,} letters", style="dim"))


def render_counts(counts: Counts) -> RenderableType:
    """Return how many letters there are of each kind."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("letters", justify="right")
    for column in ("org", "event", "stage", "verdict", "reason", "first", "last"):
        table.add_column(column, overflow="fold")
    for found in counts.counts:
        kind = found.kind
        table.add_row(
            f"{found.letters:,}",
            str(kind.org_id) if kind.org_id >= 0 else "?",
            Text(visible(kind.event_name or "?")),
            Text(visible(kind.stage)),
            Text(visible(kind.verdict)),
            Text(visible(kind.reason), style="yellow"),
            _when(found.first_ms),
            _when(found.last_ms),
        )
    return Group(table, Text(f"{counts.letters:,} letters; each counts for each of its reasons"))


def render_forecast(forecast: Forecast, found: Sorted) -> RenderableType:
    """Return what would become of letters that are sent again, and which of them stay."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(justify="right")
    table.add_column()
    for verdict, count in sorted(forecast.verdicts.items()):
        style = "green" if verdict in _WANTED else "yellow"
        table.add_row(f"{count:,}", Text(f"would be {verdict}", style=style))
    for reason, count in sorted(forecast.reasons.items()):
        table.add_row(f"{count:,}", Text(f"  because of {reason}", style="dim"))
    for stay, letters in found.staying.items():
        table.add_row(f"{len(letters):,}", Text(f"stays: {stay.value}", style="blue"))
    return table if table.row_count else Text("no letters")


def render(letter: Letter, state: LetterState, *, reveal: bool) -> RenderableType:
    """Return a letter with its event, what is wrong where it is, and what was done about it."""
    about = [*_about(letter, reveal=reveal), *_state(letter, state), Text()]
    return Group(*about, *_event(letter, reveal=reveal))


def _state(letter: Letter, state: LetterState) -> Iterator[Text]:
    if state.state is Step.OPEN:
        return
    yield Text(visible(state.told(_when(state.at_ms))), style="bold blue")
    if state.state is Step.RELEASED:
        yield Text(f"  its event goes by {released_id(str(letter.place))}", style="blue")
    for operation in state.patch or []:
        yield Text(visible(f"  {operation.get('op')} {operation.get('path')}"), style="blue")


def _about(letter: Letter, *, reveal: bool) -> Iterator[Text]:
    original = letter.original
    org = f" of org {letter.org_id}" if letter.org_id is not None else ""
    event = f"{letter.event_name or 'a record'} {letter.event_id or ''}{org}"
    yield Text.assemble(
        (f"letter {name_of(letter.place)}", "bold cyan"),
        "  ",
        (visible(letter.verdict), "bold red"),
        visible(f" at {letter.stage}: {event}"),
    )
    version = f", by version {letter.version} of its definition" if letter.version else ""
    yield Text(f"written {_when(letter.written_ms)}{version}")
    arrived = f"first arrived {_when(letter.origin_ms)} as {letter.origin}"
    key = plain(original.key) if reveal else mask_key(original.key)
    told = "sealed" if original.locked is not None else key or "none"
    yield Text(visible(f"{arrived}, {original.size} bytes, key {told}"))
    for name, content in shown_headers(original.headers, reveal=reveal):
        yield Text(visible(f"header {name}: {plain(content)}"), style="dim")
    if original.truncated:
        sha = f"SHA-256 of the whole {original.sha256}"
        yield Text(f"only the beginning of its value was kept; {sha}", style="yellow")


def _event(letter: Letter, *, reveal: bool) -> Iterator[Text]:
    value, original = event_of(letter), letter.original
    if value is not None:
        for line in mark(value if reveal else mask_event(value), letter.complaints):
            yield Text.assemble(visible(line.text), *map(_mark, line.complaints))
    else:
        yield from (Text.assemble("it", _mark(found)) for found in letter.complaints)
        if (locked := original.told) is not None:
            yield Text(visible(locked), style="yellow")
        elif original.value is None:
            yield Text("it has no value", style="yellow")
        elif reveal:
            yield Text(visible(str(plain(original.value))))
        else:
            yield Text("its bytes are no JSON; --reveal shows them", style="yellow")
    if (more := letter.complaint_count - len(letter.complaints)) > 0:
        yield Text(f"and {more} more", style="red")


def _locked(letter: Letter) -> Text:
    locked = letter.original.told
    return Text("" if locked is None else visible(f"; {locked}"), style="yellow")


def _mark(found: Complaint) -> tuple[str, str]:
    vendor = f" (vendor's {found.vendor_code})" if found.vendor_code else ""
    return visible(f"   <-- {found.code}: {found.message}{vendor}"), "bold red"


def _when(moment_ms: int) -> str:
    return moment(moment_ms) or "no time"
