"""The dashboards of those outside: subscribers, and producers over HTTP. Pure."""

from typing import Final

from tests.observing.asked import BEHIND_S, R, quantiles
from tests.observing.board import Board, Panel, Query

SUBSCRIBERS: Final = Board(
    "loyaltystream-subscribers",
    "loyaltystream: subscribers",
    "What becomes of accepted events on the way to those who read notifications, and how late.",
    [
        Panel(
            "Notifications by type",
            "Written a second.",
            [Query(f"sum by (type) (rate(loyaltystream_notifications_total{R}))", "{{type}}")],
            "ops",
            stacked=True,
            width=12,
        ),
        Panel(
            "What became of accepted events",
            "A second: notified, silent (no rule), or unmapped (a dead letter).",
            [
                Query(
                    f"sum by (outcome) (rate(loyaltystream_notify_records_total{R}))", "{{outcome}}"
                )
            ],
            "ops",
            width=12,
        ),
        Panel(
            "Age of an accepted event when it is notified",
            "From its append to EMFConsumer on.",
            quantiles("age_seconds", 'stage="notify"'),
            "s",
            alarm=BEHIND_S,
        ),
        Panel(
            "Behind EMFConsumer",
            "How old the oldest unread event is at most.",
            [
                Query(
                    'max by (partition) (loyaltystream_lag_seconds{stage="notify"})',
                    "{{partition}}",
                )
            ],
            "s",
            alarm=BEHIND_S,
        ),
        Panel(
            "Can't be mapped, by event",
            "A second. The rules don't fit the event: mend its definition, and replay the letters.",
            [
                Query(
                    "sum by (org, event, reason) "
                    f'(rate(loyaltystream_event_reasons_total{{stage="notify"}}{R}))',
                    "{{org}} {{event}} {{reason}}",
                )
            ],
            "ops",
        ),
        Panel(
            "Notifications since the workers started",
            "By type; as many as lie on the topic since then.",
            [Query("sum by (type) (loyaltystream_notifications_total)", "")],
            kind="table",
            width=12,
        ),
        Panel(
            "Outcomes since the workers started",
            "Accepted events, by what became of them.",
            [Query("sum by (outcome) (loyaltystream_notify_records_total)", "")],
            kind="table",
            width=12,
        ),
    ],
)

_REQUESTS: Final = "loyaltystream_gateway_requests_total"
GATEWAY: Final = Board(
    "loyaltystream-gateway",
    "loyaltystream: gateway",
    "What comes over HTTP, and how it is answered.",
    [
        Panel(
            "Answers by status",
            "A second. 4xx are producers' mistakes, 429 bounds, 5xx ours or the broker's.",
            [Query(f"sum by (status) (rate({_REQUESTS}{R}))", "{{status}}")],
            "reqps",
            stacked=True,
            width=12,
        ),
        Panel(
            "Answers by route",
            "A second; what there is not is `other`.",
            [Query(f"sum by (route) (rate({_REQUESTS}{R}))", "{{route}}")],
            "reqps",
            stacked=True,
            width=12,
        ),
        Panel(
            "Events acknowledged",
            "A second: Kafka has them.",
            [Query(f"sum by (route) (rate(loyaltystream_gateway_events_total{R}))", "{{route}}")],
            "ops",
            width=12,
        ),
        Panel(
            "Share of errors",
            "Of all answers over five minutes. Alerts: 1 % of 5xx, 5 % of 429.",
            [
                Query(
                    f'sum(rate({_REQUESTS}{{status=~"{statuses}"}}[5m]))'
                    f" / (sum(rate({_REQUESTS}[5m])) > 0)",
                    name,
                )
                for statuses, name in (("5..", "5xx"), ("429", "429"), ("4..", "4xx"))
            ],
            "percentunit",
            alarm=0.05,
            width=12,
        ),
        Panel(
            "Since the gateway started",
            "Events acknowledged, by route.",
            [Query("sum by (route) (loyaltystream_gateway_events_total)", "")],
            kind="table",
            width=12,
        ),
    ],
)
