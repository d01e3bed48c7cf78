"""The port that a process is looked at through: metrics, and a worker's probes. Does I/O: HTTP."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from socketserver import ThreadingMixIn
from typing import Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server

from loyaltystream.errors import ConfigurationError
from loyaltystream.health import PROBES, answer_to
from loyaltystream.telemetry.health import Health

_PHRASES: Final = {200: "200 OK", 503: "503 Service Unavailable"}

Environment = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]
Application = Callable[[Environment, StartResponse], Iterable[bytes]]


def serve_worker(health: Health, host: str, port: int) -> int:
    """Serve `/livez`, `/readyz`, `/startupz` and `/metrics` of a worker; return the port.

    Raises:
        ConfigurationError: if the port is taken.
    """

    def application(environ: Environment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path not in PROBES:
            # The worker's metrics are not there before the worker is.
            metrics: Application = make_wsgi_app(health.metrics)
            return metrics(environ, start_response)
        answer = answer_to(
            path,
            health.conditions(),
            started=health.started,
            as_json="json" in environ.get("HTTP_ACCEPT", ""),
        )
        headers = [("Content-Type", answer.content_type), ("Cache-Control", "no-store")]
        start_response(_PHRASES[answer.status], headers)
        return [answer.body]

    with _bound(host, port):
        server = make_server(host, port, application, _Threaded, _Silent)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def serve_registry(registry: CollectorRegistry, host: str, port: int) -> int:
    """Serve `/metrics` of a registry; return the port.

    Raises:
        ConfigurationError: if the port is taken.
    """
    with _bound(host, port):
        server, _ = start_http_server(port, host, registry)
    return int(server.server_address[1])


@contextmanager
def _bound(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigurationError(
            f"telemetry.metrics_port = {port}: {host}:{port} cannot be served ({error}); "
            f"choose another, or 0 for a free one"
        ) from error


class _Threaded(ThreadingMixIn, WSGIServer):
    """A probe is answered while somebody takes long over the metrics."""

    daemon_threads = True


class _Silent(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its own name)
        """Say nothing."""
