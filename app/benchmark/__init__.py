"""Measures the service beside others that do the same, and beside what is possible at all."""
