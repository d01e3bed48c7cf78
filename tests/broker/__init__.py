"""Tests on the real broker: what is claimed of exactly-once is claimed from here."""
