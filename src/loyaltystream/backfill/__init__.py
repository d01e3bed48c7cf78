"""Years of history from files, as a lane of its own beside live events."""
