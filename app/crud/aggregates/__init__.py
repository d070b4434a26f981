"""Aggregates: groups of records and their figures."""
