"""The story generator: its shares, its seed, and that every record is judged as it was meant."""
