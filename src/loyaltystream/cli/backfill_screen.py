"""What is told of an import, to people and to programs. Pure."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from rich.markup import escape

from loyaltystream.backfill.importing import Imported
from loyaltystream.backfill.journal import Entry
from loyaltystream.backfill.survey import Outlook
from loyaltystream.tailing.shown import moment
from loyaltystream.times import SKEW_MS
from loyaltystream.verdicts import Verdict

_NAMED_LINES: Final = 5


def forecast(entry: Entry, outlook: Outlook | None, *, rate: float, now_ms: int) -> Iterator[str]:
    """Yield what is told before an import begins, a line each."""
    claim = entry.claim
    name, until = escape(claim.import_id), moment(claim.until_ms)
    if entry.lines:
        yield f"[bold]{name}[/] goes on: {entry.lines:,} lines were sent before"
    if outlook is None:
        yield f"[bold]{name}[/]: standard input, so nobody knows how long it takes"
    else:
        needed_s = outlook.lines / rate
        yield f"[bold]{name}[/]: {outlook.lines:,} lines{_span(outlook)}"
        yield f"{outlook.before:,} occurred before {until}; {outlook.after:,} are judged like live"
        spent = timedelta(seconds=round(needed_s))
        yield f"at {rate:,.0f}/s it takes {spent}, and longer while events wait to be judged"
        if now_ms + needed_s * 1000 > claim.before_ms - SKEW_MS:
            yield (
                "[bold yellow]too slow:[/] what arrives after the moment below is late; raise "
                "--rate, or bring less at once"
            )
    if claim.quiet:
        yield "its events will cause no notifications"
    yield f"what arrives up to {moment(claim.before_ms)} is known to be new; later it is late"


def _span(outlook: Outlook) -> str:
    if outlook.first_ms is None or outlook.last_ms is None:
        return ""
    return f", from {moment(outlook.first_ms)} to {moment(outlook.last_ms)}"


def outcome(topic: str, imported: Imported) -> Iterator[str]:
    """Yield what became of the lines."""
    without = f"{imported.without_key:,} of them without a key"
    yield f"[bold]sent {imported.sent:,}[/] to {escape(topic)}, {without}"
    if imported.too_large:
        named = ", ".join(map(escape, imported.too_large[:_NAMED_LINES]))
        more = ", ..." if len(imported.too_large) > _NAMED_LINES else ""
        yield (
            f"[bold red]not sent: {len(imported.too_large):,}[/] too large for a record: "
            f"{named}{more}"
        )
    yield "Next: [bold]loyaltystream audit[/] once the workers have judged them."


def judged(
    verdicts: Mapping[str, int], reasons: Mapping[str, int], of: int | None
) -> Iterator[str]:
    """Yield what the judge makes of lines that were not sent; `of` how many there are."""
    count = sum(verdicts.values())
    total = f"{of:,}" if of is not None else "as many as may come"
    yield f"nothing was sent: --dry-run. Judged {count:,} lines of {total}:"
    for verdict, found in sorted(verdicts.items()):
        style = "green" if verdict == Verdict.ACCEPTED else "yellow"
        yield f"{found:>12,} would be [{style}]{verdict}[/]"
    for reason, found in sorted(reasons.items()):
        yield f"{found:>12,}   because of {reason}"


def to_json(entry: Entry, outlook: Outlook | None) -> dict[str, Any]:
    """Return what is known of an import before it begins."""
    claim = entry.claim
    told: dict[str, Any] = {
        "importId": claim.import_id,
        "until": claim.until_ms,
        "before": claim.before_ms,
        "quiet": claim.quiet,
        "sentBefore": entry.lines,
    }
    if outlook is not None:
        told["forecast"] = {
            "lines": outlook.lines,
            "beforeUntil": outlook.before,
            "likeLive": outlook.after,
            "first": outlook.first_ms,
            "last": outlook.last_ms,
        }
    return told
