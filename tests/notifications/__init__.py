"""Tests of the second stage: from accepted events to notifications."""
