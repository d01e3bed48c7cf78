"""`loyaltystream run`, with failpoints before its ports: `python -m tests.chaos.worker run ...`.

Everything else is the program itself, through its own command line.
"""

import os
from pathlib import Path
from typing import Any, Final

from loyaltystream import app, cli, working
from tests.chaos import mistakes
from tests.chaos.failpoints import Trap
from tests.chaos.taps import tap

ORDER: Final = "CHAOS_ORDER"
LEDGER: Final = "CHAOS_LEDGER"


def main() -> None:
    """Run the command line with a worker that can be told where to die."""
    trap = Trap(Path(os.environ[ORDER]), Path(os.environ[LEDGER]))
    trap.listen()

    def build(*arguments: Any, **named: Any) -> app.Worker:
        worker = app.build_worker(*arguments, **named)
        mistakes.make(worker.runner)
        tap(worker.runner, trap)
        return worker

    vars(working)["build_worker"] = build
    cli.main()


if __name__ == "__main__":
    main()
