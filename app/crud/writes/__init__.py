"""Writes: their rules, their history, and their operations."""
