"""Notifications that one subscriber is sent again, to a topic of its own."""
