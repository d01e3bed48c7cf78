"""What the runner relies on, held to the real broker and to the one in memory alike."""
