"""A table of what was measured, for a screen and for a page. Pure."""

from collections.abc import Sequence

import msgspec
from rich.table import Table

from tests.bench.measuring import Measure

COSTS = ("events/s", "CPU s per million", "RSS MB")


class Sheet(msgspec.Struct, frozen=True):
    """One table; the first column names what each row is about, all others are numbers."""

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def table(self) -> Table:
        """Return it for a screen."""
        table = Table(title=self.title)
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="right" if number else "left")
        for row in self.rows:
            table.add_row(*row)
        return table

    def page(self) -> str:
        """Return it as Markdown."""
        lines = [self.columns, ["---", *["---:"] * (len(self.columns) - 1)], *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join([f"**{self.title}**", table, *self.notes]) + "\n"


def costs(measure: Measure) -> list[str]:
    """Return the cells under `COSTS`."""
    return [
        f"{measure.rate:,.0f}",
        f"{measure.cpu_per_million:.1f}",
        f"{measure.rss_bytes / 1e6:.0f}",
    ]
