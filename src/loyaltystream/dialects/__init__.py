"""Dialects: bytes as producers write them, read into one canonical event."""
