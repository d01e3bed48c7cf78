"""Tests of loyaltystream; one folder a room."""
