"""Logs and metrics of a worker: the only room that imports structlog and prometheus_client."""
