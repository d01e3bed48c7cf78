"""What the gateway tells of itself."""

import urllib.request

from loyaltystream.telemetry.gateway import GatewayTelemetry
from loyaltystream.telemetry.serving import serve_registry


def test_answers_are_counted_by_route_and_status() -> None:
    """A scrape says how many requests were answered how, and how many events Kafka has."""
    telemetry = GatewayTelemetry()
    telemetry.answered("/events", 202, 1)
    telemetry.answered("/events/batch", 202, 20)
    telemetry.answered("/events", 503, 0)
    port = serve_registry(telemetry.registry, "127.0.0.1", 0)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    counted = {line for line in lines if "_total{" in line}
    assert counted == {
        'loyaltystream_gateway_requests_total{route="/events",status="202"} 1.0',
        'loyaltystream_gateway_requests_total{route="/events/batch",status="202"} 1.0',
        'loyaltystream_gateway_requests_total{route="/events",status="503"} 1.0',
        'loyaltystream_gateway_events_total{route="/events"} 1.0',
        'loyaltystream_gateway_events_total{route="/events/batch"} 20.0',
    }
