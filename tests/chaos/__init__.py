"""Faults on the real broker: seeded, counted, healed, and judged from the topics alone.

`python -m tests.chaos` runs it; README of a run: the table that it prints. What is judged here is
judged without the product's own judging code.
"""
