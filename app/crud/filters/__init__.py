"""Filters: read from a query, kept as conditions, made SQL."""
