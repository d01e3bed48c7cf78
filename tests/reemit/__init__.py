"""Notifications that one subscriber is sent again."""
