"""Aggregates: groups of records, and their counts and sums."""
