"""What `loyaltystream definitions` shows, as tables and as JSON. Does I/O: text out."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from loyaltystream.definitions.applying import Step

_WORDS: Final = {
    "create": ("to be created", "created"),
    "update": ("to be given a next version", "given a next version"),
    "disable": ("to be disabled", "disabled"),
    "keep": ("the same", "the same"),
    "refuse": ("[red]refused[/]", "[red]refused[/]"),
}


def row_of(name: tuple[int, str], state: str, version: int, body: dict[str, Any]) -> dict[str, Any]:
    """Return what is listed of an event."""
    return {
        "orgId": name[0],
        "eventName": name[1],
        "state": state,
        "version": version,
        "actions": body["actions"],
        "fields": len(body.get("fields", [])),
    }


def event_table(rows: Sequence[dict[str, Any]]) -> Table:
    """Return events as a table."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("org", "event", "state", "version", "actions", "fields"):
        table.add_column(column, justify="right" if column in {"version", "fields"} else "left")
    for row in rows:
        actions = ", ".join(row["actions"])
        cells = (row["orgId"], row["eventName"], row["state"], row["version"], actions)
        table.add_row(*(escape(str(cell)) for cell in cells), str(row["fields"]))
    return table


def tell_steps(steps: Sequence[Step], *, as_json: bool, done: bool) -> None:
    """Show what becomes, or became, of each definition."""
    if as_json:
        typer.echo(msgspec.json.encode(steps))
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("org", "event", "version", "", "what"):
        table.add_column(column, overflow="fold")
    for step in steps:
        told = escape("\n".join(step.told))
        version = str(step.version or "")
        words = _WORDS[step.action][done]
        table.add_row(str(step.org_id), escape(step.event_name), version, words, told)
    Console().print(table)
