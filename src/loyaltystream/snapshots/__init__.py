"""Snapshots of memories: when they are made, where they lie, and what a restart makes of them."""
