"""Alerts and dashboards from one place: `python -m tests.observing` writes deploy/."""
