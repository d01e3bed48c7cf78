"""Snapshots of memories: what they hold, how they fail, and what a restart makes of them."""
