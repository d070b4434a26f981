"""Reads: what is asked for, the statements, and their operations."""
