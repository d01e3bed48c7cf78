"""Tests of sending lines."""
