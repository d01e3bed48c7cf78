"""Benchmarks: rates beside a reference in the same run, on outputs that were checked first."""
