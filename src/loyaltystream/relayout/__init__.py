"""Moves what is remembered into other partitions, when the ingest topic was given more of them."""
