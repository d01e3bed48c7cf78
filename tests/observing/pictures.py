"""Pictures of the dashboards for the docs: `python -m tests.observing.pictures docs/dashboards`.

Does I/O: a deployment on the local platform works for some minutes, a real Prometheus scrapes it,
and what each panel asks for is drawn.
"""

import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from loyaltystream.story import Recipe
from tests.cluster import obtained
from tests.observing.board import Board, Panel, Query
from tests.observing.boards import BOARDS
from tests.observing.draw import Series, draw, finite
from tests.observing.live import Observed, as_asked, observed, work
from tests.observing.prometheus import Prometheus

SLICES: Final = 150
POINTS: Final = 75
RECIPE: Final = Recipe(events=45_000, customers=4_000, partitions=4)


def main() -> None:
    """Draw all of them."""
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as name,
        obtained(Path(name) / "cluster") as (_, cluster),
        observed(cluster, Path(name) / "observed") as watched,
    ):
        began_s = time.time()
        work(watched, RECIPE, slices=SLICES, pause_s=_pause_s)
        for board in BOARDS:
            drawn = draw(board, _found(watched, board, began_s), _note(watched, began_s))
            (target / f"{board.uid}.svg").write_text(drawn)


def _pause_s(number: int) -> float:
    """Return how long nothing is sent: less in the middle of the day."""
    return 1.1 - 0.7 * math.sin(math.pi * number / SLICES)


def _note(watched: Observed, began_s: float) -> str:
    minutes = (watched.busy_s - began_s) / 60
    return (
        f"two workers a stage and a gateway on one machine, {RECIPE.events:,} events of a shop, "
        f"{minutes:.1f} minutes, scraped by Prometheus each second"
    )


def _found(watched: Observed, board: Board, began_s: float) -> dict[str, list[Series]]:
    step_s = max((watched.busy_s - began_s) / POINTS, 1)
    return {
        panel.title: [
            one
            for query in panel.queries
            for one in _series(watched.prometheus, panel, query, (began_s, watched.busy_s, step_s))
        ]
        for panel in board.panels
    }


def _series(
    prometheus: Prometheus, panel: Panel, query: Query, span: tuple[float, float, float]
) -> list[Series]:
    """Return what a query has that is drawn, the largest first."""
    found = []
    if panel.kind == "table":
        asked = [
            (one["metric"], [one["value"]]) for one in prometheus.query(as_asked(query.expr, "20s"))
        ]
    else:
        ranged = prometheus.range(as_asked(query.expr, "20s"), *span)
        asked = [(one["metric"], one["values"]) for one in ranged]
    for labels, values in asked:
        points = finite([(float(moment), float(value)) for moment, value in values])
        if points:
            found.append(Series(_name(query.legend, labels), points))
    return sorted(found, key=lambda one: -one.points[-1][1])


def _name(legend: str, labels: dict[str, str]) -> str:
    if not legend:
        return " ".join(value for name, value in labels.items() if name != "__name__")
    for name, value in labels.items():
        legend = legend.replace(f"{{{{{name}}}}}", value)
    return legend


if __name__ == "__main__":
    main()
