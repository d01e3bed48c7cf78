"""The only room that imports OpenTelemetry: spans of workers and the gateway, and a subscriber's.

It is the extra `otel`; whoever asks for it without is told so in a line.
"""

from importlib.util import find_spec

from loyaltystream.errors import ConfigurationError

try:
    # The API alone may have come with something else.
    _FOUND = find_spec("opentelemetry.sdk"), find_spec("opentelemetry.exporter.otlp.proto.http")
except ImportError:
    _FOUND = (None, None)

if None in _FOUND:
    raise ConfigurationError(
        "traces need OpenTelemetry, which is not installed: `pip install 'loyaltystream[otel]'`"
    )
