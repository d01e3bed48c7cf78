"""Structured logs, as JSON or for a console. Does I/O: writes to standard error.

A line never holds an event's payload or a customer's identifier: what is logged are counts, topics,
partitions, offsets and reasons.
"""

import logging
import sys
from typing import Final

import structlog
from structlog.typing import Processor

from loyaltystream.settings import TelemetrySettings

_LEVELS: Final = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(settings: TelemetrySettings) -> None:
    """Send our lines and the client library's to standard error, in one form."""
    as_json = settings.log_format == "json" or (
        settings.log_format == "auto" and not sys.stderr.isatty()
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
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
    logging.getLogger("httpx2").setLevel(logging.WARNING)


def bind(stage: str, worker: str) -> None:
    """Put the stage and the worker's name on every line of this process."""
    structlog.contextvars.bind_contextvars(stage=stage, worker=worker)
