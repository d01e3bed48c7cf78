"""Structured logs, as JSON or for a console. Does I/O: writes to standard error.

A line never holds an event's payload or a customer's identifier: what is logged are counts, topics,
partitions, offsets and reasons.
"""

import logging
import sys
from collections import defaultdict
from typing import Final

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from loyaltystream.settings import TelemetrySettings
from loyaltystream.telemetry.seldom import Seldom

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(settings: TelemetrySettings, stage: str, worker: str) -> None:
    """Send our lines and the client library's to standard error, in one form.

    Args:
        settings: which form, and from which level on.
        stage: what this process does; on every line.
        worker: its name; likewise, whichever thread says it.
    """
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    shared: list[Processor] = [
        _naming(stage, worker),
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[settings.log_level]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    logging.basicConfig(level=_LEVELS[settings.log_level], handlers=[handler], force=True)
    logging.captureWarnings(True)  # noqa: FBT003 (the client warns on standard error, in no form)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    # What it says of each request that fails, `spans.lost` tells once in a while.
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)
    client = logging.getLogger("librdkafka")
    client.setLevel(logging.NOTSET)
    client.addFilter(_Sparse())


def _naming(stage: str, worker: str) -> Processor:
    def name(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
        return {**line, "stage": stage, "worker": worker}

    return name


def quiet() -> None:
    """Keep the client library's own lines out of the output of a command; its errors are raised."""
    logging.getLogger("librdkafka").setLevel(logging.CRITICAL)


def hide_requests() -> None:
    """Keep requests out of the log: the id in a webhook's path is what its vendor keeps secret."""
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)


class _Sparse(logging.Filter):
    """Lets a kind of line of the client library pass once in a while: an outage makes thousands."""

    def __init__(self) -> None:
        super().__init__()
        self._kinds: defaultdict[str, Seldom] = defaultdict(Seldom)

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether this line passes; its first word is its kind."""
        return self._kinds[record.getMessage().partition(" ")[0]].take()
