"""Tests of the audit: honest logs, and one planted fault at a time."""
