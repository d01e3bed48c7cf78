"""Definitions behind a service."""
