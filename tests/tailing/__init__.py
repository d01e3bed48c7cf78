"""Tests of showing what lies in a topic."""
