"""The gateway: events over HTTP."""
