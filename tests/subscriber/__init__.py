"""The subscribers' kit."""
